import type { Codec, Limits } from '../../evidence/evidence.js';
import type { FormatChoice } from '../../formats/access-log/formats.js';
import type { Batch, Tally } from '../../formats/access-log/log-reader.js';

/** Bytes of one log that a worker is to read. */
export type Job =
  /** A part of a plain file; a worker aligns both ends to lines by itself. */
  | { id: number; kind: 'range'; file: string; start: number; end: number; last: boolean; choice: FormatChoice }
  /** A compressed file from `skip` bytes of its content on, if what is skipped carries these digests. */
  | {
      id: number;
      kind: 'compressed';
      file: string;
      codec: Codec;
      limits: Limits;
      choice: FormatChoice;
      skip: number;
      expect: Checkpoint[];
    }
  /** Bytes that come as messages: a pipe, a member of an archive. */
  | { id: number; kind: 'fed'; choice: FormatChoice; skip: number; expect: Checkpoint[] };

/** SHA-256 of up to 4 kB before an offset of the uncompressed content. */
export type Checkpoint = [offset: number, digest: string];

export type ToWorker =
  | { do: 'job'; job: Job }
  | { do: 'bytes'; id: number; bytes: Uint8Array }
  | { do: 'end'; id: number; broken: boolean }
  /** The store has taken a batch: one more may be under way. */
  | { do: 'taken' };

export interface Done {
  tally: Tally;
  /** Uncompressed bytes that were skipped or read. */
  content: number;
  checkpoints: Checkpoint[];
  /** The skipped part is not what it should be: nothing was read. */
  differs: boolean;
  error: string | null;
}

export type FromWorker =
  | { is: 'batch'; id: number; batch: Batch }
  | { is: 'progress'; id: number; storedBytes: number }
  | { is: 'fed'; id: number }
  | { is: 'done'; id: number; done: Done }
  | { is: 'failed'; id: number; what: string; why: string };
