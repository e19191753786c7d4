// Goal: with a signing secret each request proves who sent it, by the Standard Webhooks rules, also while
// the secret is being replaced; the reference dashboard takes nothing else, and nothing is lost by it.
// Trace context reaches the destination.

import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { postEvent, request } from '../support/http.mjs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { numbered, series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

// As a receiver's library does it, from the specification alone.
function sign(secret, { id, timestamp, body }) {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

function secretFile(belt, secrets) {
  const file = path.join(belt.dir, 'signing.secret');
  fs.writeFileSync(`${file}.new`, `${secrets.join('\n')}\n`);
  fs.renameSync(`${file}.new`, file);
  return file;
}

// Starts the belt with that signing secret; `also` are further settings.
async function startSigned(belt, secrets, also = {}) {
  const env = { ESTEIRA_DESTINATIONS_DASHBOARD_SIGNING_SECRET_FILE: secretFile(belt, secrets), ...also };
  for (const daemon of belt.daemons) daemon.env = { ...daemon.env, ...env };
  await Promise.all(belt.daemons.map((daemon) => daemon.start()));
}

const which = ({ headers, body }, secrets) => {
  const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
  const given = headers['webhook-signature'].split(' ');
  assert.equal(`"${id}"`, headers['idempotency-key']);
  assert.ok(Math.abs(Date.now() / 1000 - Number(timestamp)) < 60, timestamp);
  return given.map((text) => secrets.findIndex((s) => sign(s, { id, timestamp, body }) === text));
};

scenario('each request is signed, by two secrets during rotation', { start: false }, async (belt) => {
  const secrets = [newSecret(), newSecret()];
  const signers = [];
  let failures = 4; // each attempt is signed anew
  belt.sink.answerWith = (req) => {
    if (req.method !== 'POST') return null;
    signers.push(which(req, secrets).join());
    return failures-- > 0 ? { status: 503, json: {} } : null;
  };
  await startSigned(belt, [secrets[0]]);
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(300)]);
  await belt.delivered(publisher.accepted);
  assert.deepEqual([...new Set(signers)], ['0']);
  for (const [inForce, want] of [
    [secrets, '0,1'],
    [[secrets[1]], '1'],
  ]) {
    secretFile(belt, inForce);
    await waitFor(`signed by ${want}`, async () => {
      await publisher.send([numbered(`k-${want}`, publisher.accepted.length)]);
      return signers.at(-1) === want;
    });
  }
  secretFile(belt, ['not a secret']);
  await waitFor('it is told', async () => {
    await publisher.send([numbered('k-bad', publisher.accepted.length)]);
    return belt.consumers[0].text().includes('signing_secret_not_read');
  });
  await belt.delivered(publisher.accepted);
  assert.equal(signers.at(-1), '1', 'the old one stays in force');
  for (const secret of secrets)
    assert.ok(!belt.consumers[0].text().includes(secret.slice(6)), 'the log keeps the secret');
});

scenario('the reference dashboard takes what is signed, and nothing else', { dashboard: true, start: false },
  async (belt) => {
    const [right, wrong] = [newSecret(), newSecret()];
    const guard = path.join(belt.dir, 'guard.secret');
    fs.writeFileSync(guard, `${right}\n`);
    await startSigned(belt, [wrong], { ESTEIRA_DASHBOARD_SIGNING_SECRET_FILE: guard });
    const publisher = new Publisher(belt.url);
    await publisher.send([...series(50)]);
    await waitFor('the wrong signature pauses', () => belt.consumers[0].text().includes('destination_paused'));
    assert.equal((await belt.askDashboard('/api/v1/status')).events, 0);
    secretFile(belt, [right]);
    await waitFor('all are there', async () => (await belt.askDashboard('/api/v1/status'))?.events === 50);
    assert.equal(await belt.deadLetters(), 0);

    const event = { id: randomUUID(), event: 'order_paid', payload: { order_id: '7' } };
    const body = JSON.stringify(event);
    const token = fs.readFileSync(belt.tokenFile, 'utf8').trim();
    const post = async (age, secret, sent = body) => {
      const timestamp = String(Math.floor(Date.now() / 1000) - age);
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'webhook-id': event.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': secret ? sign(secret, { id: event.id, timestamp, body }) : '',
      };
      const answer = await request(belt.env.DASHBOARD_URL, 'POST', '/api/v1/events', { body: sent, headers });
      return [answer.status, answer.json?.duplicate];
    };
    assert.deepEqual(await post(0, wrong), [401, undefined]);
    assert.deepEqual(await post(0, null), [401, undefined]);
    assert.deepEqual(await post(310, right), [401, undefined], 'too old');
    assert.deepEqual(await post(0, right, body.replace('"7"', '"8"')), [401, undefined], 'another body');
    assert.deepEqual(await post(0, right), [201, false]);
    assert.deepEqual(await post(0, right), [200, true], 'its own retry is a duplicate, not a crime');
    assert.equal((await belt.askDashboard('/api/v1/status')).events, 51);
  },
);

const traced = (id, more = {}) => ({ id, event: 'order_paid', payload: { order_id: id }, ...more });

scenario('trace context: of the request, or of each event of a batch', {}, async (belt) => {
  const bodies = [];
  belt.sink.answerWith = (req) => {
    if (req.method === 'POST') bodies.push(req);
    return null;
  };
  const send = async (body, headers) => assert.equal((await postEvent(belt.url, body, { headers })).status, 202);
  await send(traced('t-1'), { traceparent: TRACE, tracestate: 'a=1' });
  const single = await waitFor('one by itself', () => bodies.find(({ path: p }) => p === '/api/v1/events'));
  assert.deepEqual([single.headers.traceparent, single.headers.tracestate], [TRACE, 'a=1']);
  assert.equal(JSON.parse(single.body).traceparent, undefined);

  await send([traced('t-2'), traced('t-3'), traced('t-4', { traceparent: 'own' })], { traceparent: TRACE });
  const batch = await waitFor('a batch', () => bodies.find(({ path: p }) => p.endsWith('/batch')));
  const events = JSON.parse(batch.body).events;
  assert.equal(batch.headers.traceparent, undefined, 'a batch has no one parent');
  for (const event of events)
    assert.equal(event.traceparent, event.id === 't-4' ? 'own' : TRACE, JSON.stringify(event));
});
