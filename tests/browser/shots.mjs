#!/usr/bin/env node
// Takes the README's pictures: the dashboard's page during a demo, in both languages.
//   node tests/browser/shots.mjs      writes docs/img/dashboard.{en,pt}.png

import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Belt, ROOT } from '../../deploy/demo/belt.mjs';
import { Account } from '../../deploy/demo/count.mjs';
import { day } from '../../deploy/demo/samples.mjs';
import { Sender } from '../../deploy/demo/send.mjs';
import { waitFor } from '../support/wait.mjs';

const { chromium } = createRequire(import.meta.url)('playwright-core');
const EVENTS = 480;
const PAGES = [
  ['en', 'en-GB'],
  ['pt', 'pt-BR'],
];

async function fill(sender, account) {
  const next = day();
  for (let sent = 0; sent < EVENTS; sent += 40) await sender.batch(Array.from({ length: 40 }, next));
  sender.trickle(next, { everyMs: 120 });
  const arrived = async () => {
    await account.look();
    return account.sum().delivered >= EVENTS;
  };
  await waitFor('the samples arrive', arrived, { within: 60_000 });
}

async function shoot(browser, belt, [name, locale]) {
  const context = await browser.newContext({
    locale,
    timezoneId: 'America/Sao_Paulo',
    colorScheme: 'light',
    viewport: { width: 1200, height: 800 },
  });
  const page = await context.newPage();
  await page.goto(`${belt.dashboardUrl}/#token=${belt.dashboardToken}`);
  const live = page.locator('#live-text');
  await waitFor('the page is live', async () => /^(Live|Ao vivo)$/.test(await live.innerText()), {
    within: 20_000,
  });
  const file = path.join(ROOT, 'docs/img', `dashboard.${name}.png`);
  await page.screenshot({ path: file });
  await context.close();
  console.log(`${file}: ${fs.statSync(file).size} bytes`);
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-shots-'));
const belt = new Belt(dir);
const executablePath = process.env.ESTEIRA_CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
let sender;
try {
  await belt.prepare();
  await belt.start(() => {});
  sender = new Sender(belt);
  await fill(sender, new Account(belt, sender));
  for (const page of PAGES) await shoot(browser, belt, page);
} finally {
  sender?.stop();
  await browser.close();
  await belt.stop();
  fs.rmSync(dir, { recursive: true, force: true });
}
