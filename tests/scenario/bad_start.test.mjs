// Goal: a program whose configuration cannot work ends with 78 (EX_CONFIG) at once and says why; what is
// merely away is no reason to end.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Daemon } from '../support/daemon.mjs';
import { ROOT, program } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { waitFor, within } from '../support/wait.mjs';

const CONFIG = 78;
const UNAVAILABLE = 69;
const AWAY = '127.0.0.1:9'; // the discard port: nobody listens

const PRODUCER = { binary: 'esteira-producer', ops: 'ESTEIRA_PRODUCER_OPS_LISTEN' };
const CONSUMER = { binary: 'esteira-consumer', ops: 'ESTEIRA_CONSUMER_OPS_LISTEN' };
const DASHBOARD = { binary: 'esteira-dashboard', ops: 'ESTEIRA_DASHBOARD_LISTEN' };

const ALL = [PRODUCER, CONSUMER, DASHBOARD];
const PIPES = [PRODUCER, CONSUMER]; // the dashboard knows neither types nor Kafka

// Files of the test's folder, named in `env` as @NAME.
const FILES = {
  'tokens.empty': '',
  'tokens.short': 'loja curta\n',
  'tokens.twice': 'a 0123456789abcdef\nb 0123456789abcdef\n',
  'token.empty': '',
  'token.three': 'um\ndois\ntres\n',
  'yaml.broken': 'kafka: [\n',
  'yaml.unknown': 'kafak: {}\n',
  'order.broken': '{"type": "record"',
  'order.other': '{"type":"record","name":"Order","fields":[]}',
};
const schema = (file) => `types:\n  order: {schema: ${file}, events: [order_created]}\n`;

// what | who | its environment, or a configuration file | what the last words name
const wrong = [
  ['a configuration that is not there', ALL, { config: '@no.yaml' }, /no\.yaml/],
  ['a configuration that is no YAML', ALL, { config: '@yaml.broken' }, /E-CONF-SYNTAX/],
  ['an unknown key', ALL, { config: '@yaml.unknown' }, /E-CONF-UNKNOWN/],
  ['a value out of bounds', ALL, { ESTEIRA_PRODUCER_ACK_TIMEOUT: '1us' }, /E-CONF/],
  ['no tokens file', [PRODUCER], { ESTEIRA_PRODUCER_TOKENS_FILE: '@no' }, /\/no: No such file/],
  ['a folder as tokens file', [PRODUCER], { ESTEIRA_PRODUCER_TOKENS_FILE: '@' }, /E-CONF-FILE/],
  ['an empty tokens file', [PRODUCER], { ESTEIRA_PRODUCER_TOKENS_FILE: '@tokens.empty' }, /no token in it/],
  ['a short token', [PRODUCER], { ESTEIRA_PRODUCER_TOKENS_FILE: '@tokens.short' }, /tokens\.short:1/],
  ['a token twice', [PRODUCER], { ESTEIRA_PRODUCER_TOKENS_FILE: '@tokens.twice' }, /tokens\.twice:2/],
  ['open without tokens', [PRODUCER], { ESTEIRA_PRODUCER_LISTEN: '0.0.0.0:1' }, /E-CONF-CONFLICT/],
  ['no address', [PRODUCER], { ESTEIRA_PRODUCER_LISTEN: 'nowhere' }, /E-CONF/],
  ["no dashboard's token file", PIPES, { ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE: '@no' }, /E-CONF-FILE/],
  ['an empty token file', PIPES, { ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE: '@token.empty' }, /empty/],
  ['three lines of token', PIPES, { ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE: '@token.three' }, /line/],
  ['no URL', PIPES, { DASHBOARD_URL: 'dashboard' }, /E-CONF/],
  ['a scheme that we do not speak', PIPES, { DASHBOARD_URL: 'ftp://127.0.0.1/' }, /E-CONF/],
  ['no CA file', [CONSUMER], { ESTEIRA_DESTINATIONS_DASHBOARD_CA_FILE: '@no' }, /E-CONF-FILE/],
  ['a destination of no name', [CONSUMER], { args: ['--destination', 'outro'] }, /outro/],
  ['an unknown Kafka property', PIPES, { config: 'kafka:\n  options: {no.such: 1}\n' }, /no\.such/],
  ['no schema', PIPES, { config: schema('no.avsc') }, /no\.avsc/],
  ['a folder as schema', PIPES, { config: schema('.') }, /E-CONF-FILE/],
  ['a broken schema', PIPES, { config: schema('order.broken') }, /order\.broken/],
  ['a schema of no event', [PRODUCER], { config: schema('order.other') }, /E-SCHEMA/],
  ['no token file', [DASHBOARD], { ESTEIRA_DASHBOARD_TOKEN_FILE: '@no' }, /E-CONF-FILE/],
  ['an empty token file', [DASHBOARD], { ESTEIRA_DASHBOARD_TOKEN_FILE: '@token.empty' }, /empty/],
  ['open without a token', [DASHBOARD], { ESTEIRA_DASHBOARD_LISTEN: '0.0.0.0:1' }, /E-CONF-CONFLICT/],
  ['no such time zone', [DASHBOARD], { ESTEIRA_DASHBOARD_TIMEZONE: 'America/Nenhures' }, /Nenhures/],
];

const away = [
  ['Kafka', PIPES, {}],
  ['the dashboard', PIPES, { DASHBOARD_URL: `http://${AWAY}` }],
  ['a dashboard whose name nobody knows', PIPES, { DASHBOARD_URL: 'http://no-such-host.invalid' }],
  ['the registry', PIPES, { ESTEIRA_SCHEMA_REGISTRY_URL: `http://${AWAY}` }],
];

async function prepare(t, who, { config, args = [], ...env }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-start-'));
  for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(dir, name), text);
  fs.symlinkSync(path.join(ROOT, 'schemas'), path.join(dir, 'schemas')); // those that `config` does not name
  const at = (value) => (value.startsWith('@') ? path.join(dir, value.slice(1)) : value);
  if (config?.includes('\n')) {
    fs.writeFileSync(path.join(dir, 'own.yaml'), config);
    config = '@own.yaml';
  }
  const [ops, ingest] = await freePorts(2);
  const settings = {
    ESTEIRA_KAFKA_BROKERS: AWAY,
    ESTEIRA_PRODUCER_LISTEN: `127.0.0.1:${ingest}`,
    ESTEIRA_DASHBOARD_DATABASE: path.join(dir, 'dashboard.db'),
    [who.ops]: `127.0.0.1:${ops}`,
    ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, at(value)])),
  };
  const daemon = new Daemon({
    name: who.binary,
    file: program(who.binary),
    args: ['-c', at(config ?? path.join(ROOT, 'pipeline.yaml')), ...args],
    ops,
    dir,
    env: { PATH: process.env.PATH, ...settings },
  });
  t.after(async () => {
    await daemon.end();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return daemon;
}

const answers = async (daemon) => (await daemon.get('/healthz').catch(() => null))?.status === 200;

async function ended(daemon) {
  await daemon.start({ ready: false });
  return within(15_000, `${daemon.name} has ended; it said: ${daemon.tail()}`, daemon.exited);
}

for (const [what, who, settings, words] of wrong) {
  for (const one of who) {
    test(`${one.binary}: ${what}`, async (t) => {
      const daemon = await prepare(t, one, settings);
      const { code, signal } = await ended(daemon);
      assert.deepEqual({ code, signal }, { code: CONFIG, signal: null }, daemon.text());
      assert.match(daemon.text(), words);
    });
  }
}

for (const [what, who, settings] of away) {
  for (const one of who) {
    test(`${one.binary}: ${what} is away`, async (t) => {
      const daemon = await prepare(t, one, settings);
      await daemon.start({ ready: false });
      await waitFor(
        () => `it answers; it said: ${daemon.tail()}`,
        async () => {
          assert.ok(daemon.running, `it ended: ${JSON.stringify(daemon.how)} ${daemon.text()}`);
          return answers(daemon);
        },
        { within: 20_000 },
      );
    });
  }
}

// Whoever has the address may leave it: a service manager should try again.
for (const one of ALL) {
  test(`${one.binary}: its address is taken`, async (t) => {
    const first = await prepare(t, one, {});
    await first.start({ ready: false });
    await waitFor('the first one listens', () => answers(first), { within: 20_000 });
    const second = await prepare(t, one, { [one.ops]: `127.0.0.1:${first.ops}` });
    assert.equal((await ended(second)).code, UNAVAILABLE, second.text());
  });
}
