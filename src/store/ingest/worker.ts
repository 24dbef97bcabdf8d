import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BrokenOff, decompress } from '../../evidence/evidence.js';
import { LogReader } from '../../formats/access-log/log-reader.js';
import { CheckpointTap } from './identity.js';
import type { Done, FromWorker, Job, ToWorker } from './protocol.js';

/**
 * A reading thread: bytes in, batches of columns out. It reads ahead of the store by a few batches only, so
 * memory is bounded whatever the input's size.
 */
const READ = 1 << 20;
const MOST_AHEAD = 6;

const port = parentPort!;
const seeds = workerData as [number, number];
const readers = new Map<string, LogReader>();

let ahead = 0;
let goOn: (() => void) | null = null;
let current: Job | null = null;
/** Of a fed job: what waits to be read, in order. */
const fed: { bytes: Uint8Array | null; broken: boolean }[] = [];
let fedMore: (() => void) | null = null;

const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** Readers are kept for each format, with their dictionaries: texts are sent to the store once. */
function readerFor(job: Job): LogReader {
  const key = JSON.stringify(job.choice);
  let reader = readers.get(key);
  if (!reader) {
    // Dictionaries of one worker number their texts alone, so there is one reader at a time.
    readers.clear();
    reader = new LogReader(job.choice, seeds, (batch) => {
      ahead++;
      const { columns, additions } = batch;
      const buffers = [
        columns.line.buffer,
        columns.seconds.buffer,
        columns.zone.buffer,
        columns.status.buffer,
        columns.bytes.buffer,
        columns.duration.buffer,
        ...Object.values(columns.ids).map((ids) => ids.buffer),
        ...Object.values(additions).flatMap((a) => [a.bytes.buffer, a.ends.buffer, a.hashes.buffer]),
      ];
      post({ is: 'batch', id: current!.id, batch }, buffers);
    });
    reader.announceRestart();
    readers.set(key, reader);
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

async function readRange(job: Extract<Job, { kind: 'range' }>, reader: LogReader): Promise<Done> {
  const fd = openSync(job.file, 'r');
  try {
    let at = job.start === 0 ? 0 : lineStart(fd, job.start);
    const end = job.last ? job.end : lineStart(fd, job.end);
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
    reader.finish(false);
    return done(reader, at, []);
  } finally {
    closeSync(fd);
  }
}

/** The first line that begins at or after `at`. */
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

function done(reader: LogReader, content: number, checkpoints: Done['checkpoints']): Done {
  return { tally: structuredClone(reader.tally), content, checkpoints, differs: false, error: null };
}

/**
 * Reads streaming content from `skip` on. What is skipped must carry the digests that the store has of it;
 * where it does not, this is other content that only begins alike, and nothing of it has been read yet.
 */
async function readStream(
  source: AsyncIterable<Uint8Array>,
  job: { skip: number; expect: [number, string][] },
  reader: LogReader,
): Promise<Done> {
  const tap = new CheckpointTap(job.skip > 0 ? [job.skip] : []);
  let at = 0;
  let error: string | null = null;
  let differs = false;
  const wrong = () => {
    const found = new Map(tap.taken);
    return job.expect.some(([offset, digest]) => found.has(offset) && found.get(offset) !== digest);
  };
  try {
    for await (const bytes of source) {
      await room();
      tap.update(bytes);
      const from = Math.max(0, job.skip - at);
      at += bytes.length;
      if (at > job.skip && at - bytes.length <= job.skip && wrong()) {
        differs = true;
        break;
      }
      if (from < bytes.length) reader.feed(from === 0 ? bytes : bytes.subarray(from));
    }
  } catch (problem) {
    error = problem instanceof BrokenOff ? (problem.text.why ?? problem.text.what) : String(problem);
  }
  if (!differs && at <= job.skip && wrong()) differs = true;
  reader.finish(error !== null);
  return { ...done(reader, at, tap.taken), differs, error };
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
      continue;
    }
    if (!next.bytes) {
      if (next.broken)
        throw new BrokenOff({ what: 'breaks off', why: 'the archive or pipe breaks off here' }, 0);
      return;
    }
    yield next.bytes;
    post({ is: 'fed', id });
  }
}

async function run(job: Job): Promise<void> {
  current = job;
  try {
    const reader = readerFor(job);
    const result =
      job.kind === 'range'
        ? await readRange(job, reader)
        : await readStream(job.kind === 'compressed' ? compressedBytes(job) : fedBytes(job.id), job, reader);
    post({ is: 'done', id: job.id, done: result });
  } catch (problem) {
    const why = problem instanceof Error ? problem.message : String(problem);
    post({ is: 'failed', id: job.id, what: 'could not be read to its end', why });
  }
}

port.on('message', (message: ToWorker) => {
  switch (message.do) {
    case 'job':
      void run(message.job);
      break;
    case 'bytes':
      fed.push({ bytes: message.bytes, broken: false });
      fedMore?.();
      break;
    case 'end':
      fed.push({ bytes: null, broken: message.broken });
      fedMore?.();
      break;
    case 'taken':
      ahead--;
      goOn?.();
      break;
  }
});
