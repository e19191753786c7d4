// Goal: what is too much gets a clear answer: 413 for size, 429 for a token's rate, 401 without a token,
// and nothing of a refused request is kept.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { postEvent, postLines } from '../support/http.mjs';
import { scenario } from '../support/pipeline.mjs';
import { numbered, series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-tokens-'));
const tokens = path.join(dir, 'tokens');
fs.writeFileSync(tokens, 'bot-1 segredo-do-bot-um\nbot-2 segredo-do-bot-dois\n');
process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));

const SMALL = {
  ESTEIRA_PRODUCER_BODY_MAX: '64KiB',
  ESTEIRA_PRODUCER_EVENT_MAX: '8KiB',
  ESTEIRA_PRODUCER_BATCH_MAX: '100',
};
const kept = async (belt) => Object.values(await belt.counts()).reduce((sum, n) => sum + n, 0);

function isProblem(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  assert.equal(answer.json.status, status);
  assert.equal(typeof answer.json.title, 'string');
}

scenario('413: body, event, batch', { env: SMALL, consumers: 0 }, async (belt) => {
  isProblem(await postEvent(belt.url, numbered('s', 1, { texto: 'x'.repeat(70_000) })), 413);
  isProblem(await postEvent(belt.url, numbered('s', 1, { texto: 'x'.repeat(9_000) })), 413);
  const chunked = { headers: { 'transfer-encoding': 'chunked' } };
  isProblem(await postEvent(belt.url, numbered('s', 1, { texto: 'x'.repeat(70_000) }), chunked), 413);
  isProblem(await postLines(belt.url, [...series(101)]), 413);
  assert.equal(await kept(belt), 0);
  assert.equal((await postLines(belt.url, [...series(100)])).status, 202);
  assert.equal(await kept(belt), 100);
});

scenario(
  '429 per token, with Retry-After; the other token goes on',
  {
    env: { ESTEIRA_PRODUCER_TOKENS_FILE: tokens, ESTEIRA_PRODUCER_RATE_LIMIT: '50' },
    consumers: 0,
  },
  async (belt) => {
    const as = (token) => ({ headers: { authorization: `Bearer ${token}` } });
    let accepted = 0;
    const limited = await waitFor('the limit', async () => {
      const answer = await postLines(belt.url, [...series(20)], as('segredo-do-bot-um'));
      if (answer.status === 202) accepted += 20;
      return answer.status !== 202 && answer;
    });
    isProblem(limited, 429);
    assert.ok(Number(limited.headers['retry-after']) >= 1, limited.headers['retry-after']);
    assert.equal((await postLines(belt.url, [...series(20)], as('segredo-do-bot-dois'))).status, 202);
    await waitFor(
      'taken again',
      async () => (await postLines(belt.url, [...series(20)], as('segredo-do-bot-um'))).status === 202,
    );
    assert.equal(await kept(belt), accepted + 40);
  },
);

scenario(
  '401 without a good token',
  { env: { ESTEIRA_PRODUCER_TOKENS_FILE: tokens }, consumers: 0 },
  async (belt) => {
    for (const authorization of [
      undefined,
      'Bearer',
      'Bearer errado',
      'Bearer segredo-do-bot-u',
      'Bearer segredo-do-bot-um2',
      'Basic segredo-do-bot-um',
      'bot-1 segredo-do-bot-um',
    ]) {
      const answer = await postEvent(belt.url, numbered('s', 1), {
        headers: authorization ? { authorization } : {},
      });
      isProblem(answer, 401);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/i);
    }
    assert.equal(await kept(belt), 0);
    assert.equal(
      (
        await postEvent(belt.url, numbered('s', 1), {
          headers: { authorization: 'Bearer segredo-do-bot-dois' },
        })
      ).status,
      202,
    );
    const log = belt.shim.text();
    assert.ok(!/segredo|errado/.test(log), 'no token in the log');
  },
);
