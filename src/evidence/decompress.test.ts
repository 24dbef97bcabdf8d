import { execFileSync } from 'node:child_process';
import { gunzipSync, gzipSync, constants as zlib } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { BrokenOff, DEFAULT_LIMITS, decompress, type Limits } from './decompress.js';
import type { Codec } from './magic.js';

const LINES = Buffer.from(
  Array.from({ length: 40_000 }, (_, i) => `192.0.2.${i % 250} line ${i * 7919}\n`).join(''),
);

async function* inChunks(bytes: Uint8Array, size = 64 << 10): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Unpacked {
  content: Buffer;
  error: unknown;
}

/** Not by `toEqual`, which takes seconds for a megabyte. */
function expectWhole({ content, error }: Unpacked, expected: Uint8Array): void {
  expect(error).toBeNull();
  expect(content.length).toBe(expected.length);
  expect(content.equals(expected)).toBe(true);
}

/** What comes out, and how it ended. A slow reader is one that streams like to forget things for. */
async function unpack(
  codec: Codec,
  input: AsyncIterable<Uint8Array>,
  limits: Limits = DEFAULT_LIMITS,
  slow = false,
): Promise<Unpacked> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of decompress(codec, input, limits)) {
      parts.push(part);
      if (slow) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return { content: Buffer.concat(parts), error: null };
  } catch (error) {
    return { content: Buffer.concat(parts), error };
  }
}

function whyOf(error: unknown): string {
  expect(error).toBeInstanceOf(BrokenOff);
  return (error as BrokenOff).text.why!;
}

describe('gzip', () => {
  it('reads concatenated members, wherever the chunks end', async () => {
    const bytes = Buffer.concat([gzipSync('one\n'), gzipSync(''), gzipSync(LINES), gzipSync('two\n')]);
    for (const size of [1 << 20, 4096, 777])
      expectWhole(
        await unpack('gzip', inChunks(bytes, size)),
        Buffer.concat([Buffer.from('one\n'), LINES, Buffer.from('two\n')]),
      );
    const small = Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]);
    expect((await unpack('gzip', inChunks(small, 1))).content.toString()).toBe('one\ntwo\n');
  });

  it('passes over zeros behind the end', async () => {
    const bytes = Buffer.concat([gzipSync('one\n'), Buffer.alloc(10_000)]);
    for (const size of [1 << 20, 1000])
      expectWhole(await unpack('gzip', inChunks(bytes, size)), Buffer.from('one\n'));
  });

  it.each([false, true])(
    'keeps all that is readable before a cut, and says where (slow: %s)',
    async (slow) => {
      const bytes = gzipSync(LINES);
      for (const cut of [1, 10, 11, 500, 70_000, bytes.length - 9, bytes.length - 8, bytes.length - 1]) {
        const { content, error } = await unpack(
          'gzip',
          inChunks(bytes.subarray(0, cut)),
          DEFAULT_LIMITS,
          slow,
        );
        const readable =
          cut < 11 ? Buffer.alloc(0) : gunzipSync(bytes.subarray(0, cut), { finishFlush: zlib.Z_SYNC_FLUSH });
        expect(content.equals(readable)).toBe(true);
        expect(whyOf(error)).toBe(`gzip: unexpected end of file after ${readable.length} bytes of content`);
        expect((error as BrokenOff).afterBytes).toBe(readable.length);
      }
    },
  );

  it('says that bytes are damaged, and keeps what stands well before', async () => {
    const bytes = Buffer.concat([gzipSync(LINES), gzipSync(LINES)]);
    bytes.fill(0xff, bytes.length / 2 + 40_000, bytes.length / 2 + 40_100);
    const { content, error } = await unpack('gzip', inChunks(bytes), DEFAULT_LIMITS, true);
    expect(content.subarray(0, LINES.length).equals(LINES)).toBe(true);
    expect(whyOf(error)).toMatch(/^gzip: .+ after \d+ bytes of content$/);
  });

  it('says that text behind the end is no gzip', async () => {
    const bytes = Buffer.concat([gzipSync(LINES), Buffer.from('text')]);
    const { content, error } = await unpack('gzip', inChunks(bytes));
    expect(content.length).toBeGreaterThan(LINES.length - (128 << 10));
    expect(whyOf(error)).toMatch(/^gzip: incorrect header check after/);
  });

  it('gives up a bomb', async () => {
    const zeros = gzipSync(Buffer.alloc(16 << 20));
    async function* endless() {
      for (let i = 0; i < 200; i++) yield zeros;
    }
    let seen = 0;
    const bomb = async () => {
      for await (const part of decompress('gzip', endless())) seen += part.length;
    };
    await expect(bomb()).rejects.toMatchObject({
      text: {
        why: expect.stringMatching(/^given up: it unpacks to more than 400 times its size after \d+ bytes/),
        help: 'if that is right, run again with --max-expand 4000',
      },
    });
    expect(seen).toBeLessThan(300 << 20);
  });

  it('gives up what unpacks without end', async () => {
    const { content, error } = await unpack('gzip', inChunks(gzipSync(LINES)), {
      maxRatio: 400,
      maxBytes: 300_000,
    });
    expect(content.length).toBeLessThanOrEqual(300_000);
    expect(whyOf(error)).toMatch(/^given up: it unpacks without end after/);
  });

  it('takes an expected ratio for no bomb', async () => {
    const zeros = Buffer.alloc(1 << 20);
    expect(
      (await unpack('gzip', inChunks(gzipSync(zeros)), { maxRatio: 2, maxBytes: 2 ** 40 })).error,
    ).toBeNull();
  });
});

it('hands plain bytes through', async () => {
  expectWhole(await unpack('none', inChunks(LINES)), LINES);
});

it('keeps what came before its input failed, and says why', async () => {
  async function* failing() {
    yield* inChunks(gzipSync(LINES).subarray(0, 60_000), 1000);
    throw new Error('EIO: i/o error, read');
  }
  const { content, error } = await unpack('gzip', failing(), DEFAULT_LIMITS, true);
  expect(
    content.equals(gunzipSync(gzipSync(LINES).subarray(0, 60_000), { finishFlush: zlib.Z_SYNC_FLUSH })),
  ).toBe(true);
  expect(whyOf(error)).toMatch(/^gzip: EIO: i\/o error, read after/);
});

it('lets go of its input when the reader has seen enough', async () => {
  let released = false;
  const packed = gzipSync(LINES);
  async function* input() {
    try {
      for (;;) yield packed;
    } finally {
      released = true;
    }
  }
  for await (const _ of decompress('gzip', input())) break;
  expect(released).toBe(true);
});

for (const codec of ['zstd', 'xz', 'bzip2'] as const) {
  const here = installed(codec);
  if (!here)
    console.warn(`NOT TESTED: ${codec} is not installed here, so reading .${codec} files is not tried`);

  describe.skipIf(!here)(codec, () => {
    const pack = (bytes: Uint8Array) => execFileSync(codec, ['-c'], { input: bytes, maxBuffer: 1 << 28 });

    it('reads concatenated members', async () => {
      const bytes = Buffer.concat([pack(Buffer.from('one\n')), pack(LINES)]);
      expectWhole(await unpack(codec, inChunks(bytes)), Buffer.concat([Buffer.from('one\n'), LINES]));
    });

    it('says where it breaks off, and keeps what is whole before', async () => {
      const bytes = Buffer.concat([pack(LINES), pack(LINES)]);
      const { content, error } = await unpack(
        codec,
        inChunks(bytes.subarray(0, bytes.length - 5000)),
        DEFAULT_LIMITS,
        true,
      );
      expect(content.length).toBeGreaterThanOrEqual(LINES.length);
      expect(content.equals(Buffer.concat([LINES, LINES]).subarray(0, content.length))).toBe(true);
      expect(whyOf(error)).toMatch(new RegExp(`^${codec}: \\S.* after ${content.length} bytes of content$`));
    });

    it('says what is wrong with its input', async () => {
      async function* failing() {
        yield* inChunks(pack(LINES).subarray(0, 9000), 1000);
        throw new Error('EIO: i/o error, read');
      }
      expect(whyOf((await unpack(codec, failing())).error)).toMatch(/: EIO: i\/o error, read after/);
    });

    it('ends its program when the reader has seen enough', async () => {
      let released = false;
      const packed = pack(LINES);
      async function* input() {
        try {
          for (;;) yield packed;
        } finally {
          released = true;
        }
      }
      for await (const _ of decompress(codec, input())) break;
      expect(released).toBe(true);
    });
  });

  describe(`${codec}, where the program is missing`, () => {
    const path = process.env.PATH;
    afterEach(() => {
      process.env.PATH = path;
    });

    // Packed with the program, so it must be here; unpacked without it.
    it.skipIf(!installed(codec))('is unpacked in this process', async () => {
      const packed = execFileSync(codec, ['-c'], { input: LINES, maxBuffer: 1 << 26 });
      process.env.PATH = '/nonexistent';
      const { content, error } = await unpack(codec, inChunks(packed));
      expectWhole({ content, error }, LINES);
    });

    it.skipIf(!installed(codec))('and says where it breaks off', async () => {
      const packed = execFileSync(codec, ['-c'], { input: LINES, maxBuffer: 1 << 26 });
      process.env.PATH = '/nonexistent';
      const { error } = await unpack(codec, inChunks(packed.subarray(0, packed.length - 40)));
      expect(error).toBeInstanceOf(BrokenOff);
    });
  });
}

function installed(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore', input: '' });
    return true;
  } catch {
    return false;
  }
}
