// Sums up the results of a test run: node tools/results.mjs FOLDER
// Reads *.xml (ctest's JUnit) and *.tsv (status, name, reason) there; prints what failed, what was skipped
// and why, a line for each stage, and at the end "N passed, N failed, N skipped". Exit 1 if one failed, or
// if nothing ran. A ctest test that is itself a runner (cmocka, node:test) counts as many as it says it ran.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescape = (text) => text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ENTITIES[name]);
const attribute = (text, name) => unescape(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '');

const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((n, match) => n + Number(match[1]), 0);

// How the runners inside close: "[  PASSED  ] 7 test(s)." of cmocka, "# pass 7" or "ℹ pass 7" of node:test.
export function countInside(output) {
  const of = (cmocka, node) =>
    sum(output, new RegExp(`^\\[ +${cmocka} +\\] (\\d+) test\\(s\\)`, 'gm')) +
    sum(output, new RegExp(`^(?:#|ℹ) ${node} (\\d+)`, 'gm'));
  return {
    passed: of('PASSED', 'pass'),
    failed: of('FAILED', 'fail') + of('ERROR', 'cancelled'),
    skipped: of('SKIPPED', 'skipped'),
  };
}

// Names and reasons of what was skipped inside: TAP's directive, node's spec reporter, cmocka's line. cmocka
// knows no reasons, and names each twice: a test prints "skipped: WHY" before.
export function skippedInside(output) {
  const found = [];
  let why = '';
  for (const line of output.split('\n')) {
    const tap = /^\s*ok \d+ - (.*?) # SKIP ?(.*)$/.exec(line) ?? /^\s*﹣ (.*?) \([\d.]+ms\) # ?(.*)$/.exec(line);
    const cmocka = /^\[ +SKIPPED +\] (\S+)$/.exec(line);
    if (tap) found.push({ name: tap[1], reason: tap[2] });
    else if (cmocka && !found.some(({ name }) => name === cmocka[1])) {
      found.push({ name: cmocka[1], reason: why });
      why = '';
    } else why = /^skipped: (.+)$/.exec(line)?.[1] ?? why;
  }
  return found;
}

function ofCase(head, body) {
  const name = attribute(head, 'name');
  const output = unescape(/<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '');
  const inside = countInside(output);
  const status = attribute(head, 'status');
  const failed = status === 'fail' || body.includes('<failure');
  const skipped = !failed && (body.includes('<skipped') || status === 'notrun' || status === 'disabled');
  if (skipped) {
    const reason = attribute(/<skipped[^>]*>/.exec(body)?.[0] ?? '', 'message') || status;
    return { passed: 0, failed: 0, skipped: 1, skips: [{ name, reason }], failures: [] };
  }
  return {
    passed: failed ? inside.passed : Math.max(inside.passed, inside.skipped > 0 ? 0 : 1),
    failed: failed ? Math.max(inside.failed, 1) : 0,
    skipped: inside.skipped,
    skips: skippedInside(output).map((skip) => ({ ...skip, name: `${name}: ${skip.name}` })),
    failures: failed ? [{ name, output }] : [],
  };
}

export function readJunit(xml) {
  const cases = [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  return cases.map(([, head, body = '']) => ofCase(head, body));
}

export function readLines(tsv) {
  return tsv.split('\n').filter(Boolean).map((line) => {
    const [status, name, reason] = line.split('\t');
    const of = (wanted) => (status === wanted ? 1 : 0);
    return {
      passed: of('passed'),
      failed: of('failed'),
      skipped: of('skipped'),
      skips: status === 'skipped' ? [{ name, reason }] : [],
      failures: status === 'failed' ? [{ name, output: '' }] : [],
    };
  });
}

export function total(results) {
  const add = (key) => results.reduce((n, result) => n + result[key], 0);
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') };
}

const READERS = { '.xml': readJunit, '.tsv': readLines };

function report(dir, print) {
  const all = [];
  for (const file of fs.readdirSync(dir).filter((name) => READERS[path.extname(name)]).sort()) {
    const results = READERS[path.extname(file)](fs.readFileSync(path.join(dir, file), 'utf8'));
    const stage = path.parse(file).name;
    for (const { name, output } of results.flatMap((result) => result.failures)) {
      print(`--- failed in ${stage}: ${name}`);
      if (output) print(output.trimEnd().split('\n').slice(-40).join('\n'));
    }
    for (const skip of results.flatMap((result) => result.skips)) {
      print(`skipped in ${stage}: ${skip.name} (${skip.reason || 'no reason given'})`);
    }
    const { passed, failed, skipped } = total(results);
    print(`${stage}: ${passed} ok, ${failed} not ok, ${skipped} left out`);
    all.push(...results);
  }
  return total(all);
}

function main(dir) {
  const { passed, failed, skipped } = report(dir, console.log);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main(process.argv[2]);
