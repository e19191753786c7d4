// The READMEs say the same in both languages, and what they tell to type can be typed: shell blocks parse,
// ./run has each verb, JavaScript compiles, JSON is JSON, files and tests that they name exist.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const FILES = ['README.md', 'README.pt-BR.md'];
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const blocks = (text, kind) => [...text.matchAll(/```(\w*)\n([\s\S]*?)```/g)]
  .filter(([, name]) => name === kind)
  .map(([, , body]) => body);
const verbs = execFileSync(path.join(ROOT, 'run'), ['help'], { encoding: 'utf8' });

const exists = (name) => {
  const [dir, pattern] = [path.dirname(name), path.basename(name)];
  if (!pattern.includes('*')) return fs.existsSync(path.join(ROOT, name));
  const suffix = pattern.slice(pattern.indexOf('*') + 1);
  return fs.readdirSync(path.join(ROOT, dir)).some((file) => file.endsWith(suffix));
};

for (const file of FILES) {
  const text = read(file);

  test(`${file}: at most 150 lines`, () => assert.ok(text.split('\n').length <= 151));

  test(`${file}: shell blocks parse`, () => {
    for (const block of blocks(text, 'sh')) execFileSync('bash', ['-n'], { input: block });
  });

  test(`${file}: every ./run verb exists`, () => {
    const used = [...text.matchAll(/\.\/run ([\w-]+)/g)].map(([, verb]) => verb);
    assert.ok(used.length > 4);
    for (const verb of used) assert.match(verbs, new RegExp(`^  ${verb} `, 'm'));
  });

  test(`${file}: programs and commands exist`, () => {
    const commands = read('cli/verbs.def') + read('cli/help.def');
    for (const [, verb] of text.matchAll(/`(?:build\/release\/bin\/)?esteira ([\w-]+)/g)) {
      assert.match(commands, new RegExp(`\\b${verb}\\b`));
    }
  });

  test(`${file}: JavaScript compiles, JSON is JSON`, () => {
    for (const block of blocks(text, 'js')) new vm.Script(block);
    const bodies = [...text.matchAll(/-d '([^']*)'/g)].map(([, body]) => JSON.parse(body));
    assert.ok(bodies.every((body) => body.event && body.payload));
  });

  test(`${file}: what it names is there`, () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link);
    const named = [...text.matchAll(/`(tests\/[^`]+)`/g)].map(([, name]) => name);
    for (const name of [...links, ...named]) assert.ok(exists(name), name);
  });
}

test('both READMEs have the same blocks, headings and tables', () => {
  const [en, pt] = FILES.map(read);
  for (const kind of ['sh', 'js']) assert.deepEqual(blocks(en, kind), blocks(pt, kind));
  const count = (text, pattern) => [...text.matchAll(pattern)].length;
  for (const pattern of [/^## /gm, /^\|/gm]) assert.equal(count(en, pattern), count(pt, pattern));
});

test('the documents name no file that is missing', () => {
  for (const file of ['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'DESIGN.md']) {
    for (const [, link] of read(file).matchAll(/\]\((?!https?:)([^)#]+)/g)) assert.ok(exists(link), link);
  }
});
