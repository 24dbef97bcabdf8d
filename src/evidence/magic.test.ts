import { deflateRawSync, gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { expect, it } from 'vitest';
import { codecOf, isTar } from './magic.js';

it.each([
  ['gzip', gzipSync('x')],
  ['zstd', Buffer.from('28b52ffd2400', 'hex')],
  ['zstd', Buffer.from('502a4d1804000000', 'hex')],
  ['zstd', Buffer.from('5f2a4d1804000000', 'hex')],
  ['xz', Buffer.from('fd377a585a000004', 'hex')],
  ['bzip2', Buffer.from('425a6839314159265359', 'hex')],
  ['bzip2', Buffer.from('425a683917724538509000000000', 'hex')],
  ['none', deflateRawSync('x')],
  ['none', Buffer.from('BZh9 is how bzip2 begins')],
  ['none', Buffer.from('BZh')],
  ['none', Buffer.from('P*')],
  ['none', Buffer.from([0x1f, 0x8b])],
  ['none', Buffer.from('192.0.2.7 - - [23/Nov/2015:02:24:18 +0000]')],
  ['none', new Uint8Array(0)],
])('knows %s by its first bytes', (codec, head) => {
  expect(codecOf(head)).toBe(codec);
});

it('knows a tar archive, wherever its bytes lie in memory', async () => {
  const pack = tar.pack();
  pack.entry({ name: 'a' }, 'x');
  pack.finalize();
  const parts: Buffer[] = [Buffer.from('before')];
  for await (const chunk of pack) parts.push(chunk as Buffer);
  const archive = Buffer.concat(parts).subarray(6);
  expect(isTar(archive)).toBe(true);
  expect(isTar(archive.subarray(0, 262))).toBe(true);
  expect(isTar(archive.subarray(0, 261))).toBe(false);
  expect(isTar(Buffer.alloc(1024))).toBe(false);
});
