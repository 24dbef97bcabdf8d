import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CulpritError } from '../errors/culprit-error.js';
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
 * Errors: BrokenOff, after all that was readable. A program that is missing is named.
 * The programs zstd, xz and bzip2 get their input by a pipe; nothing of the evidence is ever an argument.
 */
export async function* decompress(
  codec: Codec,
  input: Readable,
  limits: Limits = DEFAULT_LIMITS,
): AsyncGenerator<Uint8Array> {
  let stored = 0;
  let content = 0;
  input.on('data', (chunk: Uint8Array) => {
    stored += chunk.length;
  });
  input.pause();
  const output = codec === 'none' ? input : codec === 'gzip' ? gunzip(input) : child(codec, input);
  try {
    for await (const chunk of output as AsyncIterable<Uint8Array>) {
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
  } finally {
    input.destroy();
  }
}

function gunzip(input: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: 512 << 10 });
  input.on('error', (error) => gunzip.destroy(error));
  return input.pipe(gunzip);
}

/** xz, zstd and bzip2 by their own programs: as fast as they come, and they know every corner of their format. */
async function* child(codec: 'xz' | 'zstd' | 'bzip2', input: Readable): AsyncGenerator<Uint8Array> {
  const args = codec === 'zstd' ? ['-dc', '--long=31'] : ['-dc'];
  const program = spawn(codec, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  program.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 2000) said += chunk.toString('latin1');
  });
  // The program may end before it has read everything.
  program.stdin.on('error', () => {});
  const ended = new Promise<string | null>((resolve) => {
    program.on('error', () =>
      resolve(
        `the program ${codec} is not installed here (apt install ${codec === 'xz' ? 'xz-utils' : codec})`,
      ),
    );
    program.on('close', (status) =>
      resolve(
        status === 0 ? null : said.split('\n')[0]!.replace(/^\S+: (\(stdin\)|\/\*stdin\*\\?)\s*:?\s*/, ''),
      ),
    );
  });
  input.on('error', () => program.kill());
  input.pipe(program.stdin);
  try {
    for await (const chunk of program.stdout) yield chunk as Buffer;
    const problem = await ended;
    if (problem !== null) throw new Error(problem);
  } finally {
    program.kill();
  }
}
