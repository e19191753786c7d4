// Breaks the delivery engine of lib/core by hand, one rule after the other, in a copy, and expects its
// simulators to notice. MUTANTS_ACCOUNT and MUTANTS_DELIVERY are a simulator's objects and libraries each,
// MUTANTS_CC the compiler, MUTANTS_FOLDER where to work.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const { MUTANTS_ACCOUNT, MUTANTS_CC, MUTANTS_DELIVERY, MUTANTS_FOLDER } = process.env;
const LIB = fileURLToPath(new URL('../../lib', import.meta.url));
const SIMULATORS = {
  account: { objects: MUTANTS_ACCOUNT, args: ['--histories', '40000'] },
  delivery: { objects: MUTANTS_DELIVERY, args: [] },
};

// Each edit is [text, instead]; the text stands in the file exactly once.
const account = [
  [
    'seen.c',
    'what lies below the base was seen',
    [['return n >= seen->base && n < seen->end', 'return n < seen->end']],
  ],
  ['seen.c', 'a hole was seen', [[' && !in_hole(seen, find(seen, n), n);', ';']]],
  [
    'seen.c',
    'a hole that is passed over is not kept',
    [
      [
        '        if (n > seen->end)\n            insert_hole',
        '        if (n > seen->end + 1000)\n            insert_hole',
      ],
    ],
  ],
  [
    'seen.c',
    'the base stays when the lowest hole is given up',
    [['    seen->base = lowest.last + 1;\n', '']],
  ],
  [
    'seen.c',
    'what is skipped counts as seen',
    [
      [
        '    est_seen_init(seen, n);\n    return missing;',
        '    seen->end = n;\n    return missing;',
      ],
    ],
  ],
  ['ledger.c', 'chains of one boot are one', [['return a->epoch == b->epoch && ', 'return ']]],
  [
    'ledger.c',
    'chains of one epoch are one',
    [[' && memcmp(a->boot, b->boot, EST_LEDGER_BOOT) == 0', '']],
  ],
  [
    'ledger.c',
    'a load forgets the holes',
    [
      [
        '    *hole = (struct est_hole){at + gap, at + gap + size};\n    seen->holes++;\n    return hole->last + 1 < seen->end;',
        '    (void)hole;\n    holes_left--;\n    return true;',
      ],
      ['static bool get_hole', 'static int holes_left;\nstatic bool get_hole'],
      [
        '    while (seen->holes < holes) {',
        '    holes_left = (int)holes;\n    while (holes_left > 0) {',
      ],
    ],
  ],
  [
    'ledger.c',
    'a run is one longer than it is',
    [
      [
        'est_seen_add_run(&led->chains[0]->seen, n, count);',
        'est_seen_add_run(&led->chains[0]->seen, n, count + 1);',
      ],
    ],
  ],
  [
    'account.c',
    'memory outlives an assignment',
    [['    return est_ledger_copy(&acc->memory, &acc->note.ledger);', '    return EST_OK;']],
  ],
  [
    'account.c',
    'the committed state covers all that was read',
    [
      [
        '    int64_t point = est_offsets_commit_point(acc->offsets);\n\n    while',
        '    int64_t point = est_offsets_next(acc->offsets);\n\n    while',
      ],
    ],
  ],
  [
    'account.c',
    'a run is committed as a whole',
    [
      [
        'commit_run(acc, run, below < run->count ? (uint32_t)below : run->count);',
        'commit_run(acc, run, run->count + 0 * (uint32_t)below);',
      ],
    ],
  ],
  [
    'account.c',
    'a run that is committed by halves begins where it began',
    [['    run->n += count;\n', '']],
  ],
  [
    'account.c',
    'what is not settled is noted as ahead',
    [
      [
        '        if ((end == EST_END_DELIVERED || end == EST_END_DEAD) &&\n            !est_ahead_add(&acc->note.ahead, &run->key, run->n + i, n, end))',
        '        if (end != EST_END_PASSED && !est_ahead_add(&acc->note.ahead, &run->key, run->n + i, n, EST_END_DELIVERED))',
      ],
    ],
  ],
  [
    'account.c',
    'what is ahead is noted by the number of its run',
    [['run->n + i, n, end))', 'run->n, n, end))']],
  ],
  [
    'account.c',
    'records of other chains continue a run',
    [['est_ledger_same_key(&next->key, &last->key));', 'true);']],
  ],
  [
    'account.c',
    "another partition's number is ours",
    [['chain.partition != acc->partition ||', '']],
  ],
  [
    'account.c',
    'only the first digit of a number counts',
    [
      [
        '    number = est_view(header.data + p->len, header.len - p->len);',
        '    number = est_view(header.data + p->len, 1);',
      ],
    ],
  ],
  [
    'account.c',
    'a known chain is not compared',
    [['memcmp(header.data, p->text, p->len) != 0)', 'header.data[0] != p->text[0])']],
  ],
  [
    'account.c',
    'what is without a chain is a repeat of the chain before',
    [['    return record->chained && est_ledger_add', '    return est_ledger_add']],
  ],
  [
    'account.c',
    'what a value claims settles its record',
    [['    if (kind == EST_ACCOUNT_CLAIMED && repeat)\n        return EST_ERR_AGAIN;\n', '']],
  ],
  [
    'account.c',
    'what a value claims settles what was noted',
    [['    if (kind == EST_ACCOUNT_CLAIMED && is_done(acc, &record))\n        return EST_ERR_AGAIN;\n', '']],
  ],
  [
    'account.c',
    'what another owner has noted is forgotten too early',
    [['acc->start = acc->note.tally;', 'acc->start = (struct est_tally){0};']],
  ],
  ['ahead.c', 'a range has no end', [[' || ahead->ranges[low - 1].last < n)', ')']]],
  [
    'ahead.c',
    'a range of another chain is taken',
    [['ahead->ranges[low - 1].chain != chain || ', '']],
  ],
  [
    'ahead.c',
    'a range grows over a gap',
    [
      ['r->last + 1 != n)', 'r->last >= n)'],
      ['        r->last += count;\n', '        r->last = n + count - 1;\n'],
    ],
  ],
  ['note.c', 'a note is read at any offset', [['(long long)at.offset', '0LL']]],
  ['note.c', 'a damaged note is read', [['!is_sum(bytes.data + 1, sum_of(at, in)) || ', '']]],
  [
    'offsets.c',
    'the commit point passes what has not ended',
    [['while (off->n > 0 && end_of(*at(off, 0)) != EST_END_OPEN) {', 'while (off->n > 1) {']],
  ],
  [
    'offsets.c',
    'an end is noted for the record behind',
    [
      ['    return at(off, low);', '    return at(off, low + 1 < off->n ? low + 1 : low);'],
      [
        '            return at(off, (size_t)ahead);',
        '            return at(off, (size_t)ahead + 1 < off->n ? (size_t)ahead + 1 : (size_t)ahead);',
      ],
    ],
  ],
];

const delivery = [
  [
    'lanes.c',
    'what is given back goes to the end',
    [
      [
        '    item->out = false;\n    lanes->stats.out--;\n',
        '    item->out = false;\n    lanes->stats.out--;\n    est_list_remove(&item->node);\n    est_list_append(&lane->items, &item->node);\n',
      ],
    ],
  ],
  [
    'lanes.c',
    'what is behind one that waits goes out',
    [['return before != &item->lane->items && ', 'return before == NULL && ']],
  ],
  ['lanes.c', 'a parked lane never wakes', [['first->at <= now) {', 'first->at < 0) {']]],
  [
    'lanes.c',
    'an arrival wakes a lane that has events out',
    [['lane->waiting == 1 && lane->out == 0', 'lane->waiting == 1']],
  ],
  ['lanes.c', 'what is settled stays counted', [['    lanes->stats.records--;\n', '']]],
  [
    'batch.c',
    'the last event of a batch is never settled',
    [
      [
        '    est_lanes_settle(lanes, item);\n    return item;',
        '    if (b->left > 0)\n        est_lanes_settle(lanes, item);\n    return item;',
      ],
    ],
  ],
  [
    'batch.c',
    'more than the bound of one key',
    [['taken == limits->per_key)', 'taken > limits->per_key + 2)']],
  ],
  [
    'bisect.c',
    'the right half goes first',
    [
      ['{middle, r.to};', '{r.from, middle};'],
      [
        'bs->todo[bs->depth++] = (struct est_range){r.from, middle};\n    return',
        'bs->todo[bs->depth++] = (struct est_range){middle, r.to};\n    return',
      ],
    ],
  ],
  [
    'bisect.c',
    'the left half is forgotten',
    [
      [
        '    bs->todo[bs->depth++] = (struct est_range){r.from, middle};\n    return true;',
        '    return true;',
      ],
    ],
  ],
  [
    'verdict.c',
    'an outage is poison',
    [
      [
        '{500, 599, EST_VERDICT_RETRY, EST_CLASS_HTTP_5XX, INFRA}',
        '{500, 599, EST_VERDICT_POISON, EST_CLASS_HTTP_5XX, INFRA}',
      ],
    ],
  ],
  [
    'verdict.c',
    'a refused token is poison',
    [['{401, 401, EST_VERDICT_PAUSE', '{401, 401, EST_VERDICT_POISON']],
  ],
  [
    'verdict.c',
    'an item behind a failed one counts as delivered',
    [['{424, 424, EST_VERDICT_RETRY', '{424, 424, EST_VERDICT_DELIVERED']],
  ],
  [
    'verdict.c',
    'an item of unknown outcome counts as delivered',
    [
      [
        '{500, 599, EST_VERDICT_RETRY, EST_CLASS_HTTP_5XX, QUIET}',
        '{500, 599, EST_VERDICT_DELIVERED, EST_CLASS_HTTP_5XX, QUIET}',
      ],
    ],
  ],
  [
    'verdict.c',
    'a batch is condemned as one',
    [['outcome->events > 1)', 'outcome->events > 1000)']],
  ],
  [
    'verdict.c',
    'a timeout counts as delivered',
    [
      [
        'struct est_verdict v = {.act = EST_VERDICT_RETRY};',
        'struct est_verdict v = {.act = EST_VERDICT_DELIVERED};',
      ],
    ],
  ],
  ['window.c', 'what ended stays in flight', [['    w->in_flight--;\n', '']]],
  [
    'breaker.c',
    'an open breaker never lets a probe out',
    [
      [
        'br->state == EST_BREAKER_OPEN && now >= br->open_until',
        'br->state == EST_BREAKER_OPEN && now < 0',
      ],
    ],
  ],
  [
    'offsets.c',
    'the commit point passes what has not ended',
    [['while (off->n > 0 && end_of(*at(off, 0)) != EST_END_OPEN) {', 'while (off->n > 1) {']],
  ],
];

function mutate(file, edits) {
  const source = readFileSync(path.join(LIB, 'core', file), 'utf8');
  return edits.reduce((text, [from, to]) => {
    assert.equal(text.split(from).length, 2, `stands not once in ${file}: ${from}`);
    return text.replace(from, () => to);
  }, source);
}

function simulate(which, name, text) {
  const { objects, args } = SIMULATORS[which];
  const file = path.join(MUTANTS_FOLDER, `${name}.c`);
  const program = path.join(MUTANTS_FOLDER, name);
  const sources = [];
  if (text !== null) {
    writeFileSync(file, text);
    sources.push(file);
  }
  const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-w', `-I${LIB}`, `-I${LIB}/core`];
  execFileSync(MUTANTS_CC, [...flags, ...sources, ...objects.split(':'), '-o', program]);
  return spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
}

mkdirSync(MUTANTS_FOLDER, { recursive: true });

for (const [which, mutants] of Object.entries({ account, delivery })) {
  test(`${which}: as it is`, () => {
    const run = simulate(which, `${which}_as_it_is`, null);
    assert.equal(run.status, 0, run.stderr);
  });
  for (const [i, [file, what, edits]] of mutants.entries())
    test(`${which}, ${file}: ${what}`, (t) => {
      const run = simulate(which, `${which}_${i}`, mutate(file, edits));
      assert.notEqual(run.status, 0, 'the simulator did not notice');
      t.diagnostic((run.stderr || `ended by ${run.signal}`).split('\n')[0]);
    });
}
