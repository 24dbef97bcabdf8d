import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bzip2, xz, zstd } from '../../test/programs.js';
import { DEFAULT_LIMITS, readMembers, type Survey, survey, usualPlaces } from './evidence.js';

let root: string;
let dir: string;
let n = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'culprit-evidence-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  dir = join(root, String(n++));
  mkdirSync(dir);
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

async function archive(entries: [Partial<tar.Header>, (string | Buffer)?][]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [header, content] of entries) pack.entry(header as tar.Header, content ?? '');
  pack.finalize();
  const parts: Buffer[] = [];
  for await (const chunk of pack) parts.push(chunk as Buffer);
  return Buffer.concat(parts);
}

const short = (path: string) => path.replaceAll(`${dir}/`, '');
const heads = (found: Survey) =>
  Object.fromEntries(found.pieces.map((p) => [short(p.path), Buffer.from(p.head).toString()]));
const errors = (found: Survey) => found.unreadable.map((u) => [short(u.path), u.named, u.error.text.why]);

/** Whole contents of an archive's members, with how each ended. */
async function contents(found: Survey): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  const members = found.pieces.filter((p) => p.member);
  const of = members[0]!.member!;
  const wanted = new Map(members.map((p) => [p.member!.index, short(p.path)]));
  try {
    await readMembers(
      { file: of.archive, codec: of.archiveCodec },
      new Set(wanted.keys()),
      DEFAULT_LIMITS,
      async (index, bytes) => {
        const name = wanted.get(index)!;
        read[name] = '';
        for await (const part of bytes) read[name] += Buffer.from(part).toString();
      },
    );
  } catch (error) {
    read.error = (error as Error).message;
  }
  return read;
}

const LONG = Array.from({ length: 20_000 }, (_, i) => `192.0.2.${i % 250} line ${i * 7919}\n`).join('');

describe('files', () => {
  it('shows the beginning of plain and of compressed content', async () => {
    file('a.log', 'plain\n');
    file('b.log.1', gzipSync('gzip, whatever its name\n'));
    file('c.gz', 'not gzip, whatever its name\n');
    file('empty', '');
    file('long.log', LONG);
    file('long.log.gz', gzipSync(LONG));
    const found = await survey([dir]);
    expect(heads(found)).toEqual({
      'a.log': 'plain\n',
      'b.log.1': 'gzip, whatever its name\n',
      'c.gz': 'not gzip, whatever its name\n',
      empty: '',
      'long.log': LONG.slice(0, 65_536),
      'long.log.gz': LONG.slice(0, 65_536),
    });
    expect(found.pieces.map((p) => p.codec)).toEqual(['none', 'gzip', 'none', 'none', 'none', 'gzip']);
    expect(found.unreadable).toEqual([]);
  });

  it('keeps a cut file whose beginning can be read, and names one that has none', async () => {
    file('cut.gz', gzipSync(LONG).subarray(0, 5000));
    file('stub.gz', gzipSync(LONG).subarray(0, 8));
    const found = await survey([dir]);
    expect(heads(found)['cut.gz']).toBe(LONG.slice(0, heads(found)['cut.gz']!.length));
    expect(heads(found)['cut.gz']!.length).toBeGreaterThan(1000);
    expect(errors(found)).toEqual([
      ['stub.gz', false, 'gzip: unexpected end of file after 0 bytes of content'],
    ]);
  });

  const isRoot = process.getuid?.() === 0;
  if (isRoot) console.warn('NOT TESTED: root may read everything, so a file without permission is not tried');
  it.skipIf(isRoot)('names a file that may not be read, and goes on', async () => {
    file('a.log', 'x');
    chmodSync(file('secret.log', 'x'), 0);
    const found = await survey([dir, join(dir, 'secret.log')]);
    expect(Object.keys(heads(found))).toEqual(['a.log']);
    expect(errors(found)).toEqual([['secret.log', true, 'permission denied']]);
  });

  it('says what is missing', async () => {
    expect(errors(await survey([join(dir, 'none')]))).toEqual([
      ['none', true, 'there is no such file or folder'],
    ]);
  });
});

describe('a FIFO that was named', () => {
  it.each([
    ['plain', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => gzipSync(text)],
  ])('is read once, its beginning too: %s', async (_, packed) => {
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const source = file('source', packed(LONG));
    const writer = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', source, fifo]);
    const found = await survey([fifo]);
    expect(found.pieces).toMatchObject([{ path: fifo, named: true, file: null, member: null }]);
    expect(Buffer.from(found.pieces[0]!.head).toString()).toBe(LONG.slice(0, 65_536));
    const parts: Uint8Array[] = [];
    for await (const part of found.pipe!) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe(LONG);
    writer.kill();
  });

  it('is refused where it holds an archive', async () => {
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const source = file('source', await archive([[{ name: 'a' }, 'x']]));
    const writer = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', source, fifo]);
    expect(errors(await survey([fifo]))).toEqual([['fifo', true, 'its members are visited twice']]);
    writer.kill();
  });
});

describe('archives', () => {
  const ENTRIES: [Partial<tar.Header>, (string | Buffer)?][] = [
    [{ name: 'var/', type: 'directory' }],
    [{ name: './var/log/apache2/access.log' }, LONG],
    [{ name: 'var/log/apache2/access.log.2.gz' }, gzipSync(LONG)],
    [{ name: 'var/log/link', type: 'symlink', linkname: '/etc/passwd' }],
    [{ name: '/var/log/empty' }, ''],
    [{ name: 'x' }, 'x'],
  ];
  const NAMES = ['var/log/apache2/access.log', 'var/log/apache2/access.log.2.gz', 'var/log/empty', 'x'];
  const PACKERS: [string, ((bytes: Buffer) => Buffer) | null][] = [
    ['tar', (bytes) => bytes],
    ['tar.gz', gzipSync],
    ['tar.xz', xz],
    ['tar.zst', zstd],
    ['tar.bz2', bzip2],
  ];

  for (const [ending, packed] of PACKERS) {
    if (!packed) console.warn(`NOT TESTED: the program for .${ending} is not installed here`);
    it.skipIf(!packed)(`shows and reads the members of a .${ending}`, async () => {
      file(`sos.${ending}`, packed!(await archive(ENTRIES)));
      const found = await survey([join(dir, `sos.${ending}`)]);
      const [plain, gz, empty, x] = NAMES.map((name) => `sos.${ending}!/${name}`);
      expect(heads(found)).toEqual({
        [plain!]: LONG.slice(0, 65_536),
        [gz!]: LONG.slice(0, 65_536),
        [empty!]: '',
        [x!]: 'x',
      });
      expect(found.pieces.map((p) => [p.codec, p.file, p.named])).toEqual([
        ['none', null, false],
        ['gzip', null, false],
        ['none', null, false],
        ['none', null, false],
      ]);
      expect([found.unreadable, found.skipped]).toEqual([[], []]);
      expect(await contents(found)).toEqual({ [plain!]: LONG, [gz!]: LONG, [empty!]: '', [x!]: 'x' });
    });
  }

  it.skipIf(!xz)('reads members that need a program', async () => {
    file(
      'a.tar',
      await archive([
        [{ name: 'a.xz' }, xz!(Buffer.from(LONG))],
        [{ name: 'b' }, 'behind'],
      ]),
    );
    const found = await survey([dir]);
    expect(heads(found)).toEqual({ 'a.tar!/a.xz': LONG.slice(0, 65_536), 'a.tar!/b': 'behind' });
    expect(await contents(found)).toEqual({ 'a.tar!/a.xz': LONG, 'a.tar!/b': 'behind' });
  });

  it('reads a cut archive up to the cut, and says so', async () => {
    const bytes = await archive([
      [{ name: 'a' }, 'first\n'],
      [{ name: 'b' }, LONG],
    ]);
    for (const [name, cut] of [
      ['cut.tar', bytes.subarray(0, 200_000)],
      ['cut.tar.gz', gzipSync(bytes).subarray(0, 50_000)],
    ] as const) {
      rmSync(dir, { recursive: true });
      mkdirSync(dir);
      file(name, cut);
      const found = await survey([dir]);
      expect(heads(found)).toEqual({ [`${name}!/a`]: 'first\n', [`${name}!/b`]: LONG.slice(0, 65_536) });
      const [error] = found.unreadable;
      expect(short(error!.path)).toBe(name);
      expect(error!.error.text.what).toBe('this archive breaks off');
      expect(error!.error.text.why).toMatch(/(ends within a member|unexpected end of file) after \d+ bytes/);
      const read = await contents(found);
      expect(read[`${name}!/a`]).toBe('first\n');
      expect(LONG.startsWith(read[`${name}!/b`]!)).toBe(true);
      if (name === 'cut.tar') expect(read[`${name}!/b`]!.length).toBe(200_000 - 512 * 3);
      expect(read.error).toBe('breaks off');
    }
  });

  it('names a member that is damaged, and reads the others', async () => {
    file(
      'a.tar',
      await archive([
        [{ name: 'bad.gz' }, gzipSync(LONG).subarray(0, 9)],
        [{ name: 'good' }, 'good'],
      ]),
    );
    const found = await survey([dir]);
    expect(heads(found)).toEqual({ 'a.tar!/good': 'good' });
    expect(errors(found)).toEqual([
      ['a.tar!/bad.gz', false, 'gzip: unexpected end of file after 0 bytes of content'],
    ]);
  });

  it('leaves an archive inside an archive alone', async () => {
    const inner = await archive([[{ name: 'a' }, 'x']]);
    file(
      'a.tar',
      await archive([
        [{ name: 'in.tar' }, inner],
        [{ name: 'in.tgz' }, gzipSync(inner)],
      ]),
    );
    const found = await survey([dir]);
    expect(found.pieces).toEqual([]);
    expect(found.skipped.map((s) => [short(s.path), s.reason])).toEqual([
      ['a.tar!/in.tar', 'an archive inside an archive: unpack it first'],
      ['a.tar!/in.tgz', 'an archive inside an archive: unpack it first'],
    ]);
  });

  it('never leaves the archive, whatever its members are called', async () => {
    file('secret', 'outside');
    mkdirSync(join(dir, 'in'));
    const name = '../secret';
    file(
      'in/evil.tar',
      await archive([
        [{ name }, 'inside'],
        [{ name: '/../../etc/passwd' }, 'inside too'],
      ]),
    );
    const found = await survey([join(dir, 'in')]);
    expect(heads(found)).toEqual({
      'in/evil.tar!/../secret': 'inside',
      'in/evil.tar!/../../etc/passwd': 'inside too',
    });
    expect(found.pieces.map((p) => p.file)).toEqual([null, null]);
  });
});

describe('the usual places', () => {
  it('are those that exist, by names that stay when logs rotate', async () => {
    expect(usualPlaces(dir)).toEqual([]);
    for (const folder of ['var/log/exim4', 'var/log/apt', 'var/log/nginx', 'etc/postfix'])
      mkdirSync(join(dir, folder), { recursive: true });
    for (const name of [
      'log/exim4/mainlog',
      'log/mail.log.1',
      'log/mail.log.2.gz',
      'log/dpkg.log',
      'log/mail.err',
    ])
      file(`var/${name}`, name);
    file('etc/postfix/main.cf', 'myhostname = mx');
    const before = usualPlaces(dir);
    expect(before.map(short)).toEqual([
      'var/log/nginx',
      'var/log/exim4',
      'var/log/mail.log*',
      'etc/postfix/main.cf',
      'var/log/dpkg.log*',
    ]);
    file('var/log/mail.log', 'new');
    expect(usualPlaces(dir)).toEqual(before);
    const found = await survey(before);
    expect(found.unreadable).toEqual([]);
    expect(Object.keys(heads(found))).toEqual([
      'etc/postfix/main.cf',
      'var/log/dpkg.log',
      'var/log/exim4/mainlog',
      'var/log/mail.log',
      'var/log/mail.log.1',
      'var/log/mail.log.2.gz',
    ]);
  });
});
