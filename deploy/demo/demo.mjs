// The demo itself; ./run demo calls it when everything is installed and compiled.
//   node deploy/demo/demo.mjs              the belt, sample events, then keys to break it, until q or Ctrl-C
//   node deploy/demo/demo.mjs --once [N]   N events (2000), one line, exit 0 only if none is lost
// State lies in .demo/ of the project; --once works in .demo/once, which a successful run removes.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Belt, ROOT } from './belt.mjs';
import { Account } from './count.mjs';
import { Keys } from './keys.mjs';
import { once } from './once.mjs';
import { PartFailed, lastLines, until } from './part.mjs';
import { day } from './samples.mjs';
import { Screen } from './screen.mjs';
import { Sender } from './send.mjs';
import { TEXTS, language, numberFormat } from './texts.mjs';

const SAMPLES = 300;
const STATE = path.join(ROOT, '.demo');
const VERSION = /VERSION (\d+\.\d+\.\d+)/.exec(fs.readFileSync(path.join(ROOT, 'CMakeLists.txt'), 'utf8'))[1];

const lang = language(process.env, Intl.DateTimeFormat().resolvedOptions().timeZone);
const texts = TEXTS[lang];
const number = numberFormat(lang);
const screen = new Screen();

// --- one demo at a time in this folder -------------------------------------------------------------------

const pidFile = (dir) => path.join(dir, 'demo.pid');

function runsAlready(dir) {
  const pid = fs.existsSync(pidFile(dir)) ? Number(fs.readFileSync(pidFile(dir), 'utf8')) : 0;
  try {
    return pid > 0 && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('deploy/demo/demo.mjs');
  } catch {
    return false;
  }
}

// The belt that this process started and therefore stops.
let claimed;
let playing = false;

function claim(dir) {
  claimed = new Belt(dir);
  fs.writeFileSync(pidFile(dir), `${process.pid}\n`);
  return claimed;
}

// --- what is printed ---------------------------------------------------------------------------------------

// Over ssh the address is of another machine than the browser's.
function sshLine(port) {
  const address = (process.env.SSH_CONNECTION ?? '').split(' ')[2];
  return address && `ssh -L ${port}:127.0.0.1:${port} ${os.userInfo().username}@${address}`;
}

function nextSteps(belt) {
  const event = `{"event":"new_message","payload":{"from":"5511999990000","text":"Olá 👋"}}`;
  return texts.next({
    page: `${belt.dashboardUrl}/#token=${belt.dashboardToken}`,
    ssh: sshLine(belt.ports.dashboard),
    curl:
      `curl -s ${belt.url}/v1/events -H "Authorization: Bearer $(cat .demo/token)" \\\n` +
      `      -H 'Content-Type: application/json' -d '${event}'`,
  });
}

function statusLine({ belt, account, sender }) {
  const { accepted, delivered, dead, waiting } = account.sum();
  const [a, d, q, w, r] = [accepted, delivered, dead, waiting, sender.waiting].map((n) => number.format(n));
  const away = (part) => Math.round((Date.now() - part.since) / 1000);
  if (!belt.kafka.running && belt.kafka.since) {
    return `▲ ${texts.kafkaAway(away(belt.kafka), number.format(account.buffered))}`;
  }
  if (!belt.dashboard.running) return `▲ ${texts.dashboardAway(away(belt.dashboard), a)}`;
  if (!account.dashboardKnown) return `▲ ${texts.uncounted(a)}`;
  const more = sender.waiting > 0 ? texts.repeating(r) : '';
  return `${waiting === 0 && !more ? '✓' : '·'} ${texts.sum(a, d, q, w)}${more}`;
}

// --- the course of a run -----------------------------------------------------------------------------------

async function startBelt(belt, announce) {
  const swept = await belt.sweep();
  if (swept > 0) announce(texts.leftOver(swept));
  await belt.prepare();
  await belt.start((part, seconds) => {
    announce.part(`${texts.parts[part.name]} ✓ ${texts.seconds(number.format(Math.round(seconds * 10) / 10))}`);
  });
}

async function sendSamples(stage) {
  const { sender, account, next } = stage;
  const before = account.sum().delivered;
  for (let sent = 0; sent < SAMPLES; sent += 50) await sender.batch(Array.from({ length: 50 }, next));
  await until(async () => {
    await account.look();
    return account.sum().delivered - before >= SAMPLES;
  }, 60_000);
  const delivered = Math.min(SAMPLES, account.sum().delivered - before);
  const result = texts.sampled(number.format(delivered), number.format(SAMPLES - delivered));
  screen.line(`${texts.sending.padEnd(13)} ${texts.samples(SAMPLES)}  ✓ ${result}`);
}

async function farewell({ belt, account, sender }) {
  sender.stop();
  screen.line(texts.stopping);
  await belt.shim.end();
  await until(async () => {
    await account.look();
    return account.sum().waiting === 0 || !account.dashboardKnown;
  }, 5000);
  const { accepted, delivered, dead, waiting } = account.sum();
  const rests = belt.kafka.running && account.buffered === 0 && account.behind === 0;
  const lost = rests && account.dashboardKnown ? waiting : 0;
  account.keep();
  await belt.stop();
  screen.line(texts.farewell(...[accepted, delivered, dead, lost].map((n) => number.format(n))));
  if (waiting > lost) screen.line(texts.farewellWaiting(number.format(waiting - lost)));
  screen.line(texts.kept);
}

async function perform(belt) {
  screen.line(texts.head(VERSION));
  const announce = (line) => screen.line(line);
  announce.part = screen.stepper(texts.starting);
  await startBelt(belt, announce);
  screen.endStep();
  const sender = new Sender(belt);
  const account = new Account(belt, sender);
  await account.look();
  const stage = { belt, account, sender, next: day(account.delivered) };
  await sendSamples(stage);
  const steps = nextSteps(belt);
  fs.writeFileSync(path.join(belt.dir, 'address.txt'), `${steps.join('\n')}\n`, { mode: 0o600 });
  steps.forEach((line) => screen.line(line));
  await play(stage);
  await farewell(stage);
}

// Until q, Ctrl-C or a signal.
function play(stage) {
  return new Promise((resolve) => {
    playing = true;
    const keys = new Keys({ ...stage, texts, number, say: (line) => screen.timed(line), quit: finish });
    const look = async () => {
      await stage.account.look();
      stage.account.keep();
      if (!keys.over) screen.status(statusLine(stage));
    };
    const timer = setInterval(() => look().catch(() => {}), 1000);
    function finish() {
      playing = false;
      keys.over = true;
      clearInterval(timer);
      screen.close();
      resolve();
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, finish);
    if (screen.interactive) texts.keys.forEach((line) => screen.line(line));
    screen.onKey((key) => keys.press(key));
    stage.sender.trickle(stage.next);
  });
}

// What an earlier --once left goes first: it is to be a fresh belt.
async function headless(n) {
  const dir = path.join(STATE, 'once');
  const old = new Belt(dir);
  await old.sweep();
  await old.kafka.end();
  fs.rmSync(dir, { recursive: true, force: true });
  const belt = claim(dir);
  await startBelt(belt, Object.assign(() => {}, { part: () => {} }));
  const code = await once(belt, n, (line) => console.log(line));
  await belt.stop();
  claimed = undefined;
  if (code === 0) fs.rmSync(belt.dir, { recursive: true, force: true });
  else console.error(texts.onceFailed(belt.dir));
  return code;
}

function explain(err) {
  if (err instanceof PartFailed) {
    console.error(texts.failed(texts.parts[err.part.name], err.part.log));
    lastLines(err.part.log, 10).forEach((line) => console.error(`  ${line}`));
  } else {
    console.error(`esteira demo: ${(err.stderr || err.message).trim()}`);
  }
  console.error(texts.goOn);
}

async function letGo() {
  const belt = claimed;
  claimed = undefined;
  if (!belt) return;
  await belt.stop().catch(() => {});
  fs.rmSync(pidFile(belt.dir), { force: true });
}

// Before the keys work (then play() listens) and in a headless run.
function stopOnSignals() {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
    process.on(signal, async () => {
      if (playing) return;
      await letGo();
      process.exit(code);
    });
  }
}

function alreadyRuns(dir, isOnce) {
  console.log(texts.alreadyRuns);
  if (isOnce) return 75;
  process.stdout.write(fs.readFileSync(path.join(dir, 'address.txt'), 'utf8'));
  return 0;
}

async function main(args) {
  const isOnce = args[0] === '--once';
  const n = Number(args[1] ?? 2000);
  if ((args.length > 0 && !isOnce) || !Number.isInteger(n) || n < 1) {
    console.error('usage: ./run demo [--once [N]]');
    return 64;
  }
  const dir = isOnce ? path.join(STATE, 'once') : STATE;
  if (runsAlready(dir)) return alreadyRuns(dir, isOnce);
  stopOnSignals();
  try {
    return (await (isOnce ? headless(n) : perform(claim(dir)))) ?? 0;
  } catch (err) {
    screen.close();
    explain(err);
    return 1;
  } finally {
    await letGo();
  }
}

process.exitCode = await main(process.argv.slice(2));
process.exit();
