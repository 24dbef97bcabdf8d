import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import tar from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { BrokenOff } from './decompress.js';
import { tarMembers } from './tar.js';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Read {
  name: string;
  content: string;
}

async function read(bytes: Uint8Array, size = 1000): Promise<{ members: Read[]; error: unknown }> {
  const members: Read[] = [];
  try {
    for await (const member of tarMembers(inChunks(bytes, size))) {
      if (!member.isFile) continue;
      const one = { name: member.name, content: '' };
      members.push(one);
      for await (const part of member.bytes) {
        one.content += Buffer.from(part).toString('latin1');
        // A slow reader.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return { members, error: null };
  } catch (error) {
    return { members, error };
  }
}

async function pack(entries: [Partial<tar.Header>, string?][]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [header, content] of entries) pack.entry(header as tar.Header, content ?? '');
  pack.finalize();
  const parts: Buffer[] = [];
  for await (const chunk of pack) parts.push(chunk as Buffer);
  return Buffer.concat(parts);
}

describe('tar', () => {
  const long = `${'d'.repeat(90)}/${'é'.repeat(80)}/access.log`;

  it.each(['gnu', 'pax', 'ustar', 'posix'])('reads what GNU tar writes as %s', async (format) => {
    const dir = mkdtempSync(join(tmpdir(), 'culprit-tar-'));
    const name = format === 'ustar' ? `${'d'.repeat(90)}/access.log` : long;
    try {
      mkdirSync(join(dir, name, '..'), { recursive: true });
      writeFileSync(join(dir, name), 'long\n'.repeat(1000));
      writeFileSync(join(dir, 'empty'), '');
      symlinkSync('empty', join(dir, 'link'));
      const bytes = execFileSync('tar', [`--format=${format}`, '-C', dir, '-c', '.'], { maxBuffer: 1 << 26 });
      const { members, error } = await read(bytes);
      expect(error).toBeNull();
      expect(members.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
        { name: `./${name}`, content: 'long\n'.repeat(1000) },
        { name: './empty', content: '' },
      ]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('reads any members in any chunks, and what a reader leaves is passed over', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.stringMatching(/^[a-zé/.]{1,120}$/),
            fc.string({ unit: 'binary-ascii', maxLength: 1200 }),
          ),
          {
            maxLength: 5,
          },
        ),
        fc.integer({ min: 1, max: 1500 }),
        async (entries, size) => {
          const files = entries.filter(([name]) => !name.endsWith('/'));
          const bytes = await pack(files.map(([name, content]) => [{ name }, content]));
          const { members, error } = await read(bytes, size);
          expect(error).toBeNull();
          expect(members.map((m) => m.content)).toEqual(files.map(([, content]) => content));
          const sizes: number[] = [];
          for await (const member of tarMembers(inChunks(bytes, size))) {
            sizes.push(member.size);
            for await (const _ of member.bytes) break;
          }
          expect(sizes).toEqual(files.map(([, content]) => content.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('hands out every byte before a cut, and says where it is', async () => {
    const bytes = await pack([
      [{ name: 'a.log' }, 'a'.repeat(3000)],
      [{ name: long }, 'b'.repeat(3000)],
    ]);
    for (let cut = 1; cut < bytes.length - 1024; cut += 97) {
      const { members, error } = await read(bytes.subarray(0, cut));
      expect(members.map((m) => m.content.length).reduce((sum, n) => sum + n, 0)).toBe(
        Math.min(3000, Math.max(0, cut - 512)) +
          Math.max(0, Math.min(3000, cut - (bytes.length - 1024 - 3072))),
      );
      // A cut between two members looks like an end without its mark; one in the padding takes nothing away.
      if (error)
        expect((error as BrokenOff).text.why).toMatch(/^tar: it ends within a (member|header) after \d+/);
      else expect(members.every((m) => m.content.length === 3000)).toBe(true);
    }
  });

  it('says so where no header is', async () => {
    const bytes = await pack([[{ name: 'a.log' }, 'a'.repeat(600)]]);
    bytes[0]! ^= 1;
    const { error } = await read(bytes);
    expect(error).toBeInstanceOf(BrokenOff);
    expect((error as BrokenOff).text.why).toBe(
      'tar: no header where one should be after 512 bytes of content',
    );
  });

  it('gives the error of a source that fails to each who asks', async () => {
    const bytes = await pack([[{ name: 'a.log' }, 'a'.repeat(3000)]]);
    const failure = new Error('EIO');
    async function* failing() {
      yield* inChunks(bytes.subarray(0, 1512), 100);
      throw failure;
    }
    let seen = 0;
    const all = async () => {
      for await (const member of tarMembers(failing())) {
        const content = async () => {
          for await (const part of member.bytes) seen += part.length;
        };
        await expect(content()).rejects.toBe(failure);
      }
    };
    await expect(all()).rejects.toBe(failure);
    expect(seen).toBe(1000);
  });

  it('throws nothing but BrokenOff, whatever the bytes are', async () => {
    const good = await pack([
      [{ name: long }, 'x'.repeat(700)],
      [{ name: 'b', type: 'symlink', linkname: long }],
      [{ name: 'c' }, 'y'],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        async (changes) => {
          const bytes = Buffer.from(good);
          for (const [at, value] of changes) bytes[at] = value;
          // The checksum is made to fit again, so that what it guards is tried.
          for (let at = 0; at + 512 <= bytes.length; at += 512) {
            if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
            bytes.write('        ', at + 148, 'latin1');
            const sum = bytes.subarray(at, at + 512).reduce((total, b) => total + b, 0);
            bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
          }
          const { error } = await read(bytes);
          if (error) expect(error).toBeInstanceOf(BrokenOff);
        },
      ),
      { numRuns: 100 },
    );
  });
});
