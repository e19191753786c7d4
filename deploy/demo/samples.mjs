// Invented events as a shop's bot sends them: conversations, their statuses, orders, payments. The n-th
// call of nextEvent() continues the same day, so that numbers on the page make sense together.

import { randomUUID } from 'node:crypto';

const PEOPLE = ['João', 'Conceição', 'Antônia', 'Zé Luís', 'Íris', 'Mônica', 'Açucena', 'Joaquín'];
const TEXTS = [
  'Olá 👋 vocês abrem hoje?',
  'Quero dois pães de queijo e um café ☕',
  'Chegou! Obrigada ❤️',
  'Tem açaí de 500 ml? 🍇',
  'Pode ser no cartão? 💳',
  'Coração partido: veio errado 😢',
  'Família aqui é grande 👨‍👩‍👧‍👦, manda três',
  '¿Hablan español? 🇧🇷',
];
const PRODUCTS = [
  { name: 'Pão de queijo 🧀', price: '6.50' },
  { name: 'Café coado', price: '8.00' },
  { name: 'Açaí 500 ml', price: '22.90' },
  { name: 'Bolo de cenoura com calda', price: '14.75' },
];

const pick = (list, n) => list[n % list.length];
const cents = (price) => Math.round(Number(price) * 100);
const money = (amount) => `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;

function order(n, status) {
  const items = [pick(PRODUCTS, n), pick(PRODUCTS, n + 1)];
  return {
    order_id: `${8000 + Math.floor(n / 4)}`,
    contact_name: pick(PEOPLE, n),
    total: money(items.reduce((sum, item) => sum + cents(item.price), 0)),
    currency: 'BRL',
    status,
  };
}

const message = (n) => ({
  message_id: `m-${n}`,
  conversation_id: `c-${n % 24}`,
  from: `55119999${String(n % 24).padStart(5, '0')}`,
  kind: 'text',
  text: pick(TEXTS, n),
});

// One of these in turn; each is [event, payload of the n-th event].
const TURNS = [
  ['new_message', message],
  ['message_sent', (n) => ({ ...message(n), text: `Oi ${pick(PEOPLE, n)}, já respondo 🙂` })],
  ['message_delivered', (n) => ({ message_id: `m-${n - 1}`, status: 'delivered' })],
  ['message_read', (n) => ({ message_id: `m-${n - 2}`, status: 'read' })],
  ['order_created', (n) => order(n, 'created')],
  ['user_login', (n) => ({ user_id: `u-${n % 40}`, name: pick(PEOPLE, n) })],
  ['button_click', (n) => ({ conversation_id: `c-${n % 24}`, kind: 'button', title: 'Sim, quero! ✅' })],
  ['new_message', message],
  ['payment_received', (n) => ({ payment_id: `pix-${n}`, order_id: order(n).order_id, method: 'pix' })],
  ['order_paid', (n) => order(n, 'paid')],
  ['menu_viewed', (n) => ({ menu: 'Cardápio de hoje 📋', page: (n % 3) + 1 })],
  ['session_status', () => ({ session: 'loja-centro', state: 'connected' })],
];

// An endless day: nextEvent() returns {event, payload, id, source}.
export function day(start = 0) {
  let n = start;
  return function nextEvent() {
    const [event, payload] = pick(TURNS, n);
    return { event, payload: payload(n++), id: randomUUID(), source: 'demo:loja-centro' };
  };
}

// The shim takes it, for nothing is wrong with its form; a dashboard cannot file an order of 1969.
export function faultyOrder() {
  const number = `defeito-${Date.now() % 100000}`;
  return {
    event: 'order_created',
    payload: { order_id: number, total: '10.00', currency: 'BRL', status: 'created' },
    id: randomUUID(),
    source: 'demo:loja-centro',
    occurred_at: '1969-12-31T12:00:00Z',
  };
}
