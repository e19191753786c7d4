// Sends events as a bot does, with the Node client, and repeats each with its id until it is accepted:
// the rule that makes "503: not promised" harmless.

import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const { sendEventToDashboard, sendBatchEvents } = createRequire(import.meta.url)('../../clients/node');

export class Sender {
  accepted = 0; // answered 202
  waiting = 0; // sent, refused for now, to be repeated
  over = false;

  // address and token go by the environment, as in a bot
  constructor({ url, token }) {
    process.env.ESTEIRA_URL = url;
    process.env.ESTEIRA_TOKEN = token;
  }

  async one(event) {
    const { event: name, payload, id, ...extra } = event;
    await this.untilAccepted([event], () => sendEventToDashboard(name, payload, { id, extra, retries: 1 }));
  }

  async batch(events) {
    await this.untilAccepted(events, (left) => sendBatchEvents(left, { retries: 1, timeout: 10_000 }));
  }

  // Sends what is left with the ids that it had, until nothing is. A refusal that repeating cannot mend is
  // passed on.
  async untilAccepted(events, send) {
    let left = events;
    let refused = 0; // of them, those counted as waiting
    while (left.length > 0 && !this.over) {
      const before = left.length;
      try {
        await send(left);
        left = [];
      } catch (err) {
        if (!err.retryable) throw err;
        if (err.ids) left = left.filter((event) => err.ids.includes(event.id));
        this.waiting += left.length - refused;
        refused = left.length;
        await pause(Math.max(500, Math.min(err.retryAfter ?? 0, 2000)));
      }
      this.accepted += before - left.length;
    }
    this.waiting -= refused;
  }

  // A gentle stream of events on `lanes` connections, until stop().
  trickle(next, { everyMs = 250, lanes = 8 } = {}) {
    let busy = 0;
    const timer = setInterval(() => {
      if (busy >= lanes || this.over) return;
      busy++;
      this.one(next())
        .catch(() => {})
        .finally(() => busy--);
    }, everyMs);
    this.stopTrickle = () => clearInterval(timer);
  }

  stop() {
    this.over = true;
    this.stopTrickle?.();
  }
}
