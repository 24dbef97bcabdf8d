import { createHash } from 'node:crypto';
import type { Checkpoint } from './protocol.js';

/**
 * How content is known again whatever its file is called: by its first line (which carries a time), and by
 * digests of 4 kB before offsets that double: 4 kB, 8 kB, 16 kB … A copy, a rotated file under its new name, a
 * compressed one and a file that has grown all agree at every offset they have in common.
 */
const WINDOW = 4096;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Digest of the first line, or null when there is no whole line to go by. */
export function headDigest(head: Uint8Array): string | null {
  const newline = head.indexOf(10);
  return newline > 0 ? sha256(head.subarray(0, Math.min(newline, WINDOW))) : null;
}

/** The offsets at which content of this length has its checkpoints. */
export function checkpointOffsets(length: number): number[] {
  const offsets: number[] = [];
  for (let at = WINDOW; at <= length; at *= 2) offsets.push(at);
  return offsets;
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
    let due = WINDOW;
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
