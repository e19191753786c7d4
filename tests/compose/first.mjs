// First contact: the belt of docker-compose.yml from nothing to the first event on the page, as the README
// tells it, and away again without a trace.

import https from 'node:https';
import { postEvent } from '../support/http.mjs';
import { round, verdict } from '../chaos/verdict.mjs';
import { waitFor } from '../support/wait.mjs';

const EVENT = { event: 'order_created', payload: { order_id: '8841', total: '599.90' } };

// Status of a post by TLS, or why there is none. ca: whom the certificate must come from.
function postByTls(stack, ca) {
  const headers = { authorization: `Bearer ${stack.tokens[0]}`, 'content-type': 'application/json' };
  const port = stack.env.BOTS_TLS_PORT;
  const options = { host: '127.0.0.1', port, path: '/v1/events', method: 'POST', headers, ca };
  return new Promise((resolve) => {
    const req = https.request(options, (res) => resolve(res.resume().statusCode));
    req.on('error', (err) => resolve(err.code));
    req.end(JSON.stringify(EVENT));
  });
}

// How many processes inside look like that in /proc/PID/stat.
async function processes(stack, pattern) {
  const count = `cat /proc/[0-9]*/stat 2>/dev/null | grep -c '${pattern}' || true`;
  return Number(await stack.compose('exec', '-T', 'shim', 'sh', '-c', count));
}

// Processes that have ended and that process 1 has not taken in, after somebody left orphans inside.
async function zombies(stack) {
  await stack.compose('exec', '-T', 'shim', 'sh', '-c', '(sleep 1 &); (sleep 1 &)');
  await waitFor('the orphans have ended', async () => (await processes(stack, '(sleep) [RSD]')) === 0, {
    within: 20_000,
  });
  return processes(stack, ') Z ');
}

export async function contact({ stack }) {
  const up = await stack.up();
  const bots = `http://127.0.0.1:${stack.env.BOTS_PORT}`;
  const authorization = `Bearer ${stack.tokens[0]}`;
  const plain = await postEvent(bots, EVENT, { headers: { authorization } });
  const foreign = await postEvent(bots, EVENT);
  const tls = await postByTls(stack, stack.secret('ca.pem'));
  const unknown = await postByTls(stack);
  const shown = await stack.waitShown(2, { within: 20_000 });
  const health = await stack.compose('exec', '-T', 'shim', 'esteira', 'health', 'producer', 'kafka');
  const status = await stack.compose('exec', '-T', 'shim', 'esteira', 'status');
  const check = await stack.compose('run', '--rm', '-T', 'esteira', 'check', '--offline', '--quiet');
  const memory = await stack.memory();
  const image = Number(await stack.docker('image', 'inspect', '-f', '{{.Size}}', 'esteira:local'));
  const root = await stack.compose('exec', '-T', 'shim', 'sh', '-c', 'id -u; touch /x || echo refused');
  const orphans = await zombies(stack);
  const left = await stack.down();
  const claims = {
    '202 without TLS, on loopback': plain.status === 202,
    '202 with TLS': tls === 202,
    'a certificate of an unknown authority is refused': unknown !== 202,
    '401 without a token': foreign.status === 401,
    'both are on the page': shown === 2,
    'the command line works inside': health.length > 0 && check !== undefined,
    'the image is smaller than 120 MB': image < 120e6,
    'the sum of status has both': /\b2 /.test(status),
    'an orphan does not stay a zombie': orphans === 0,
    'no root, and nothing can be written': root.trim() === '10001\nrefused',
    'down -v leaves nothing': left === 0,
  };
  return verdict({ up_s: round(up, 1), image_mb: round(image / 1e6, 1), memory, sent: 2, delivered: shown }, claims);
}
