// Where the project and its programs lie.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const has = (dir) => fs.existsSync(path.join(dir, 'esteira-producer'));

// ESTEIRA_BIN, else the release build, else the dev build.
export const BIN =
  process.env.ESTEIRA_BIN ??
  ['build/release/bin', 'build/dev/bin'].map((dir) => path.join(ROOT, dir)).find(has) ??
  path.join(ROOT, 'build/release/bin');

export const program = (name) => path.join(BIN, name);
