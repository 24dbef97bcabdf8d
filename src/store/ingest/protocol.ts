import type { Codec, Limits } from '../../evidence/evidence.js';
import type { Batch } from '../../formats/bulk.js';
import type { How } from '../../formats/formats.js';

/** Bytes of one log that a worker is to read. */
export type Job = { id: number; how: How } & (
  | {
      /** A part of a plain file; a worker aligns both ends to lines by itself. */
      kind: 'range';
      file: string;
      start: number;
      end: number;
      /** True when `start` is known to begin a line: where an earlier reading ended. */
      aligned: boolean;
      last: boolean;
    }
  /** A compressed file from `skip` bytes of its content on, if what is skipped carries these digests. */
  | { kind: 'compressed'; file: string; codec: Codec; limits: Limits; skip: number; expect: Checkpoint[] }
  /** Bytes that come as messages: a pipe, a member of an archive. */
  | { kind: 'fed'; skip: number; expect: Checkpoint[] }
);

/** SHA-256 of up to 4 kB before an offset of the uncompressed content. */
export type Checkpoint = [offset: number, digest: string];

export type ToWorker =
  | { do: 'job'; job: Job }
  | { do: 'bytes'; id: number; bytes: Uint8Array }
  | { do: 'end'; id: number; broken: string | null }
  /** The store has taken a batch: one more may be under way. */
  | { do: 'taken' };

/** A batch with where it ends in the content, and the digests of the content up to there. */
export interface Read {
  batch: Batch;
  upTo: number;
  checkpoints: Checkpoint[];
}

export interface Done {
  /** Uncompressed bytes that were skipped or read. */
  content: number;
  /** The skipped part is not what it should be: nothing was read. */
  differs: boolean;
  /** Why the content breaks off, or null. */
  error: string | null;
}

export type FromWorker =
  | { is: 'batch'; id: number; read: Read }
  | { is: 'progress'; id: number; storedBytes: number }
  | { is: 'fed'; id: number }
  | { is: 'done'; id: number; done: Done };
