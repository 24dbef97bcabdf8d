import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CulpritError } from '../errors/culprit-error.js';
import { unpackInProcess } from './in-process.js';
import type { Codec } from './magic.js';

/** How far decompression may go: a bomb is given up, out loud. */
export interface Limits {
  /** Output over input, once more than 256 MB came out. Deflate cannot pass 1,032; real logs stay below 300. */
  maxRatio: number;
  maxBytes: number;
}
export const DEFAULT_LIMITS: Limits = { maxRatio: 400, maxBytes: 2 ** 40 };
const RATIO_COUNTS_FROM = 256 << 20;

/** Compressed bytes that end or go wrong before their end. Everything readable was handed out before. */
export class BrokenOff extends CulpritError {
  constructor(
    why: string,
    readonly afterBytes: number,
    help = 'copy the file again; what stands before the break was read',
  ) {
    super({ what: 'breaks off', why: `${why} after ${afterBytes} bytes of content`, help });
    this.name = 'BrokenOff';
  }
}

/**
 * The decompressed bytes of a stream.
 *
 * Errors: BrokenOff, after all that was readable.
 * The programs zstd, xz and bzip2 get their input by a pipe; nothing of the evidence is ever an argument.
 */
export async function* decompress(
  codec: Codec,
  input: AsyncIterable<Uint8Array>,
  limits: Limits = DEFAULT_LIMITS,
): AsyncGenerator<Uint8Array> {
  let stored = 0;
  let content = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of input) {
      stored += chunk.length;
      yield chunk;
    }
  }
  const output =
    codec === 'none' ? counted() : codec === 'gzip' ? gunzip(counted()) : child(codec, counted());
  try {
    for await (const chunk of output) {
      content += chunk.length;
      if (content > RATIO_COUNTS_FROM && codec !== 'none' && content > stored * limits.maxRatio)
        throw new BrokenOff(
          `given up: it unpacks to more than ${limits.maxRatio} times its size`,
          content,
          `if that is right, run again with --max-expand ${limits.maxRatio * 10}`,
        );
      if (content > limits.maxBytes) throw new BrokenOff('given up: it unpacks without end', content);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof CulpritError) throw error;
    throw new BrokenOff(`${codec}: ${error instanceof Error ? error.message : String(error)}`, content);
  }
}

/** Unpacked at once, so that a bomb's output stays small (deflate cannot pass 1,032 times). */
const PIECE = 64 << 10;

/**
 * A stream that fails forgets what nobody has taken yet, so the output is taken as it comes and the input waits.
 * The next piece is unpacked (on another thread) while the reader is busy with the last, and never more than one.
 * At damaged bytes (not at a mere end) zlib itself keeps back its last output buffer, at most `chunkSize`.
 */
async function* gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 256 << 10 });
  let ready: Uint8Array[] = [];
  let failure: Error | null = null;
  let done = false;
  let wake = () => {};
  gunzip.on('data', (chunk: Uint8Array) => ready.push(chunk));
  gunzip.on('error', (error) => {
    failure = error;
    wake();
  });
  gunzip.on('end', () => {
    done = true;
    wake();
  });
  const settled = (start: (finish: () => void) => void) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      start(resolve);
    });
  let unpacking = Promise.resolve();
  let cause: unknown = null;
  try {
    try {
      for await (const chunk of input) {
        for (let at = 0; at < chunk.length; at += PIECE) {
          await unpacking;
          if (failure || done) break;
          const taken = ready;
          ready = [];
          unpacking = settled((finish) => gunzip.write(chunk.subarray(at, at + PIECE), finish));
          yield* taken;
        }
        // What stands behind the last member (padding) says nothing.
        if (failure || done) break;
      }
    } catch (error) {
      // Input that fails: what came before is still being unpacked.
      cause = error;
    }
    await unpacking;
    if (!failure && !done && cause === null) await settled(() => gunzip.end());
    yield* ready;
    if (cause !== null) throw cause;
    if (failure) throw failure;
  } finally {
    gunzip.destroy();
  }
}

/** xz, zstd and bzip2 by their own programs: as fast as they come; without them, in this process. */
async function* child(
  codec: 'xz' | 'zstd' | 'bzip2',
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const args = codec === 'zstd' ? ['-dc', '--long=31'] : ['-dc'];
  const program = spawn(codec, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const started = await new Promise<boolean>((resolve) => {
    program.once('spawn', () => resolve(true));
    program.once('error', () => resolve(false));
  });
  if (!started) {
    yield* unpackInProcess(codec, input);
    return;
  }
  let said = '';
  program.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 2000) said += chunk.toString('latin1');
  });
  const ended = new Promise<Error | null>((resolve) => {
    program.on('close', (status, signal) => {
      const why = said
        .split('\n')[0]!
        .replace(/^\S+: (\(stdin\)|\/\*stdin\*\\?)\s*:?\s*/, '')
        .trim();
      resolve(status === 0 ? null : new Error(why || `ended by ${signal ?? `status ${status}`}`));
    });
  });
  const fed = feed(program.stdin, input);
  try {
    for await (const chunk of program.stdout) yield chunk as Buffer;
    const problem = await ended;
    // Input that went wrong is the cause, the program's complaint its effect.
    const cause = await fed;
    if (cause !== null) throw cause;
    if (problem !== null) throw problem;
  } finally {
    program.stdin.destroy();
    program.kill();
    // Nobody else may read the input while this still does.
    await fed;
  }
}

/** Writes all input to a program; gives back what went wrong with the input itself. */
async function feed(stdin: Writable, input: AsyncIterable<Uint8Array>): Promise<unknown> {
  const closed = new Promise<void>((resolve) => stdin.once('close', resolve));
  // The program may end before it has read everything.
  stdin.on('error', () => {});
  try {
    for await (const chunk of input) {
      if (stdin.destroyed) break;
      if (!stdin.write(chunk)) await Promise.race([new Promise((go) => stdin.once('drain', go)), closed]);
    }
    return null;
  } catch (error) {
    return error;
  } finally {
    stdin.end();
  }
}
