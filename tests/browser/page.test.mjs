// Goal: the page shows what happens while it happens, to everybody, in both languages and themes, on any
// screen, and loads nothing from anywhere else.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Dashboard } from '../contract/dashboard.mjs';
import { waitFor } from '../support/wait.mjs';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.ESTEIRA_CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
});
after(() => browser?.close());

// A page that fails the test for any error, violation of its policy, or request to elsewhere.
async function open(t, d, { hash = '', allow = /^$/, ...options } = {}) {
  const context = await browser.newContext({ locale: 'pt-BR', viewport: { width: 1280, height: 900 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (m) => m.type() === 'error' && !allow.test(m.text()) && wrong.push(m.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (r) => r.url().startsWith(d.base) || wrong.push(`asked ${r.url()}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective}`));
  });
  await page.goto(`${d.base}/${hash}`);
  page.assertClean = () => assert.deepEqual(wrong, []);
  return page;
}

const text = (page, selector) => page.locator(selector).innerText();
const shows = (page, selector, want, options) =>
  waitFor(`${selector} shows ${want}`, async () => want.test(await text(page, selector).catch(() => '')), options);

let serial = 0;
const event = (name, payload) => ({ id: `t${process.pid}-${serial++}`, event: name, payload });
const sample = () => [
  event('new_message', { from: '5511999990001', message_id: 'a', text: 'Olá 👋' }),
  event('message_sent', { to: '5511999990001', message_id: 'b' }),
  event('message_read', { message_id: 'b' }),
  event('order_created', { order_id: '8841', total: 2399, from: '5511999990001' }),
  event('order_paid', { order_id: '8841' }),
  event('user_login', { user_id: '5511999990002' }),
  event('button_click', { from: '5511999990002', button_id: 'menu' }),
  event('bot_connected', { state: 'open' }),
  event('bot_error', { code: 'E_TIMEOUT' }),
  event('a_very_long_name_of_an_event_that_nobody_knows_and_that_has_to_be_cut_somewhere', {}),
];

test('an empty dashboard says so and how to begin', async (t) => {
  const d = await Dashboard.start(t);
  const page = await open(t, d);
  await shows(page, '#verdict-text', /Ainda não chegou nenhum evento/);
  await shows(page, '#rows-empty', /aparecem aqui/);
  await shows(page, '#live-text', /Ao vivo/);
  page.assertClean();
});

test('numbers move and rows arrive while the page is open', async (t) => {
  const d = await Dashboard.start(t);
  const page = await open(t, d);
  await shows(page, '#live-text', /Ao vivo/);
  await d.batch(sample());
  await shows(page, '.number-sales', /R\$\s*2\.399,00/, { within: 3000 });
  await shows(page, '.number-orders', /1[^]*1 pago/);
  await shows(page, '.number-users', /2[^]*2 novos/);
  await shows(page, '.number-messages', /2[^]*1 recebida/);
  await shows(page, '.number-errors', /1/);
  await shows(page, '#verdict-text', /Os eventos estão chegando/);
  await shows(page, '#types', /Mensagens/);
  assert.equal(await page.locator('#rows .row').count(), 10);
  await d.event(event('order_created', { order_id: '9000', total: '10.50', from: '5511987654321' }));
  await shows(page, '#rows .row:first-child', /Pedido criado[^]*pedido 9000 · R\$\s*10,50 · contato •••• 4321/);
  assert.doesNotMatch(await page.content(), /98765/);
  page.assertClean();
});

test('a flood becomes few rows and one that counts the rest', async (t) => {
  const d = await Dashboard.start(t);
  const page = await open(t, d);
  await shows(page, '#live-text', /Ao vivo/);
  for (let i = 0; i < 20; i++) await d.batch(Array.from({ length: 100 }, () => event('new_message', {})));
  await shows(page, '#types-total', /2\.000 hoje/);
  await shows(page, '#rows', /\+[\d.]+ eventos/);
  assert.ok((await page.locator('#rows .row').count()) <= 20);
  page.assertClean();
});

test('no row moves under the pointer or the focus', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch(sample());
  const page = await open(t, d);
  await shows(page, '#rows .row:first-child', /a_very_long/);
  const ways = [
    [() => page.locator('#rows .row').nth(2).hover(), () => page.mouse.move(5, 5)],
    [() => page.locator('#rows').focus(), () => page.locator('#theme').focus()],
  ];
  for (const [enter, leave] of ways) {
    await enter();
    const rows = await text(page, '#rows');
    await d.event(event('user_created', { user_id: `u${serial}` }));
    await waitFor('the line says so', () => page.locator('#held').isVisible());
    assert.match(await text(page, '#held'), /1 evento novo espera/);
    assert.equal(await text(page, '#rows'), rows);
    await leave();
    await waitFor('the rows are let go', () => page.locator('#held').isHidden());
    await shows(page, '#rows .row:first-child', /Usuário novo/);
    assert.notEqual(await text(page, '#rows'), rows);
  }
  page.assertClean();
});

test('a lost server is said, and the page comes back by itself', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch(sample());
  const page = await open(t, d, { allow: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY/ });
  await shows(page, '#live-text', /Ao vivo/);
  await d.daemon.kill();
  await shows(page, '#live-text', /Reconectando…/);
  await d.daemon.start();
  await d.event(event('user_created', { user_id: 'novo' }));
  await shows(page, '#live-text', /Ao vivo/, { within: 15_000 });
  await shows(page, '#rows .row:first-child', /Usuário novo/);
  page.assertClean();
});

test('ten tabs share one stream and all are live', async (t) => {
  const d = await Dashboard.start(t);
  const first = await open(t, d);
  const pages = [first];
  for (let i = 1; i < 10; i++) {
    const page = await first.context().newPage();
    await page.goto(`${d.base}/`);
    pages.push(page);
  }
  await waitFor('all are live', async () =>
    (await Promise.all(pages.map((page) => text(page, '#live-text')))).every((live) => live === 'Ao vivo'));
  await d.batch(sample());
  for (const page of pages) await shows(page, '#types-total', /10 hoje/);
  assert.match((await d.call('GET', '/metrics')).text, /^esteira_dashboard_live_clients 1$/m);
  await first.close();
  await d.event(event('bot_error', {}));
  for (const page of pages.slice(1)) await shows(page, '#types-total', /11 hoje/);
});

test('the token comes by the link or by the form, and leaves the address', async (t) => {
  const d = await Dashboard.start(t, { token: 'segredo' });
  const linked = await open(t, d, { hash: '#token=segredo' });
  await shows(linked, '#live-text', /Ao vivo/);
  assert.equal(linked.url(), `${d.base}/`);
  await linked.reload();
  await shows(linked, '#live-text', /Ao vivo/);
  linked.assertClean();

  const typed = await open(t, d, { allow: /401/ });
  await shows(typed, '#sign-in', /Cole o token/);
  await typed.locator('#token').fill('errado');
  await typed.keyboard.press('Enter');
  await shows(typed, '#sign-in-error', /não aceitou/);
  await typed.locator('#token').fill('segredo');
  await typed.keyboard.press('Enter');
  await shows(typed, '#live-text', /Ao vivo/);
  typed.assertClean();
});

test('both languages are whole, by the browser or by the button, and kept', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch(sample());
  const page = await open(t, d, { locale: 'en-GB' });
  await shows(page, '#verdict-text', /Events are arriving/);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  const english = await text(page, 'body');
  assert.doesNotMatch(english, /\b(Pedido|Mensagem|Hoje|pago|recebida|Vendas|Erro|Usuário|contato|eventos)/);
  await page.locator('[data-language="pt-BR"]').click();
  await shows(page, '#verdict-text', /Os eventos estão chegando/);
  const portuguese = await text(page, 'body');
  assert.doesNotMatch(portuguese, /\b(Order|Message|Today|paid|received|Sales|Error|User|contact|events|undefined)\b/);
  await page.reload();
  await shows(page, '#verdict-text', /Os eventos estão chegando/);
  page.assertClean();
});

const screens = [320, 360, 768, 1280];
const themes = ['light', 'dark'];

test('it fits every screen, and axe finds nothing, in both themes', async (t) => {
  const d = await Dashboard.start(t, { token: 'segredo' });
  await d.batch(sample());
  const shots = process.env.ESTEIRA_SCREENSHOTS;
  for (const colorScheme of themes)
    for (const width of screens) {
      const viewport = { width, height: 800 };
      const page = await open(t, d, { colorScheme, viewport, allow: /401/ });
      for (const state of ['sign-in', 'board']) {
        if (state === 'board') {
          await page.locator('#token').fill('segredo');
          await page.keyboard.press('Enter');
        }
        await shows(page, `#${state}`, state === 'board' ? /Ao vivo|Pedido/ : /Entrar/);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${state} ${width} ${colorScheme}: ${over} px too wide`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`);
        assert.deepEqual(found, [], `${state} ${width} ${colorScheme}`);
        if (shots) await page.screenshot({ path: path.join(shots, `${state}-${width}-${colorScheme}.png`), fullPage: true });
      }
      page.assertClean();
    }
});

test('the keyboard reaches everything and shows where it is', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch(sample());
  const page = await open(t, d);
  await shows(page, '#live-text', /Ao vivo/);
  const stops = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab');
    stops.push(await page.evaluate(() => {
      const { activeElement: el } = document;
      return [el.id || el.className || el.dataset.language, getComputedStyle(el).outlineStyle];
    }));
  }
  assert.deepEqual(stops.map(([name]) => name), ['skip', 'pt-BR', 'en', 'theme', 'rows']);
  assert.ok(stops.every(([, outline]) => outline !== 'none'), JSON.stringify(stops));
  await page.locator('#theme').press('Enter');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
});

test('who wants no motion gets none', async (t) => {
  const d = await Dashboard.start(t);
  const page = await open(t, d, { reducedMotion: 'reduce' });
  await shows(page, '#live-text', /Ao vivo/);
  await d.event(event('bot_error', {}));
  await shows(page, '#rows', /Erro do bot/);
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});
