import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { Checkpoint } from './protocol.js';

/**
 * How content is known again whatever its file is called: by its first line (which carries a time), and by
 * digests of up to 4 kB before offsets that double: 64, 128, 256 … A copy, a rotated file under its new name, a
 * compressed one and a file that has grown all agree at every offset they have in common.
 */
const WINDOW = 4096;
/** Small enough that even a log of a few lines has one. */
const FIRST = 64;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Digest of the first line; of all there is where no line is whole; null for nothing. */
export function headDigest(head: Uint8Array): string | null {
  if (head.length === 0) return null;
  const newline = head.indexOf(10);
  return newline < 0 ? `whole:${sha256(head)}` : sha256(head.subarray(0, Math.min(newline, WINDOW)));
}

/** The offsets at which content of this length has its checkpoints. */
export function checkpointOffsets(length: number): number[] {
  const offsets: number[] = [];
  for (let at = FIRST; at <= length; at *= 2) offsets.push(at);
  return offsets;
}

/** The digests of a plain file at these offsets; those beyond its end are left out. */
export function digestsOf(fd: number, offsets: number[]): Checkpoint[] {
  const window = Buffer.alloc(WINDOW);
  const found: Checkpoint[] = [];
  for (const offset of offsets) {
    const length = Math.min(WINDOW, offset);
    if (readSync(fd, window, 0, length, offset - length) < length) break;
    found.push([offset, sha256(window.subarray(0, length))]);
  }
  return found;
}

/** The digest of content that is known by its beginning only; `offset` lies within it. */
export function digestInHead(head: Uint8Array, offset: number): string {
  return sha256(head.subarray(Math.max(0, offset - WINDOW), offset));
}

/** Takes digests while content streams by, at the given offsets or where they are due. */
export class CheckpointTap {
  readonly taken: Checkpoint[] = [];
  private at = 0;
  private next: number;
  private readonly window = new Uint8Array(WINDOW);

  /** @param also  further offsets to take, ascending (where another source's reading ended) */
  constructor(private readonly also: number[] = []) {
    this.next = this.dueAfter(0);
  }

  private dueAfter(at: number): number {
    let due = FIRST;
    while (due <= at) due *= 2;
    const other = this.also.find((offset) => offset > at);
    return other === undefined ? due : Math.min(due, other);
  }

  update(bytes: Uint8Array): void {
    let from = 0;
    while (this.at + (bytes.length - from) >= this.next) {
      const part = bytes.subarray(from, from + (this.next - this.at));
      this.remember(part);
      this.at += part.length;
      from += part.length;
      this.taken.push([this.next, this.digest()]);
      this.next = this.dueAfter(this.at);
    }
    const rest = bytes.subarray(from);
    this.remember(rest);
    this.at += rest.length;
  }

  /** Keeps the last 4 kB, as a ring. */
  private remember(part: Uint8Array): void {
    const last = part.length > WINDOW ? part.subarray(part.length - WINDOW) : part;
    const start = (this.at + part.length - last.length) % WINDOW;
    const first = Math.min(last.length, WINDOW - start);
    this.window.set(last.subarray(0, first), start);
    this.window.set(last.subarray(first), 0);
  }

  private digest(): string {
    const end = this.at % WINDOW;
    const whole =
      this.at >= WINDOW
        ? Buffer.concat([this.window.subarray(end), this.window.subarray(0, end)])
        : this.window.subarray(0, end);
    return sha256(whole);
  }
}

/** Whether content with these checkpoints agrees with every expected one that it is long enough to have. */
export function agrees(expected: Checkpoint[], found: Checkpoint[]): boolean {
  const digests = new Map(found);
  return expected.every(([offset, digest]) => (digests.get(offset) ?? digest) === digest);
}
