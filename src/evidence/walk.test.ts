import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storedHead, type Walk, walk } from './walk.js';

let root: string;
let dir: string;
let n = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'culprit-walk-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  dir = join(root, String(n++));
  mkdirSync(dir);
});

function file(name: string, content = name): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Paths below the test's own folder. */
const short = (path: string) => path.replaceAll(`${dir}/`, '');
const files = (found: Walk) => found.files.map((f) => short(f.path));
const skipped = (found: Walk) => found.skipped.map((s) => `${short(s.path)}: ${short(s.reason)}`);
const errors = (found: Walk) => found.unreadable.map((u) => [short(u.path), u.named, u.error.text.why]);

describe('files', () => {
  it('finds those that are named, and those in folders, sorted', async () => {
    file('b/two.log');
    file('b/.hidden/three.log');
    file('a.log', '12345');
    const found = await walk([join(dir, 'b'), join(dir, 'a.log')]);
    expect(files(found)).toEqual(['a.log', 'b/.hidden/three.log', 'b/two.log']);
    expect(found.files.map((f) => f.named)).toEqual([true, false, false]);
    expect(found.files[0]).toMatchObject({
      bytes: 5,
      mtimeMs: expect.any(Number),
      inode: expect.any(Number),
    });
    expect([found.unreadable, found.skipped, found.pipes]).toEqual([[], [], []]);
  });

  it('says what is missing', async () => {
    file('a.log');
    symlinkSync('nowhere', join(dir, 'dangling'));
    const found = await walk([join(dir, 'none.log'), dir]);
    expect(files(found)).toEqual(['a.log']);
    expect(errors(found)).toEqual([
      ['none.log', true, 'there is no such file or folder'],
      ['dangling', false, 'there is no such file or folder'],
    ]);
  });

  it('lists one file that has two names once, and says so', async () => {
    const path = file('a.log');
    linkSync(path, join(dir, 'hard.log'));
    symlinkSync('a.log', join(dir, 'soft.log'));
    const found = await walk([dir]);
    expect(files(found)).toEqual(['a.log']);
    expect(skipped(found)).toEqual(['hard.log: the same file as a.log', 'soft.log: the same file as a.log']);
  });

  it('remembers that a file was named, though its folder was met first', async () => {
    const path = file('a.log');
    const found = await walk([dir, path, path]);
    expect(found.files.map((f) => f.named)).toEqual([true]);
    expect(found.skipped).toEqual([]);
  });

  it('follows links to folders, and no circle twice', async () => {
    file('logs/a.log');
    symlinkSync('..', join(dir, 'logs', 'up'));
    symlinkSync('logs', join(dir, 'link'));
    symlinkSync('self', join(dir, 'self'));
    const found = await walk([dir]);
    expect(files(found)).toEqual(['link/a.log']);
    expect(skipped(found)).toEqual([
      `link/up: folder already visited (a link leads back to it)`,
      `logs: folder already visited (a link leads back to it)`,
    ]);
    expect(errors(found)).toEqual([['self', false, 'its symbolic links lead in a circle']]);
  });
});

describe('what is no file', () => {
  it('opens no FIFO that was not named, nor waits for one', async () => {
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    file('a.log');
    const found = await walk([dir]);
    expect(files(found)).toEqual(['a.log']);
    expect(skipped(found)).toEqual(['fifo: neither a file nor a folder']);
    expect(found.pipes).toEqual([]);
  });

  it('takes a FIFO that was named, and the dash', async () => {
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect((await walk([fifo, '-'])).pipes).toEqual([fifo, '-']);
  });

  it('skips devices', async () => {
    expect(skipped(await walk(['/dev/null']))).toEqual(['/dev/null: neither a file nor a folder']);
  });
});

describe('globs', () => {
  it('match files and folders, hidden ones too', async () => {
    for (const name of ['access.log', 'access.log.1', '.access.log.swp', 'error.log', 'access.d/x'])
      file(name);
    expect(files(await walk([join(dir, '*access*')]))).toEqual([
      '.access.log.swp',
      'access.d/x',
      'access.log',
      'access.log.1',
    ]);
    expect(files(await walk([join(dir, '**/{x,error.log}')]))).toEqual(['access.d/x', 'error.log']);
  });

  it('say when they match nothing', async () => {
    expect(errors(await walk([join(dir, '*.nothing')]))).toEqual([
      ['*.nothing', true, 'no file has such a name'],
    ]);
  });

  it('are names where a file is called so', async () => {
    file('a[1].log');
    file('a1.log');
    expect(files(await walk([join(dir, 'a[1].log')]))).toEqual(['a[1].log']);
  });

  it('end in a circle of links', async () => {
    file('logs/a.log');
    symlinkSync('..', join(dir, 'logs', 'up'));
    expect(files(await walk([join(dir, '**/*.log')])).length).toBe(1);
  });
});

const root_ = process.getuid?.() === 0;
if (root_) console.warn('NOT TESTED: root may read everything, so files without permission are not tried');

describe.skipIf(root_)('permission', () => {
  it('says what may not be read, and goes on', async () => {
    file('secret/a.log');
    file('b.log');
    chmodSync(join(dir, 'secret'), 0);
    const found = await walk([dir, join(dir, 'secret/a.log')]);
    chmodSync(join(dir, 'secret'), 0o700);
    expect(files(found)).toEqual(['b.log']);
    expect(errors(found)).toEqual([
      ['secret', false, 'permission denied'],
      ['secret/a.log', true, 'permission denied'],
    ]);
  });
});

it('reads the beginning of a file as it is stored', async () => {
  const path = file('a.log', '0123456789');
  expect(Buffer.from(await storedHead(path, 4)).toString()).toBe('0123');
  expect(Buffer.from(await storedHead(path, 64)).toString()).toBe('0123456789');
  expect((await storedHead(file('empty', ''), 64)).length).toBe(0);
});
