// A bot that loses nothing: every event is repeated, with its id, until the shim answers 202. Within a
// stream the next event waits for the one before.

import { request, jsonText } from './http.mjs';
import { pause, waitFor } from './wait.mjs';

export class Publisher {
  constructor(base, { headers = {} } = {}) {
    this.base = base;
    this.headers = headers;
    this.accepted = [];
    this.refused = []; // answers other than 202 and 503, which a test does not expect
    this.repeats = 0;
  }

  // One request with these events, repeated until 202.
  async send(events, { patience = 90_000 } = {}) {
    const body = events.map(jsonText).join('\n');
    const end = performance.now() + patience;
    while (!(await this.try(body))) {
      if (performance.now() > end) throw new Error(`no 202 within ${patience} ms`);
      this.repeats++;
      await pause(50);
    }
    this.accepted.push(...events);
  }

  async try(body) {
    const headers = {
      'content-type': 'application/x-ndjson',
      prefer: 'return=minimal',
      ...this.headers,
    };
    const answer = await request(this.base, 'POST', '/v1/events', {
      headers,
      body,
      timeout: 8000,
    }).catch(() => null);
    if (answer === null || answer.status === 503 || answer.status === 429) return false;
    if (answer.status === 202) return true;
    this.refused.push(answer.status);
    throw new Error(`the shim answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  }

  // Streams side by side, in each of them batches one after the other. `streams`: {name: [event, …]}.
  async sendStreams(streams, { batch = 10, until = () => false } = {}) {
    await Promise.all(
      Object.values(streams).map(async (events) => {
        for (let i = 0; i < events.length && !until(); i += batch)
          await this.send(events.slice(i, i + batch));
      }),
    );
  }

  acceptedCount(n, options) {
    return waitFor(
      () => `${this.accepted.length} of ${n} accepted`,
      () => this.accepted.length >= n,
      options,
    );
  }
}
