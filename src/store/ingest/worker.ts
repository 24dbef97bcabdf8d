import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BrokenOff, decompress } from '../../evidence/evidence.js';
import type { Batch, BulkReader } from '../../formats/bulk.js';
import { readerOf } from '../../formats/formats.js';
import { READ_BUFFER } from '../../formats/line-feed.js';
import { lineKernel } from '../../formats/line-kernel.js';
import { agrees, CheckpointTap } from './identity.js';
import type { Checkpoint, Done, FromWorker, Job, ToWorker } from './protocol.js';

/**
 * A reading thread: bytes in, batches of columns out. It reads ahead of the store by a few batches only, so
 * memory is bounded whatever the input's size.
 */
const READ = 1 << 20;
const MOST_AHEAD = 6;

const port = parentPort!;
const seeds = workerData as [number, number];

let ahead = 0;
let goOn: (() => void) | null = null;
let fedMore: (() => void) | null = null;
/** Of a fed job: what waits to be read, in order. */
const fed: ({ bytes: Uint8Array } | { broken: string | null })[] = [];

const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** What a batch of the job under way needs besides its rows. */
let jobId = 0;
let jobStart = 0;
let tap: CheckpointTap | null = null;
let tapSent = 0;

function send(batch: Batch): void {
  ahead++;
  const { columns, additions } = batch;
  const upTo = jobStart + batch.upTo;
  const checkpoints: Checkpoint[] = [];
  while (tap && tapSent < tap.taken.length && tap.taken[tapSent]![0] <= upTo)
    checkpoints.push(tap.taken[tapSent++]!);
  const buffers = [
    ...columns.flatMap((c) => (c.absent ? [c.numbers.buffer, c.absent.buffer] : [c.numbers.buffer])),
    ...Object.values(additions).flatMap((a) => [a.bytes.buffer, a.ends.buffer, a.hashes.buffer]),
  ];
  post({ is: 'batch', id: jobId, read: { batch, upTo, checkpoints } }, buffers);
}

/** The reader before this one is never used again. */
const kernel = lineKernel(READ_BUFFER + 8);
let reader: BulkReader | null = null;
let readerKey = '';

/** The reader of the job before serves again where the format is the same: its texts were sent to the store. */
function readerFor(job: Job): BulkReader {
  const key = JSON.stringify(job.how);
  if (!reader || key !== readerKey) {
    reader = readerOf(job.how, seeds, send, kernel);
    // Dictionaries of another reader number their texts anew.
    reader.announceRestart();
    readerKey = key;
  }
  reader.restart();
  return reader;
}

/** Waits until the store has caught up. */
async function room(): Promise<void> {
  while (ahead >= MOST_AHEAD)
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
}

async function readRange(job: Extract<Job, { kind: 'range' }>, reader: BulkReader): Promise<Done> {
  const fd = openSync(job.file, 'r');
  try {
    let at = job.aligned ? job.start : lineStart(fd, job.start);
    const end = job.last ? job.end : lineStart(fd, job.end);
    jobStart = at;
    while (at < end) {
      await room();
      const want = Math.min(READ, end - at);
      const got = readSync(fd, reader.space(want), 0, want, at);
      // The file has shrunk since it was listed: what is gone is gone.
      if (got === 0) break;
      reader.filled(got);
      at += got;
      post({ is: 'progress', id: job.id, storedBytes: got });
    }
    await room();
    reader.finish(false);
    return { content: at, differs: false, error: null };
  } finally {
    closeSync(fd);
  }
}

/** The first line that begins at or after `at`, or the file's end. */
function lineStart(fd: number, at: number): number {
  const bytes = Buffer.alloc(64 << 10);
  for (let p = at - 1; ; ) {
    const got = readSync(fd, bytes, 0, bytes.length, p);
    if (got === 0) return p;
    const newline = bytes.subarray(0, got).indexOf(10);
    if (newline >= 0) return p + newline + 1;
    p += got;
  }
}

/**
 * Reads streaming content from `skip` on. What is skipped must carry the digests that the store has of it;
 * where it does not, this is other content that only begins alike, and nothing of it has been read yet.
 */
async function readStream(
  source: AsyncIterable<Uint8Array>,
  job: { skip: number; expect: Checkpoint[] },
  reader: BulkReader,
): Promise<Done> {
  tap = new CheckpointTap(job.skip > 0 ? [job.skip] : []);
  jobStart = job.skip;
  let at = 0;
  let error: string | null = null;
  try {
    for await (const bytes of source) {
      await room();
      tap.update(bytes);
      const from = Math.max(0, job.skip - at);
      at += bytes.length;
      if (from >= bytes.length) continue;
      if (at - bytes.length <= job.skip && !agrees(job.expect, tap.taken))
        return { content: at, differs: true, error: null };
      reader.feed(from === 0 ? bytes : bytes.subarray(from));
    }
  } catch (problem) {
    error = problem instanceof BrokenOff ? (problem.text.why ?? problem.text.what) : String(problem);
  }
  if (at <= job.skip && !agrees(job.expect, tap.taken)) return { content: at, differs: true, error: null };
  await room();
  reader.finish(error !== null);
  return { content: at, differs: false, error };
}

async function* compressedBytes(job: Extract<Job, { kind: 'compressed' }>): AsyncGenerator<Uint8Array> {
  const input = createReadStream(job.file, { highWaterMark: 256 << 10 });
  input.on('data', (chunk) => post({ is: 'progress', id: job.id, storedBytes: chunk.length }));
  input.pause();
  yield* decompress(job.codec, input, job.limits);
}

async function* fedBytes(id: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = fed.shift();
    if (!next) {
      await new Promise<void>((resolve) => {
        fedMore = resolve;
      });
    } else if ('bytes' in next) {
      yield next.bytes;
      post({ is: 'fed', id });
    } else {
      if (next.broken !== null) throw new Error(next.broken);
      return;
    }
  }
}

async function run(job: Job): Promise<void> {
  jobId = job.id;
  jobStart = 0;
  tap = null;
  tapSent = 0;
  let done: Done;
  try {
    const reader = readerFor(job);
    if (job.kind === 'range') done = await readRange(job, reader);
    else
      done = await readStream(
        job.kind === 'compressed' ? compressedBytes(job) : fedBytes(job.id),
        job,
        reader,
      );
  } catch (problem) {
    done = {
      content: 0,
      differs: false,
      error: problem instanceof Error ? problem.message : String(problem),
    };
  }
  post({ is: 'done', id: job.id, done });
}

port.on('message', (message: ToWorker) => {
  switch (message.do) {
    case 'job':
      fed.length = 0;
      void run(message.job);
      break;
    case 'bytes':
      fed.push({ bytes: message.bytes });
      fedMore?.();
      break;
    case 'end':
      fed.push({ broken: message.broken });
      fedMore?.();
      break;
    case 'taken':
      ahead--;
      goOn?.();
      break;
  }
});
