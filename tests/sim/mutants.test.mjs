// Breaks the rules of lib/core/switch one after the other, in a copy, and expects sim_buffer_test to
// notice. MUTANTS_OBJECTS are the simulator's objects and libraries, MUTANTS_CC the compiler,
// MUTANTS_FOLDER where to work.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const { MUTANTS_CC, MUTANTS_FOLDER, MUTANTS_OBJECTS } = process.env;
const LIB = fileURLToPath(new URL('../../lib', import.meta.url));
const SOURCE = readFileSync(path.join(LIB, 'core/switch.c'), 'utf8');
const OUTAGES = '100000';

// Each edit is [text, instead]; the text stands in switch.c exactly once. What an assertion would
// notice at once is taken away, too, so that the simulator has to.
const mutants = [
  {
    rule: 1,
    what: 'a new event goes around the queue when the end is near',
    edits: [
      [
        '    if (sw->state == EST_DIRECT)\n        return EST_TO_KAFKA;',
        '    if (sw->state == EST_DIRECT || (sw->state == EST_DRAINING && sw->closing))\n        return EST_TO_KAFKA;',
      ],
      [
        '    EST_ASSERT(route == EST_TO_NOBODY || (route == EST_TO_KAFKA) == (sw->state == EST_DIRECT));\n',
        '',
      ],
    ],
  },
  {
    rule: 2,
    what: 'appends begin while direct records are un-acknowledged',
    edits: [
      [' && sw->direct == 0', ''],
      ['    EST_ASSERT(back == 0 || sw->appending == 0);\n', ''],
    ],
  },
  {
    rule: 2,
    what: 'direct records that come back are not counted',
    edits: [
      ['    sw->queue += back;\n', ''],
    ],
  },
  {
    rule: 3,
    what: 'a second append',
    edits: [
      [' && !sw->append_sent &&', ' &&'],
    ],
  },
  {
    rule: 3,
    what: 'an append of more than 512',
    edits: [
      ['smaller(sw->queue, EST_SWITCH_APPEND_MAX)', 'sw->queue'],
    ],
  },
  {
    rule: 3,
    what: 'a second read',
    edits: [
      [
        'return sw->asked == 0 && (sw->state != EST_BUFFERING',
        'return (sw->state != EST_BUFFERING',
      ],
    ],
  },
  {
    rule: 3,
    what: 'a second delete',
    edits: [
      ['sw->undeleted > 0 && !sw->delete_sent)', 'sw->undeleted > 0)'],
    ],
  },
  {
    rule: 4,
    what: 'what is flying is deleted, too',
    edits: [
      [
        'sw->deleting = smaller(sw->undeleted, EST',
        'sw->deleting = smaller(sw->undeleted + sw->flying, EST',
      ],
    ],
  },
  {
    rule: 4,
    what: 'what was flying when Kafka was lost counts as acknowledged',
    edits: [
      ['    sw->flying = 0;\n', '    sw->undeleted += sw->flying;\n    sw->flying = 0;\n'],
    ],
  },
  {
    rule: 5,
    what: 'a read from the head does not wait for what is flying',
    edits: [
      ['(sw->flying > 0 || sw->undeleted > 0))', '(sw->undeleted > 0))'],
    ],
  },
  {
    rule: 5,
    what: 'a read from the head does not wait for what is undeleted',
    edits: [
      ['(sw->flying > 0 || sw->undeleted > 0))', '(sw->flying > 0))'],
    ],
  },
  {
    rule: 5,
    what: 'the cursor stays where it was when Kafka is lost',
    edits: [
      ['    sw->window = 1;\n    to_head(sw);\n', '    sw->window = 1;\n'],
    ],
  },
  {
    rule: 5,
    what: 'the cursor stays where it was on a new connection',
    edits: [
      ['    sw->stale = sw->flying > 0;\n    to_head(sw);\n', '    sw->stale = sw->flying > 0;\n'],
    ],
  },
  {
    rule: 5,
    what: 'ids of an earlier connection are deleted',
    edits: [
      [
        '    sw->delete_sent = false;\n    sw->stale = sw->flying > 0;\n',
        '    sw->delete_sent = false;\n',
      ],
    ],
  },
  {
    rule: 5,
    what: 'a read that was under way when Kafka was lost is taken',
    edits: [
      ['return sw->asked > 0 && !sw->at_head;', 'return sw->asked > 0;'],
    ],
  },
  {
    rule: 5,
    what: 'what is left in the stream behind a new connection is not looked for',
    edits: [
      [
        'sw->own > 0 || (sw->used && sw->state == EST_DIRECT)',
        'sw->own > 0 && sw->state != EST_DIRECT',
      ],
    ],
  },
  {
    rule: 6,
    what: 'direct while an older stream is left',
    edits: [
      ['sw->older > 0 || sw->appending > 0', 'sw->appending > 0'],
    ],
  },
  {
    rule: 6,
    what: 'older streams do not take a direct type to buffering',
    edits: [
      [
        '    if (n > 0 && sw->state == EST_DIRECT) {',
        '    if (n > 1 && sw->state == EST_DIRECT) {',
      ],
    ],
  },
  {
    rule: 7,
    what: 'cut-over while an append is under way',
    edits: [
      ['sw->older > 0 || sw->appending > 0 ||', 'sw->older > 0 ||'],
    ],
  },
  {
    rule: 7,
    what: 'cut-over before the stream was read to its end',
    edits: [
      ['sw->state == EST_DRAINING && sw->tail;', 'sw->state == EST_DRAINING;'],
    ],
  },
  {
    rule: 7,
    what: 'cut-over on a read that was short before the last append',
    edits: [
      ['    sw->append_sent = false;\n    sw->tail = false;\n', '    sw->append_sent = false;\n'],
    ],
  },
  {
    rule: 7,
    what: 'appends go on under steady load',
    edits: [
      [' && !sw->append_sent &&\n           !sw->closing;', ' && !sw->append_sent;'],
    ],
  },
  {
    rule: 7,
    what: 'appends stay closed when Kafka is lost again',
    edits: [
      ['    sw->tail = false;\n    sw->closing = false;\n', '    sw->tail = false;\n'],
    ],
  },
  {
    rule: 8,
    what: 'an append of unknown outcome counts as done',
    edits: [
      [
        '    sw->append_sent = false;\n    sw->append_unknown = sw->appending > 0;\n',
        '    sw->append_sent = false;\n    sw->queue -= sw->appending;\n    sw->appending = 0;\n',
      ],
    ],
  },
  {
    rule: 8,
    what: 'an append of unknown outcome is not sent again before the store is lost again',
    edits: [
      [' && !sw->append_sent &&', ' && sw->appending == 0 &&'],
    ],
  },
  {
    rule: 9,
    what: 'direct without evidence',
    edits: [
      [' || !sw->evidence)\n        return false;', ')\n        return false;'],
    ],
  },
  {
    rule: 9,
    what: 'a loss leaves the evidence',
    edits: [
      ['    sw->evidence = false;\n    sw->window', '    sw->window'],
    ],
  },
  {
    rule: 10,
    what: 'direct with something in the stream',
    edits: [
      ['    if (sw->own == 0)\n        return now', '    if (sw->own < 3)\n        return now'],
    ],
  },
  {
    rule: 10,
    what: 'a type that needs no Redis waits for it',
    edits: [
      ['    if (sw->own == 0)\n        return now >= sw->due;\n', ''],
    ],
  },
  {
    rule: 10,
    what: 'no pause behind a loss',
    edits: [
      ['return now >= sw->due;', 'return true;'],
    ],
  },
  {
    rule: 10,
    what: "deletes of repeats are counted as the own entries' (outside of direct)",
    edits: [
      ['    if (sw->state == EST_DIRECT && sw->tail)\n', ''],
    ],
  },
  {
    rule: 'due',
    what: 'the next try is not told',
    edits: [
      [
        '    if (sw->state != EST_BUFFERING)\n        return 0;',
        '    if (sw->state != EST_DIRECT)\n        return 0;',
      ],
    ],
  },
];

function mutate(edits) {
  return edits.reduce((text, [from, to]) => {
    assert.equal(text.split(from).length, 2, `stands not once in switch.c: ${from}`);
    return text.replace(from, () => to);
  }, SOURCE);
}

function simulator(name, text) {
  const file = path.join(MUTANTS_FOLDER, `${name}.c`);
  const program = path.join(MUTANTS_FOLDER, name);
  writeFileSync(file, text);
  const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-w', `-I${LIB}`, `-I${LIB}/core`];
  execFileSync(MUTANTS_CC, [...flags, file, ...MUTANTS_OBJECTS.split(':'), '-o', program]);
  return spawnSync(program, ['--outages', OUTAGES], { encoding: 'utf8', timeout: 60_000 });
}

mkdirSync(MUTANTS_FOLDER, { recursive: true });

test('the machine as it is', () => {
  const run = simulator('as_it_is', SOURCE);
  assert.equal(run.status, 0, run.stderr);
});

for (const [i, { rule, what, edits }] of mutants.entries()) {
  test(`rule ${rule}: ${what}`, (t) => {
    const run = simulator(`mutant_${i}`, mutate(edits));
    assert.notEqual(run.status, 0, 'the simulator did not notice');
    t.diagnostic((run.stderr || `ended by ${run.signal}`).split('\n')[0]);
  });
}
