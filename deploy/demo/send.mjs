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
    await this.untilAccepted(1, () => sendEventToDashboard(name, payload, { id, extra, retries: 1 }));
  }

  async batch(events) {
    await this.untilAccepted(events.length, () => sendBatchEvents(events, { retries: 1, timeout: 10_000 }));
  }

  // `send` always sends the same ids. A refusal that repeating cannot mend is passed on.
  async untilAccepted(n, send) {
    let counted = false;
    while (!this.over) {
      try {
        await send();
        this.accepted += n;
        break;
      } catch (err) {
        if (!err.retryable) throw err;
        if (!counted) this.waiting += n;
        counted = true;
        await pause(Math.max(500, Math.min(err.retryAfter ?? 0, 2000)));
      }
    }
    if (counted) this.waiting -= n;
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
