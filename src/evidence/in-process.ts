import { PassThrough, Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import unbzip2 from 'unbzip2-stream';
import xz from 'xz-decompress';

/**
 * xz, zstd and bzip2 without their programs, for machines that lack them: several times slower, which is better
 * than asking an administrator to install something in the middle of an incident.
 */
export async function* unpackInProcess(
  codec: 'xz' | 'zstd' | 'bzip2',
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const readable = Readable.from(input, { objectMode: false });
  if (codec === 'bzip2') yield* piped(readable, unbzip2());
  else if (codec === 'xz')
    yield* new xz.XzReadableStream(
      Readable.toWeb(readable) as ReadableStream<Uint8Array>,
    ) as unknown as AsyncIterable<Uint8Array>;
  // Node has its own since 22.15.
  else if ('createZstdDecompress' in zlib)
    yield* piped(readable, (zlib.createZstdDecompress as () => NodeJS.ReadWriteStream)());
  else yield* zstd(readable);
}

/** Old-style streams are no async iterables: what goes out of the one is taken from another. */
async function* piped(from: Readable, through: NodeJS.ReadWriteStream): AsyncGenerator<Uint8Array> {
  const out = new PassThrough();
  from.on('error', (error) => out.destroy(error));
  through.on('error', (error) => out.destroy(error));
  from.pipe(through).pipe(out);
  yield* out as AsyncIterable<Uint8Array>;
}

async function* zstd(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const decompress = new Decompress((chunk) => {
    // The library goes on using its buffer.
    if (chunk.length > 0) ready.push(chunk.slice());
  });
  for await (const chunk of input) {
    decompress.push(chunk);
    yield* ready;
    ready = [];
  }
  decompress.push(new Uint8Array(0), true);
  yield* ready;
}
