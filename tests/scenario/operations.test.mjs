// Goal: each daemon can be watched: /healthz, /readyz with reasons, the metric names that dashboards of the
// old service use; and no log line tells whose message it was.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { postEvent, request } from '../support/http.mjs';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { waitFor } from '../support/wait.mjs';

const LINE =
  /^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="(\\.|[^"\\])*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|[+-]Inf|NaN)( \d+)?$/;

// Prometheus text 0.0.4: well-formed, each family with its help and type.
async function metrics(daemon) {
  const { status, headers, text } = await daemon.get('/metrics');
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of text.split('\n'))
    assert.ok(line === '' || line.startsWith('# ') || LINE.test(line), line);
  return text;
}

const typeOf = (text, name) => new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(text)?.[1];

scenario('health, readiness and metrics on each ops port', { dashboard: true }, async (belt) => {
  assert.equal(
    (await postEvent(belt.url, { event: 'order_paid', payload: { order_id: '1' } })).status,
    202,
  );
  for (const daemon of belt.daemons) {
    const health = await daemon.get('/healthz');
    assert.deepEqual(
      [health.status, health.text.trim().startsWith('ok') || health.status],
      [200, true],
      daemon.name,
    );
    assert.equal((await daemon.get('/readyz')).status, 200, daemon.name);
    await metrics(daemon);
  }
  const [consumer] = belt.consumers;
  const text = await waitFor('an attempt is counted', async () => {
    const now = await metrics(consumer);
    return /^dashboard_event_send_duration_seconds_count(\{[^}]*\})? [1-9]/m.test(now) && now;
  });
  assert.equal(typeOf(text, 'dashboard_event_send_duration_seconds'), 'histogram');
  assert.equal(typeOf(text, 'dashboard_event_failure_total'), 'counter');
  const shim = await metrics(belt.shim);
  assert.equal(typeOf(shim, 'dashboard_redis_queue_length'), 'gauge');
  assert.match(shim, /^dashboard_redis_queue_length(\{[^}]*\})? 0$/m, 'a value, not only a name');
});

scenario('readyz says why not', { start: false }, async (belt) => {
  for (const daemon of [belt.shim, ...belt.consumers]) {
    daemon.env = { ...daemon.env, ESTEIRA_KAFKA_BROKERS: '127.0.0.1:1' };
    await daemon.start({ ready: false });
    const answer = await waitFor('not ready', async () => {
      const now = await daemon.get('/readyz').catch(() => null);
      return now?.status === 503 && now;
    });
    assert.equal(answer.json.ready, false);
    assert.ok(answer.json.reasons.length > 0 && /kafka/i.test(answer.text), answer.text);
    assert.equal((await daemon.get('/healthz')).status, 200, 'alive all the same');
  }
});

// Exit code, and {daemon: state} of what it says, in the surroundings of one of the daemons: a container.
function health(env, ...args) {
  const ran = spawnSync(program('esteira'), ['--json', 'health', ...args], { env, encoding: 'utf8' });
  const lines = ran.stdout.split('\n').filter(Boolean);
  const states = lines.map((line) => JSON.parse(line)).map(({ daemon, state }) => [daemon, state]);
  return [ran.status, Object.fromEntries(states)];
}

scenario('esteira health asks those that run here', {}, async (belt) => {
  const [consumer] = belt.consumers;
  const env = {
    ...consumer.env,
    ESTEIRA_PRODUCER_OPS_LISTEN: '127.0.0.1:1',
    ESTEIRA_CONSUMER_OPS_LISTEN: `0.0.0.0:${consumer.ops}`,
    ESTEIRA_DASHBOARD_LISTEN: '127.0.0.1:2',
  };
  assert.deepEqual(health(env), [0, { consumer: 'ready' }]);
  assert.deepEqual(health(env, 'consumer'), [0, { consumer: 'ready' }]);
  const [code, states] = health(env, 'consumer', 'producer');
  assert.deepEqual([code, states], [69, { consumer: 'ready', producer: 'away' }]);
  belt.sink.answerWith = () => ({ status: 401, json: { title: 'Unauthorized', status: 401 } });
  await postEvent(belt.url, { event: 'order_paid', payload: { order_id: '1' } });
  await waitFor('the pause', () => health(env, 'consumer')[0] === 1);
  assert.deepEqual(health(env), [1, { consumer: 'not_ready' }]);
  belt.sink.answerWith = null;
  await waitFor('ready again', () => health(env)[0] === 0);
  await consumer.stop();
  assert.deepEqual(health(env), [69, {}]);
  await consumer.start();
});

const PERSON = [
  '5511987654321',
  'Maria Aparecida',
  'maria@example.com.br',
  '123.456.789-09',
  'Rua das Flores 42',
];

scenario(
  'logs and metrics hold no personal data',
  { env: { ESTEIRA_LOG_LEVEL: 'debug' } },
  async (belt) => {
    const [phone, name, mail, cpf, street] = PERSON;
    const payload = {
      from: phone,
      contact: phone,
      name,
      mail,
      cpf,
      endereco: street,
      text: `${name} ${street}`,
    };
    const event = { event: 'new_message', payload, telefone: phone, key: phone };
    belt.sink.refuses = (e) =>
      e.payload.poison
        ? { code: 'E-X', detail: `no ${e.payload.name}`, pointer: '/payload' }
        : null;
    assert.equal((await postEvent(belt.url, event)).status, 202);
    assert.equal(
      (await postEvent(belt.url, { ...event, payload: { ...payload, poison: true } })).status,
      202,
    );
    assert.equal(
      (await postEvent(belt.url, { ...event, payload: { ...payload, text: 7 } })).status,
      400,
    );
    const torn = { headers: { 'content-type': 'application/json' }, body: `{"event":"${name}` };
    assert.equal((await request(belt.url, 'POST', '/v1/events', torn)).status, 400);
    await waitFor('delivered', () => belt.sink.journal.length === 1);
    await waitFor('dead-lettered', async () => (await belt.deadLetters()) === 1, { every: 300 });
    for (const daemon of belt.daemons) {
      const said = daemon.text() + (await metrics(daemon));
      for (const datum of PERSON) assert.ok(!said.includes(datum), `${daemon.name} tells ${datum}`);
      for (const line of daemon.text().split('\n').filter(Boolean)) {
        assert.doesNotThrow(() => JSON.parse(line), `a log line is JSON: ${line}`);
      }
    }
  },
);
