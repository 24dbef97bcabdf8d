import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { How } from '../../formats/formats.js';
import type { Done, FromWorker, Job, Read, ToWorker } from './protocol.js';

type Without<J, K extends PropertyKey> = J extends unknown ? Omit<J, K> : never;
export type Work = Without<Job, 'id' | 'how'>;

/** What becomes of a job's results. Batches come in the job's order; each must be answered by calling `taken`. */
export interface Receiver {
  batch(read: Read, worker: number, taken: () => void): void;
  /** Bytes as stored that were read since the last call. */
  progress(storedBytes: number): void;
}

/** Messages of a fed job that may be under way to the worker. */
const MOST_FED = 8;

interface Slot {
  worker: Worker;
  index: number;
  busy: boolean;
  job: { id: number; receiver: Receiver; done: (done: Done) => void; fed: () => void } | null;
}

/** Reading threads, one a core, and the jobs that wait for one. */
export class Pool {
  private readonly slots: Slot[] = [];
  private readonly waiting: ((slot: Slot) => void)[] = [];
  private jobs = 0;
  private started = 0;
  private closed = false;

  constructor(
    private readonly seeds: [number, number],
    readonly size = Math.max(1, Math.min(8, availableParallelism())),
  ) {}

  /** Runs a job on the next free thread. `bytes` feeds a job that gets its content as messages. */
  async run(work: Work, how: How, receiver: Receiver, bytes?: AsyncIterable<Uint8Array>): Promise<Done> {
    const slot = await this.free();
    if (this.closed) return { content: 0, differs: false, error: 'stopped' };
    const id = ++this.jobs;
    let inFlight = 0;
    let more: (() => void) | null = null;
    const done = new Promise<Done>((resolve) => {
      const fed = () => {
        inFlight--;
        more?.();
      };
      slot.job = { id, receiver, done: resolve, fed };
    });
    tell(slot, { do: 'job', job: { ...work, how, id } as Job });
    let ended = false;
    const result = done.then((d) => {
      ended = true;
      more?.();
      return d;
    });
    if (bytes) {
      let broken: string | null = null;
      try {
        for await (const part of bytes) {
          while (inFlight >= MOST_FED && !ended)
            await new Promise<void>((resolve) => {
              more = resolve;
            });
          if (ended) break;
          inFlight++;
          // A copy: the stream goes on using its buffer.
          const copy = new Uint8Array(part);
          tell(slot, { do: 'bytes', id, bytes: copy }, [copy.buffer]);
        }
      } catch (error) {
        broken = error instanceof Error ? error.message : String(error);
      }
      if (!ended) tell(slot, { do: 'end', id, broken });
    }
    const outcome = await result;
    slot.job = null;
    this.release(slot);
    return outcome;
  }

  private async free(): Promise<Slot> {
    if (this.closed) throw new Error('stopped');
    const idle = this.slots.find((s) => !s.busy);
    if (idle) {
      idle.busy = true;
      return idle;
    }
    if (this.slots.length < this.size) return this.start();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Hands a thread on; one that died is replaced. */
  private release(slot: Slot): void {
    if (this.closed) {
      for (const next of this.waiting.splice(0)) next(slot);
      return;
    }
    const next = this.waiting.shift();
    const alive = this.slots.includes(slot);
    if (next) next(alive ? slot : this.start());
    else slot.busy = false;
  }

  private start(): Slot {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: this.seeds,
      // The reader's own buffers count as external; the heap stays small.
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const slot: Slot = { worker, index: this.started++, busy: true, job: null };
    this.slots.push(slot);
    worker.on('message', (message: FromWorker) => this.on(slot, message));
    worker.on('error', (error) => {
      this.slots.splice(this.slots.indexOf(slot), 1);
      slot.job?.done({ content: 0, differs: false, error: `the reading thread failed: ${error.message}` });
    });
    return slot;
  }

  private on(slot: Slot, message: FromWorker): void {
    const { job } = slot;
    if (!job || this.closed || message.id !== job.id) return;
    switch (message.is) {
      case 'batch':
        job.receiver.batch(message.read, slot.index, () => tell(slot, { do: 'taken' }));
        break;
      case 'progress':
        job.receiver.progress(message.storedBytes);
        break;
      case 'fed':
        job.fed();
        break;
      case 'done':
        job.done(message.done);
        break;
    }
  }

  /** Ends all threads at once; jobs under way are done with the error "stopped". */
  stop(): void {
    this.closed = true;
    for (const slot of this.slots) {
      slot.job?.done({ content: 0, differs: false, error: 'stopped' });
      void slot.worker.terminate();
    }
  }
}

function tell(slot: Slot, message: ToWorker, transfer: ArrayBuffer[] = []): void {
  slot.worker.postMessage(message, transfer);
}
