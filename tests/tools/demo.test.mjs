// The demo's pure parts: its language, its sums, its samples, and that both dictionaries say the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumOf } from '../../deploy/demo/count.mjs';
import { day, faultyOrder } from '../../deploy/demo/samples.mjs';
import { TEXTS, language } from '../../deploy/demo/texts.mjs';

const languages = [
  { env: {}, zone: 'Etc/UTC', want: 'en' },
  { env: {}, zone: 'America/Sao_Paulo', want: 'pt' },
  { env: { LANG: 'C.UTF-8' }, zone: 'America/Recife', want: 'pt' },
  { env: { LANG: 'pt_BR.UTF-8' }, zone: 'Etc/UTC', want: 'pt' },
  { env: { LANG: 'en_US.UTF-8' }, zone: 'America/Sao_Paulo', want: 'en' },
  { env: { LANG: 'pt_BR.UTF-8', LC_ALL: 'en_US.UTF-8' }, zone: 'Etc/UTC', want: 'en' },
  { env: { ESTEIRA_LANG: 'pt', LC_ALL: 'en_US.UTF-8' }, zone: 'Etc/UTC', want: 'pt' },
];

for (const { env, zone, want } of languages) {
  test(`language of ${JSON.stringify(env)} in ${zone}`, () => assert.equal(language(env, zone), want));
}

const shape = (value) =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
    : Array.isArray(value)
      ? `list of ${value.length}`
      : `${typeof value}/${value.length === undefined ? '' : typeof value === 'function' ? value.length : ''}`;

test('both languages say the same things', () => assert.deepEqual(shape(TEXTS.pt), shape(TEXTS.en)));

test('sums over label sets', () => {
  const text = '# HELP a b\na{type="x"} 3\na{type="y"} 4\nab 9\nc 1.5e3\n';
  assert.equal(sumOf(text, 'a'), 7);
  assert.equal(sumOf(text, 'a', 'type="y"'), 4);
  assert.equal(sumOf(text, 'c'), 1500);
  assert.equal(sumOf(text, 'none'), 0);
});

test('a day of samples: different ids, several kinds, accents and emoji', () => {
  const next = day();
  const events = Array.from({ length: 120 }, next);
  assert.equal(new Set(events.map((event) => event.id)).size, 120);
  assert.ok(new Set(events.map((event) => event.event)).size >= 10);
  const text = JSON.stringify(events);
  assert.match(text, /ç|ã/);
  assert.match(text, /\p{Extended_Pictographic}/u);
});

test('the faulty order is faulty by its date alone', () => {
  const { occurred_at: at, event, payload } = faultyOrder();
  assert.ok(Date.parse(at) < 0);
  assert.equal(event, 'order_created');
  assert.equal(typeof payload.order_id, 'string');
});
