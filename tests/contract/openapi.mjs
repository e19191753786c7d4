// Which statuses api/openapi.yaml names for each operation. The file is ours and laid out by two spaces,
// so three patterns read what is needed of it.

import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/paths.mjs';

// Map of "GET /api/v1/status" → Set of statuses.
export function readContract(file = path.join(ROOT, 'api/openapi.yaml')) {
  const operations = new Map();
  let route;
  let statuses;
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    const [, newRoute] = /^  (\/\S*):$/.exec(line) ?? [];
    const [, method] = /^    (get|post|put|delete):$/.exec(line) ?? [];
    const [, status] = /^        '(\d{3})':/.exec(line) ?? [];
    if (line.startsWith('components:')) break;
    if (newRoute) route = newRoute;
    if (method) operations.set(`${method.toUpperCase()} ${route}`, (statuses = new Set()));
    if (status) statuses.add(Number(status));
  }
  return operations;
}
