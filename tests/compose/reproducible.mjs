// The image, built twice from nothing: the same programs and the same packages.

import { verdict } from '../chaos/verdict.mjs';
import { ROOT } from '../support/paths.mjs';

const PATIENCE = 20 * 60_000; // packages are fetched again and everything is compiled again

// What a person would compare: the sums of our files, and the packages beside them.
async function content(stack, image) {
  const look =
    'cd /usr && find bin/esteira* share/esteira -type f -exec sha256sum {} + | sort -k2;' +
    " dpkg-query -W -f '${Package} ${Version}\\n'";
  const inside = await stack.docker('run', '--rm', '--network', 'none', image, 'sh', '-c', look);
  return inside.trim().split('\n');
}

const files = (lines) => lines.filter((line) => /^[0-9a-f]{64} /.test(line));

async function built(stack, image) {
  const build = ['build', '--no-cache', '--network', 'host', '--tag', image, ROOT];
  await stack.exec('docker', build, { timeout: PATIENCE });
  try {
    return await content(stack, image);
  } finally {
    await stack.docker('image', 'rm', image);
  }
}

// Debian may have newer packages by now than an image of a former day: both are built here.
export async function reproducible({ stack }) {
  const [first, second] = [await built(stack, 'esteira:once'), await built(stack, 'esteira:again')];
  const different = first.filter((line) => !second.includes(line));
  return verdict(
    { files: files(first).length, lines: first.length, different },
    {
      'both have our programs': files(first).filter((line) => / bin\/esteira/.test(line)).length === 4,
      'nothing differs': different.length === 0 && first.length === second.length,
    },
  );
}
