import { BrokenOff } from './decompress.js';

/** One entry of an archive. Its bytes are to be read, or not, before the next entry is asked for. */
export interface TarMember {
  name: string;
  /** A regular file; links, folders, devices and sparse files are none. */
  isFile: boolean;
  size: number;
  bytes: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
/** Names and extended headers are short; a bound for hostile archives. */
const LONGEST_HEADER = 1 << 20;

/**
 * The members of a tar archive, in order, while it streams by. Nothing is read ahead, so that where the archive
 * breaks off, every byte before the break has been handed out.
 *
 * Errors: BrokenOff, from the member that is cut and then from here.
 * Source: POSIX.1-2017 pax(1), "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
 *         Format" (names of type L, numbers in base 256).
 */
export async function* tarMembers(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const cursor = new Cursor(source);
  let longName: string | null = null;
  let pax = new Map<string, string>();
  try {
    for (;;) {
      const header = await cursor.block();
      // Two blocks of zeros end an archive; some writers leave them out.
      if (!header || header.every((b) => b === 0)) return;
      if (!checksumFits(header)) throw cursor.broken('tar: no header where one should be');
      const type = String.fromCharCode(header[156]!);
      const size = Number(pax.get('size') ?? numberAt(header, 124, 12));
      if (!Number.isSafeInteger(size) || size < 0) throw cursor.broken('tar: a member without a size');
      if (type === 'L' || type === 'x') {
        const value = await cursor.text(size);
        if (type === 'L') longName = value.replace(/\0.*$/s, '');
        else pax = paxRecords(value);
        continue;
      }
      const part = new Part(cursor, size);
      const isFile = (type === '0' || type === '\0' || type === '7') && !pax.has('GNU.sparse.major');
      if (type !== 'g' && type !== 'K')
        yield { name: pax.get('path') ?? longName ?? ustarName(header), isFile, size, bytes: part.bytes() };
      for await (const _ of part.bytes());
      await cursor.skip((BLOCK - (size % BLOCK)) % BLOCK);
      if (type !== 'g' && type !== 'K') {
        longName = null;
        pax = new Map();
      }
    }
  } finally {
    await cursor.close();
  }
}

/** A member's bytes: what one reader leaves, the next one gets. */
class Part {
  constructor(
    private readonly cursor: Cursor,
    private left: number,
  ) {}

  async *bytes(): AsyncGenerator<Uint8Array> {
    while (this.left > 0) {
      const some = await this.cursor.some(this.left);
      if (!some) throw this.cursor.broken('tar: it ends within a member');
      this.left -= some.length;
      yield some;
    }
  }
}

/** The archive's bytes, from front to back. */
class Cursor {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);
  private taken = 0;
  private failure: { error: unknown } | null = null;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.iterator = source[Symbol.asyncIterator]();
  }

  broken(why: string): BrokenOff {
    return new BrokenOff(why, this.taken);
  }

  /** Up to `most` bytes; null at the end. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.rest.length === 0) {
      // A stream that failed would only say that it has ended.
      if (this.failure) throw this.failure.error;
      try {
        const next = await this.iterator.next();
        if (next.done) return null;
        this.rest = next.value;
      } catch (error) {
        this.failure = { error };
        throw error;
      }
    }
    const some = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(some.length);
    this.taken += some.length;
    return some;
  }

  async block(): Promise<Uint8Array | null> {
    const start = await this.some(BLOCK);
    if (!start || start.length === BLOCK) return start;
    const block = new Uint8Array(BLOCK);
    block.set(start);
    for (let n = start.length; n < BLOCK; ) {
      const some = await this.some(BLOCK - n);
      if (!some) throw this.broken('tar: it ends within a header');
      block.set(some, n);
      n += some.length;
    }
    return block;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const some = await this.some(left);
      // The last member's padding may be missing.
      if (!some) return;
      left -= some.length;
    }
  }

  /** A header's content as text, with its padding taken away. */
  async text(size: number): Promise<string> {
    if (size > LONGEST_HEADER) throw this.broken('tar: a name of more than 1 MB');
    const parts: Uint8Array[] = [];
    for (let left = size; left > 0; ) {
      const some = await this.some(left);
      if (!some) throw this.broken('tar: it ends within a header');
      parts.push(some);
      left -= some.length;
    }
    await this.skip((BLOCK - (size % BLOCK)) % BLOCK);
    return Buffer.concat(parts).toString('utf8');
  }

  async close(): Promise<void> {
    await this.iterator.return?.();
  }
}

function textAt(header: Uint8Array, at: number, length: number): string {
  const field = Buffer.from(header.subarray(at, at + length));
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString('utf8');
}

/** Octal digits, or GNU's base 256, marked by the first bit. */
function numberAt(header: Uint8Array, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0)
    return header.subarray(at + 1, at + length).reduce((value, b) => value * 256 + b, header[at]! & 0x7f);
  const digits = textAt(header, at, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksumFits(header: Uint8Array): boolean {
  const sum = header.reduce((total, b, i) => total + (i >= 148 && i < 156 ? 32 : b), 0);
  return numberAt(header, 148, 8) === sum;
}

/** POSIX has a prefix where GNU ("ustar" and two spaces) has times. */
function ustarName(header: Uint8Array): string {
  const name = textAt(header, 0, 100);
  const prefix = header[263] === 0x30 ? textAt(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `27 path=var/log/access.log\n`: the length counts itself. Lengths are of bytes. */
function paxRecords(text: string): Map<string, string> {
  const records = new Map<string, string>();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 12), 10);
    if (!(length > 0)) break;
    const [, key, value] = /^\d+ ([^=]+)=(.*)\n$/s.exec(bytes.toString('utf8', at, at + length)) ?? [];
    if (key !== undefined) records.set(key, value!);
    at += length;
  }
  return records;
}
