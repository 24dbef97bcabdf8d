import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { CulpritError } from '../errors/culprit-error.js';
import { archiveBroken, cannotRead } from '../errors/evidence.js';
import { BrokenOff, DEFAULT_LIMITS, decompress, type Limits } from './decompress.js';
import { type Codec, codecOf, isTar } from './magic.js';
import { tarMembers } from './tar.js';
import { storedHead, walk } from './walk.js';

export { streamName, vhostFromName } from './names.js';
export { BrokenOff, type Codec, DEFAULT_LIMITS, decompress, type Limits };

const HEAD = 64 << 10;

/** One piece of evidence that holds bytes. */
export interface Piece {
  /** As shown: as the user named it; `sos.tar.xz!/var/log/apache2/access.log` for a member; `-` for the pipe. */
  path: string;
  named: boolean;
  /** As stored, compressed; 0 for the pipe. */
  bytes: number;
  mtimeMs: number | null;
  inode: number | null;
  codec: Codec;
  /** On disk; null for archive members and the pipe. */
  file: string | null;
  /** The archive and the ordinal of the entry in it. */
  member: { archive: string; archiveCodec: Codec; index: number } | null;
  /** First 64 kB of the decompressed content. */
  head: Uint8Array;
}

interface Unreadable {
  path: string;
  named: boolean;
  error: CulpritError;
}

export interface Survey {
  pieces: Piece[];
  unreadable: Unreadable[];
  skipped: { path: string; reason: string }[];
  pipe: AsyncIterable<Uint8Array> | null;
}

/**
 * Where servers keep what culprit reads. Files that rotate are globs: their names change, and what the case is called
 * by must not.
 */
const USUAL_PLACES = [
  '/var/log/apache2',
  '/var/log/httpd',
  '/var/log/nginx',
  '/var/log/caddy',
  '/etc/apache2',
  '/etc/httpd',
  '/etc/nginx',
  '/var/log/exim4',
  '/var/log/exim',
  '/var/log/mail.log*',
  '/var/log/maillog*',
  '/etc/exim4',
  '/etc/exim.conf',
  '/etc/exim/exim.conf',
  '/etc/postfix/main.cf',
  '/etc/postfix/master.cf',
  '/var/log/dpkg.log*',
  '/var/log/apt/history.log*',
];

/** The usual places that exist here, or below another `root`. */
export function usualPlaces(root = ''): string[] {
  return USUAL_PLACES.filter((path) =>
    path.endsWith('*') ? startsAName(`${root}${path.slice(0, -1)}`) : existsSync(`${root}${path}`),
  ).map((path) => `${root}${path}`);
}

/** Whether the folder of a path has an entry whose name begins as the path ends. */
function startsAName(path: string): boolean {
  try {
    return readdirSync(dirname(path)).some((name) => name.startsWith(basename(path)));
  } catch {
    return false;
  }
}

/** Finds everything behind the paths and looks at the beginning of each. Reads nothing else. */
export async function survey(paths: string[], limits: Limits = DEFAULT_LIMITS): Promise<Survey> {
  const found = await walk(paths);
  const result: Survey = { pieces: [], unreadable: found.unreadable, skipped: found.skipped, pipe: null };
  for (const file of found.files) {
    try {
      const stored = await storedHead(file.path, HEAD);
      const codec = codecOf(stored);
      const base = { ...file, codec, file: file.path };
      const head = codec === 'none' ? stored : await first(contentOf(file.path, codec, limits));
      if (isTar(head)) await listMembers(base, limits, result);
      else result.pieces.push({ ...base, member: null, head });
    } catch (error) {
      const wrapped = error instanceof CulpritError ? error : cannotRead(file.path, error);
      result.unreadable.push({ path: file.path, named: file.named, error: wrapped });
    }
  }
  for (const path of found.pipes) {
    try {
      await addPipe(path, limits, result);
    } catch (error) {
      result.unreadable.push({ path, named: true, error: cannotRead(path, error) });
    }
  }
  return result;
}

function contentOf(file: string, codec: Codec, limits: Limits): AsyncIterable<Uint8Array> {
  return decompress(codec, createReadStream(file, { highWaterMark: 256 << 10 }), limits);
}

/** The first bytes of a stream; a break before is no error here, reading will meet it again and say so. */
async function first(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of bytes) {
      parts.push(part);
      size += part.length;
      if (size >= HEAD) break;
    }
  } catch (error) {
    if (!(error instanceof BrokenOff)) throw error;
    if (size === 0) throw error;
  }
  return Buffer.concat(parts).subarray(0, HEAD);
}

async function addPipe(path: string, limits: Limits, result: Survey): Promise<void> {
  const input: Readable = path === '-' ? process.stdin : createReadStream(path);
  const iterator = input[Symbol.asyncIterator]();
  const parts: Buffer[] = [];
  let size = 0;
  while (size < 16) {
    const next = await iterator.next();
    if (next.done) break;
    parts.push(next.value as Buffer);
    size += (next.value as Buffer).length;
  }
  const start = Buffer.concat(parts);
  async function* whole(): AsyncGenerator<Buffer> {
    if (start.length > 0) yield start;
    for (let next = await iterator.next(); !next.done; next = await iterator.next())
      yield next.value as Buffer;
  }
  const codec = codecOf(start);
  const bytes = codec === 'none' ? whole() : decompress(codec, whole(), limits);
  // The head is looked at and handed out again.
  const content = bytes[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let broken: unknown = null;
  for (let n = 0; n < HEAD; ) {
    try {
      const next = await content.next();
      if (next.done) break;
      seen.push(next.value);
      n += next.value.length;
    } catch (error) {
      broken = error;
      break;
    }
  }
  const head = Buffer.concat(seen);
  if (isTar(head)) {
    const error = new CulpritError({
      what: 'an archive cannot be read from a pipe',
      why: 'its members are visited twice',
      at: path,
      help: 'write it to a file first, and name the file',
    });
    result.unreadable.push({ path, named: true, error });
    return;
  }
  result.pipe = (async function* () {
    yield* seen;
    if (broken) throw broken;
    for (let next = await content.next(); !next.done; next = await content.next()) yield next.value;
  })();
  result.pieces.push({
    path,
    named: true,
    bytes: 0,
    mtimeMs: null,
    inode: null,
    codec,
    file: null,
    member: null,
    head: head.subarray(0, HEAD),
  });
}

async function listMembers(
  archive: { path: string; named: boolean; file: string; codec: Codec; mtimeMs: number },
  limits: Limits,
  result: Survey,
): Promise<void> {
  try {
    await eachMember(archive.file, archive.codec, limits, async (index, name, size, bytes) => {
      const path = `${archive.path}!/${name.replace(/^(\.?\/)+/, '')}`;
      try {
        const { codec, content } = await peeled(bytes, limits);
        const head = await first(content);
        if (isTar(head))
          result.skipped.push({ path, reason: 'an archive inside an archive: unpack it first' });
        else
          result.pieces.push({
            path,
            named: false,
            bytes: size,
            mtimeMs: archive.mtimeMs,
            inode: null,
            codec,
            file: null,
            member: { archive: archive.file, archiveCodec: archive.codec, index },
            head,
          });
      } catch (error) {
        const wrapped = error instanceof CulpritError ? error : cannotRead(path, error);
        result.unreadable.push({ path, named: false, error: wrapped });
      }
    });
  } catch (error) {
    const why = error instanceof CulpritError ? new Error(error.text.why, { cause: error }) : error;
    result.unreadable.push({
      path: archive.path,
      named: archive.named,
      error: archiveBroken(archive.path, why),
    });
  }
}

/** The longest magic number. */
const MAGIC = 6;

/** A member's bytes without their own compression. */
async function peeled(bytes: AsyncIterable<Uint8Array>, limits: Limits) {
  const iterator = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  let broken: { error: unknown } | null = null;
  while (head.length < MAGIC && !broken) {
    try {
      const next = await iterator.next();
      if (next.done) break;
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    } catch (error) {
      broken = { error };
    }
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    if (broken) throw broken.error;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  const codec = codecOf(head);
  return { codec, content: codec === 'none' ? whole() : decompress(codec, whole(), limits) };
}

async function eachMember(
  file: string,
  codec: Codec,
  limits: Limits,
  onMember: (index: number, name: string, size: number, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  let index = -1;
  for await (const { name, isFile, size, bytes } of tarMembers(contentOf(file, codec, limits))) {
    index++;
    if (isFile) await onMember(index, name, size, bytes);
  }
}

/** Members of one archive, in order, decompressed; it is read once and the unwanted ones are passed over. */
export async function readMembers(
  piece: { file: string; codec: Codec },
  wanted: ReadonlySet<number>,
  limits: Limits,
  onMember: (index: number, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  await eachMember(piece.file, piece.codec, limits, async (index, _name, _size, bytes) => {
    if (!wanted.has(index)) return;
    await onMember(index, (await peeled(bytes, limits)).content);
  });
}
