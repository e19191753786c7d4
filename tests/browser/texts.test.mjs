// Goal: both languages are complete and equal in shape, and the colours can be read.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/paths.mjs';

const page = (file) => path.join(ROOT, 'dashboard/page', file);
// Node takes a .js file without a package.json for CommonJS; the browser is told that it is a module.
const load = (file) => {
  const text = fs.readFileSync(page(file), 'utf8');
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
};
const { dictionaries, firstLanguage, speaker } = await load('texts.js');
const { formatter } = await load('format.js');
const { eventReader } = await load('live.js');

test('the dictionaries have the same names and places to fill', () => {
  const [pt, en] = [dictionaries['pt-BR'], dictionaries.en];
  assert.deepEqual(Object.keys(pt), Object.keys(en));
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const name of Object.keys(pt)) {
    assert.deepEqual(places(pt[name]), places(en[name]), name);
    assert.ok(pt[name].trim() && en[name].trim(), name);
  }
});

test('no English in the Portuguese, and no mark of haste in either', () => {
  const allowed = new Set(['Token', 'Bot', 'Esteira']);
  for (const [name, text] of Object.entries(dictionaries['pt-BR'])) {
    assert.doesNotMatch(text, /\b(the|and|of|is|new|order|user|message|error|today|paid|read|sent|live)\b/i, name);
    const said = text.replace(/\{\w+\}/g, '');
    if (!allowed.has(text) && /\p{L}{4}/u.test(said)) assert.notEqual(text, dictionaries.en[name], name);
  }
  for (const words of Object.values(dictionaries))
    for (const [name, text] of Object.entries(words)) assert.doesNotMatch(text, /!/, name);
});

test('every name that the page asks for is there', () => {
  const words = dictionaries['pt-BR'];
  const sources = ['app.js', 'rows.js'].map((file) => fs.readFileSync(page(file), 'utf8')).join('\n');
  for (const [, call, name] of sources.matchAll(/words\.(say|count)\('(\w+)'/g))
    assert.ok(call === 'say' ? name in words : `${name}_other` in words, name);
  for (const [, name] of fs.readFileSync(page('index.html'), 'utf8').matchAll(/data-t="(\w+)">([^<]*)/g))
    assert.ok(name in words, name);
});

test('the words of the file itself are the Portuguese ones', () => {
  const html = fs.readFileSync(page('index.html'), 'utf8');
  for (const [, name, text] of html.matchAll(/data-t="(\w+)">([^<]*)/g))
    assert.equal(text, dictionaries['pt-BR'][name]);
});

test('numbers, money and time are written as people write them', () => {
  const cases = [
    ['pt-BR', '1.284', 'R$\u00a048.917,40', '96,1%', 'há 2 minutos', '14:37:21'],
    ['en', '1,284', 'R$48,917.40', '96.1%', '2 minutes ago', '14:37:21'],
  ];
  for (const [language, number, money, percent, ago, clock] of cases) {
    const format = formatter(language, 'America/Sao_Paulo');
    assert.equal(format.number(1284), number);
    assert.equal(format.money('48917.40', 'BRL'), money);
    assert.equal(format.percent(961, 1000).replace(/\s/g, ''), percent);
    assert.equal(format.ago(125_000), ago);
    assert.equal(format.clock(Date.parse('2026-11-24T17:37:21Z')), clock);
  }
  const say = speaker('pt-BR');
  assert.equal(say.count('ordersMore', 1), '1 pago');
  assert.equal(say.count('ordersMore', 2100), '2.100 pagos');
});

test('the first language is the chosen one, the browser’s, or Portuguese', () => {
  assert.equal(firstLanguage('en', ['pt-BR']), 'en');
  assert.equal(firstLanguage(null, ['fr', 'en-GB', 'pt']), 'en');
  assert.equal(firstLanguage(null, ['pt-PT']), 'pt-BR');
  assert.equal(firstLanguage('xx', ['fr']), 'pt-BR');
});

test('a stream is read however it is cut', () => {
  const text = 'retry: 2000\n\nevent: rows\nid: 7\ndata: {"a":1}\n\nevent: metrics\ndata: {}\n\n';
  for (let size = 1; size <= text.length; size++) {
    const got = [];
    const feed = eventReader((message) => got.push(message));
    for (let at = 0; at < text.length; at += size) feed(text.slice(at, at + size));
    assert.deepEqual(got, [
      { event: 'rows', id: '7', data: '{"a":1}' },
      { event: 'metrics', id: '', data: '{}' },
    ]);
  }
});

// WCAG 2.2 §1.4.3 and §1.4.11.
test('texts stand out from their ground by 4.5, graphics by 3, in both themes', () => {
  const css = fs.readFileSync(page('app.css'), 'utf8');
  const tokens = {};
  for (const [, name, light, dark] of css.matchAll(/--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)/g))
    tokens[name] = [light, dark];
  const channel = (hex) => {
    const c = Number.parseInt(hex, 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const light = (hex) =>
    0.2126 * channel(hex.slice(0, 2)) + 0.7152 * channel(hex.slice(2, 4)) + 0.0722 * channel(hex.slice(4));
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const pairs = [
    [4.5, ['text', 'text-2', 'accent', 'err'], ['bg', 'card', 'sunk']],
    [4.5, ['ok', 'warn'], ['bg', 'card']],
    [4.5, ['accent'], ['accent-soft']],
    [4.5, ['on-accent'], ['accent']],
    [3, ['ok'], ['ok-soft']],
    [3, ['warn'], ['warn-soft']],
    [3, ['err'], ['err-soft']],
    [3, ['series-1', 'series-2', 'line-strong'], ['card']],
  ];
  for (const [least, fronts, grounds] of pairs)
    for (const front of fronts)
      for (const ground of grounds)
        for (const theme of [0, 1]) {
          const got = contrast(tokens[front][theme], tokens[ground][theme]);
          assert.ok(got >= least, `${front} on ${ground}, theme ${theme}: ${got.toFixed(2)}`);
        }
});
