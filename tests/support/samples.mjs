// Events as bots send them: for order checks, and one of each kind with accents, emoji and extras.

import { randomUUID } from 'node:crypto';

// The n-th event of a stream: an order and its updates share a key, so they stay in order.
export function numbered(stream, n, more = {}) {
  return {
    id: randomUUID(),
    event: 'order_update',
    payload: { order_id: stream, stream, n, ...more },
  };
}

// count numbered events over `streams` streams, round robin.
export function* series(count, { streams = 16, name = 'pedido', more } = {}) {
  for (let i = 0; i < count; i++)
    yield numbered(`${name}-${i % streams}`, Math.floor(i / streams) + 1, more);
}

export const SAMPLES = [
  {
    event: 'new_message',
    payload: {
      message_id: 'wamid.HBgN',
      from: '5511999990000',
      text: 'Olá 👋🏽 João, coração ❤️',
      kind: 'text',
    },
  },
  {
    event: 'message.received',
    payload: { message_id: 'm2', conversation_id: 'c-7', text: '中文 العربية ñ', kind: 'text' },
  },
  { event: 'message_read', payload: { message_id: 'wamid.HBgN', status: 'read' } },
  {
    event: 'order_created',
    payload: {
      order_id: '8841',
      total: 599.9,
      currency: 'BRL',
      status: 'created',
      desconto: { cupom: 'AÇÚCAR' },
    },
  },
  {
    event: 'order_paid',
    payload: { order_id: 9007199254740993n, total: '2399.00', status: 'paid' },
  },
  {
    event: 'payment_received',
    payload: { payment_id: 'pix-1', order_id: '8841', method: 'pix', status: 'paid' },
  },
  { event: 'user_login', payload: { user_id: 'u-1', name: 'Maria José', idade_app: 3 } },
  {
    event: 'bot_connected',
    source: 'evolution:loja-1',
    payload: { session: 'loja-1', state: 'open' },
  },
  {
    event: 'button_click',
    payload: { conversation_id: 'c-7', kind: 'button', choice_id: 'sim', title: 'Sim, quero! ✅' },
  },
  {
    event: 'bot_error',
    payload: { code: 'E42', message: 'falhou ao ler o cardápio 🍕', session: 'loja-1' },
  },
  {
    event: 'cardapio_visto',
    payload: {
      itens: ['açaí', 'pão de queijo'],
      nota: 4.5,
      sim: true,
      nada: null,
      dentro: { a: [1, { b: '🐝' }] },
    },
  },
  {
    event: 'order_update',
    tenant: 'loja-centro',
    source: 'bot-2',
    sequence: 12,
    dedup_id: 'pedido-8841-2',
    occurred_at: '2026-11-24T17:37:21.004Z',
    botVersion: '3.2.1',
    contexto: { fila: 'vendas', tags: ['vip', 'ñ'] },
    payload: { order_id: '8841', status: 'shipped', rastreio: 'BR123456789' },
  },
];
