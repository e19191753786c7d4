// The consumer speaks to the dashboard only if its certificate comes from the authority that it was given:
// with another one everything waits, and with the right one again everything arrives.

import fs from 'node:fs';
import path from 'node:path';
import { promises, verdict } from '../chaos/verdict.mjs';
import { waitFor } from '../support/wait.mjs';

const OTHER = [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
  ...['-subj', '/CN=Somebody else', '-keyout', '/dev/null', '-out'],
];

const recreate = (stack) => stack.compose('up', '-d', '--no-deps', '--force-recreate', 'consumer');

export async function wrong({ stack }) {
  const file = path.join(stack.dir, 'secrets/ca.pem');
  const right = fs.readFileSync(file);
  const before = await stack.shown();
  await stack.exec('openssl', [...OTHER, path.join(stack.dir, 'other.pem')]);
  fs.writeFileSync(file, fs.readFileSync(path.join(stack.dir, 'other.pem')));
  await recreate(stack);
  const load = stack.load({ rate: 100, lanes: 4, events: 'order_update', count: 200 });
  const end = await load.done;
  const refused = await waitFor(
    'the certificate is refused',
    async () => (await stack.compose('logs', '--no-log-prefix', 'consumer')).match(/certificate/i) !== null,
    { within: 30_000, every: 500 },
  );
  const meanwhile = await stack.shown();
  fs.writeFileSync(file, right);
  await recreate(stack);
  const shown = (await stack.waitShown(before + end.accepted)) - before;
  await stack.healthy();
  const topics = await stack.topics();
  const figures = { ...end, ...topics, shown };
  return verdict(figures, {
    ...promises(figures),
    'the reason is told': refused,
    'nothing went to a stranger': meanwhile === before,
    'everything arrives with the right one': shown === end.sent,
  });
}
