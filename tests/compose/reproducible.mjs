// The image, built a second time from nothing: the same programs and the same packages.

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

export async function reproducible({ stack }) {
  const again = 'esteira:again';
  const build = ['build', '--no-cache', '--network', 'host', '--tag', again, ROOT];
  await stack.exec('docker', build, { timeout: PATIENCE });
  const [first, second] = [await content(stack, 'esteira:local'), await content(stack, again)];
  const different = first.filter((line) => !second.includes(line));
  await stack.docker('image', 'rm', again);
  return verdict(
    { files: first.filter((line) => /^[0-9a-f]{64} /.test(line)).length, lines: first.length, different },
    {
      'both have our programs': first.filter((line) => / bin\/esteira/.test(line)).length === 4,
      'nothing differs': different.length === 0 && first.length === second.length,
    },
  );
}
