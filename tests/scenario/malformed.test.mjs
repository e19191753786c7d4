// Goal: each of some 490 malformed requests gets its clear 4xx, and nothing of any of them is kept: neither
// in Kafka nor at the dashboard.

import assert from 'node:assert/strict';
import net from 'node:net';
import { postEvent, rawRequest, request } from '../support/http.mjs';
import { scenario } from '../support/pipeline.mjs';
import { RAW, REQUESTS, SLOW, TORN } from './malformed/index.mjs';
import { waitFor } from '../support/wait.mjs';

assert.ok(REQUESTS.length + RAW.length + SLOW.length + TORN.length >= 200);

function checkProblem(answer, wanted) {
  assert.ok(
    wanted.status.includes(answer.status),
    `wanted ${wanted.status}, was ${answer.status} ${answer.text}`,
  );
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const { status, title, errors = [] } = answer.json;
  assert.equal(status, answer.status);
  assert.ok(typeof title === 'string' && title !== '');
  const [fault = {}] = errors;
  if (wanted.code)
    assert.ok([wanted.code].flat().includes(fault.code), `code ${wanted.code}: ${answer.text}`);
  if (wanted.pointer !== undefined) assert.equal(fault.pointer, wanted.pointer, answer.text);
  if (wanted.index !== undefined) assert.equal(fault.index, wanted.index, answer.text);
}

// Good events still pass, and are the only ones that arrive.
async function nothingKept(belt) {
  const kept = Object.entries(await belt.counts()).filter(([, n]) => n > 0);
  assert.deepEqual(kept, [], 'records in Kafka');
  const { json } = await postEvent(belt.url, {
    event: 'order_created',
    payload: { order_id: '1' },
  });
  await waitFor('a good event passes', () => belt.sink.seen.has(json.id));
  assert.equal(belt.sink.journal.length, 1);
  assert.ok(belt.shim.running && belt.shim.lives === 1);
}

scenario('bodies', {}, async (belt, t) => {
  for (const {
    name,
    request: { headers, body },
    ...wanted
  } of REQUESTS) {
    await t.test(name, async () =>
      checkProblem(await request(belt.url, 'POST', '/v1/events', { headers, body }), wanted),
    );
  }
  await nothingKept(belt);
});

scenario('bytes on the socket', {}, async (belt, t) => {
  const answers = await Promise.all(
    RAW.map(({ bytes }) => rawRequest(belt.port, bytes, { patience: 1500, until: () => false })),
  );
  for (const [i, { name, status }] of RAW.entries()) {
    await t.test(name, () => {
      const { status: got, answers: n, text } = answers[i];
      assert.ok(status.includes(got), `wanted ${status}, was ${got}: ${text.slice(0, 200)}`);
      assert.equal(n, 1, `one answer: ${text}`);
    });
  }
  await nothingKept(belt);
});

const SHORT = { ESTEIRA_PRODUCER_HEADER_TIMEOUT: '400ms', ESTEIRA_PRODUCER_BODY_TIMEOUT: '400ms' };

scenario('too slow, or torn', { env: SHORT }, async (belt, t) => {
  await Promise.all(
    TORN.map(
      ({ bytes }) =>
        new Promise((resolve) => {
          const socket = net.connect(belt.port, '127.0.0.1', () =>
            socket.write(bytes, () => socket.destroy()),
          );
          socket.on('close', resolve);
          socket.on('error', () => {});
        }),
    ),
  );
  const answers = await Promise.all(
    SLOW.map(({ bytes }) => rawRequest(belt.port, bytes, { patience: 5000, until: () => false })),
  );
  for (const [i, { name, status }] of SLOW.entries()) {
    await t.test(name, () => {
      assert.ok(status.includes(answers[i].status), `wanted ${status}, was ${answers[i].status}`);
      assert.ok(answers[i].closed, 'and the connection is closed');
    });
  }
  await nothingKept(belt);
});
