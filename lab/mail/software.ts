/** Programs of Debian packages that are unpacked, not installed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A folder with the `usr` and `etc` of a mail server's packages, and `packages.txt` (names and versions). They are
 * fetched with apt-get the first time, and kept below node_modules. Throws what apt-get says when that fails.
 */
export function unpacked(name: 'exim' | 'postfix'): string {
  const dir = join(project(), 'node_modules/.cache/culprit-lab', name);
  const { status, stderr } = spawnSync('sh', [join(project(), 'lab/mail/unpack.sh'), dir, name], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`lab: ${name} could not be unpacked: ${stderr.trim()}`);
  return dir;
}

/** The project's folder, from the sources as from what they compile to. */
function project(): string {
  let dir = import.meta.dirname;
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir);
  return dir;
}
