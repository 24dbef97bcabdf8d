export type Codec = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/**
 * What bytes are compressed with, by magic number and never by name.
 *
 * Source: RFC 1952 section 2.3.1 (gzip), RFC 8878 section 3.1.1 (zstd, and its skippable frames), the xz file
 *         format 2.1.1.1, the bzip2 format ("BZh" and the block size).
 */
export function codecOf(head: Uint8Array): Codec {
  const at = (...bytes: number[]) => bytes.every((b, i) => head[i] === b);
  if (at(0x1f, 0x8b, 0x08)) return 'gzip';
  if (at(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (head[0]! >= 0x50 && head[0]! <= 0x5f && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18)
    return 'zstd';
  if (at(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  // Behind the block size: a block (0x314159…), or the end of an empty file (0x177245…).
  if (at(0x42, 0x5a, 0x68) && head[3]! >= 0x31 && head[3]! <= 0x39 && (head[4] === 0x31 || head[4] === 0x17))
    return 'bzip2';
  return 'none';
}

/** POSIX ustar and GNU tar carry "ustar" at 257. */
export function isTar(head: Uint8Array): boolean {
  return (
    head.length >= 262 && Buffer.from(head.buffer, head.byteOffset + 257, 5).toString('latin1') === 'ustar'
  );
}
