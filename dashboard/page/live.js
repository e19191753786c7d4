// The connection to the server: one stream per browser, whatever the number of tabs, since a browser
// opens only six connections to a server over HTTP/1.1. One tab holds the lock and the stream, and
// passes on what it hears. Where a proxy swallows streams, the numbers are asked for instead.

const RETRY_MS = 2000;
const SILENCE_MS = 15000; // three missed signs of life
const POLL_MS = 5000;

/** Splits the bytes of a Server-Sent Events stream into {event, id, data}. */
export function eventReader(onMessage) {
  let text = '';
  return (chunk) => {
    text += chunk;
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      const message = { event: 'message', id: '', data: '' };
      for (const line of text.slice(0, end).split('\n')) {
        const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (field in message) message[field] = value;
      }
      text = text.slice(end + 2);
      if (message.data) onMessage(message);
    }
  };
}

/**
 * connect({ headers(), onMetrics(body), onRows(body), onSign(), onLost(), onRefused() })
 * calls back for as long as the page lives. onSign: anything came, so the line is alive.
 */
export function connect(on) {
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('esteira-live') : null;
  let lastId = '';
  let stopped = false;

  const hear = (message) => {
    on.onSign();
    if (message.event === 'metrics') on.onMetrics(JSON.parse(message.data));
    if (message.event === 'rows') {
      lastId = message.id;
      on.onRows(JSON.parse(message.data));
    }
  };
  const get = (path, options = {}) =>
    fetch(path, { ...options, headers: { ...on.headers(), ...options.headers }, cache: 'no-store' });
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // The present state, by plain requests: what a follower begins with and what polling repeats.
  async function ask() {
    const [metrics, recent] = await Promise.all([get('/api/v1/metrics'), get('/api/v1/recent')]);
    if (metrics.status === 401 || metrics.status === 403) return refused();
    if (!metrics.ok || !recent.ok) throw new Error('not ready');
    on.onSign();
    on.onMetrics(await metrics.json());
    on.onRows({ ...(await recent.json()), more: 0, reset: true });
  }

  function refused() {
    stopped = true;
    on.onRefused();
  }

  // Reads until the stream ends or falls silent. True when it has said anything at all.
  async function listen() {
    const abort = new AbortController();
    let timer = setTimeout(() => abort.abort(), SILENCE_MS);
    let heard = false;
    try {
      const answer = await get('/live', {
        signal: abort.signal,
        headers: lastId ? { 'Last-Event-ID': lastId } : {},
      });
      if (answer.status === 401 || answer.status === 403) return refused();
      if (!answer.ok) return false;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const feed = eventReader((message) => {
        heard = true;
        hear(message);
        channel?.postMessage(message);
      });
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return heard;
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), SILENCE_MS);
        feed(value);
      }
    } catch {
      return heard;
    } finally {
      clearTimeout(timer);
    }
  }

  async function lead() {
    while (!stopped) {
      const heard = await listen();
      if (stopped) return;
      on.onLost();
      if (!heard) await ask().catch(() => {});
      await pause(heard ? RETRY_MS : POLL_MS);
    }
  }

  if (channel) channel.onmessage = ({ data }) => hear(data);
  if (channel && navigator.locks) {
    let leads = false;
    navigator.locks.request('esteira-live', () => ((leads = true), lead())).catch(() => {});
    setTimeout(() => leads || ask().catch(() => on.onLost()), 100);
    addEventListener('visibilitychange', () => {
      if (!document.hidden && !leads && !stopped) ask().catch(() => on.onLost());
    });
  } else {
    lead();
  }
}
