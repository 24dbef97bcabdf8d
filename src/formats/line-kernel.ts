import { MIX_A, MIX_B } from './dictionary.js';
import {
  block,
  branchIf,
  type Code,
  call,
  get,
  instantiate,
  int,
  load8,
  load32,
  load128,
  loop,
  op,
  type Routine,
  set,
  store32,
  tee,
  when,
} from './wasm.js';

/**
 * The inner loops of reading lines, in WebAssembly with 16 bytes a step: where a line's fields end, and the hash
 * of each. Only lines of the plain shape are cut here; whatever is odd about a line (a backslash, a quote within
 * quotes, a missing field) makes `cut` give up, and the reader's own code decides. So nothing here defines what
 * a line means, and where the machine has no SIMD there is no kernel and all lines go the other way.
 *
 * Memory: the lines' bytes from address 0, slack, a record of 16 bytes for each field, then the programs' cuts.
 *         It never grows, so its views stay valid.
 */
export interface LineKernel {
  /** Where lines are to be put; addresses below are positions in it. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /**
   * Four numbers a field: start, end, and the two lanes of the hash where the cut asks for it. Of a request they
   * are at `REQUEST_PATH` and `REQUEST_QUERY` too: start, end, hash; its method ends a byte before its path.
   */
  readonly out: Int32Array<ArrayBuffer>;
  /** Cuts [start, end) by a program: the number of fields that are there, or 0 when it is no plain line. */
  cut(start: number, end: number, from: number, to: number, seedA: number, seedB: number): number;
  /** Puts a program's cuts into the memory: the addresses where they begin and end; null when it has no room. */
  place(cuts: Cut[]): { from: number; to: number } | null;
  /** Another reader takes over: the programs placed so far are gone. */
  begin(): Uint8Array<ArrayBuffer>;
}

/** How one field of a plain line is cut. */
export interface Cut {
  /** The byte that ends the field, and one that must not come before it (or the same). */
  stop: number;
  never: number;
  /** What stands there, with `stop` as its first byte: at most 4 bytes; empty where the line may just end. */
  literal: Uint8Array;
  /** What must come then. */
  next: 'any' | 'digit' | 'digit or dash' | 'end';
  keep: 'ends' | 'hash' | 'request';
  /** The line may end where `stop` should be, without the fields that follow. */
  othersMayMiss: boolean;
}

export const MOST_CUTS = 64;
/** Where in `out` a request's path and query are. */
export const REQUEST_PATH = MOST_CUTS * 4;
export const REQUEST_QUERY = REQUEST_PATH + 4;
const PROGRAMS = 16;
const RECORD = 16;
const CUT = 24;
const SLACK = 64;

const FLAGS = { any: 0, digit: 1, 'digit or dash': 2, end: 4 } as const;
const KEEP = { ends: 0, hash: 8, request: 32 } as const;
const MAY_END = 16;
const OTHERS_MAY_MISS = 64;
const MORE_MAY_FOLLOW = 128;

/** Routines by number, for `call`. */
const HASH_TO = 0;
const FIND = 1;
const REQUEST_TO = 2;

/** hashTo(start, end, seedA, seedB, to): the hash of ByteRows' `intern`, both lanes put at `to`. */
function hashTo(): Routine {
  const [start, end, a, b, to, i, word] = [0, 1, 2, 3, 4, 5, 6] as const;
  const mix = (): Code =>
    [
      [
        get(a),
        get(word),
        op.xor,
        int(MIX_A),
        op.mul,
        tee(a),
        get(a),
        int(15),
        op.shrUnsigned,
        op.xor,
        set(a),
      ],
      [get(b), get(word), op.add, int(MIX_B), op.mul, int(13), op.rotl, set(b)],
    ].flat(2);
  /** MurmurHash3's finaliser. */
  const finished = (x: number): Code =>
    [
      [get(x), get(x), int(16), op.shrUnsigned, op.xor, int(0x85ebca6b), op.mul, set(x)],
      [get(x), get(x), int(13), op.shrUnsigned, op.xor, int(0xc2b2ae35), op.mul, set(x)],
      [get(x), get(x), int(16), op.shrUnsigned, op.xor],
    ].flat(2);
  return {
    name: 'hashTo',
    parameters: 5,
    locals: ['i32', 'i32'],
    code: [
      [get(start), set(i)].flat(),
      block(
        [get(i), int(4), op.add, get(end), op.gt, branchIf(0)].flat(),
        loop(
          [get(i), load32(), set(word), mix()].flat(),
          [get(i), int(4), op.add, tee(i), int(4), op.add, get(end), op.gt, op.eqz, branchIf(0)].flat(),
        ),
      ),
      [get(i), get(end), op.lt].flat(),
      when(
        // The bytes that are left, the rest of the word as zeros.
        [get(i), load32(), int(1), get(end), get(i), op.sub, int(3), op.shl, op.shl].flat(),
        [int(1), op.sub, op.and, set(word), mix()].flat(),
      ),
      [get(a), get(end), get(start), op.sub, op.xor, set(a)].flat(),
      [get(b), get(end), get(start), op.sub, op.add, set(b)].flat(),
      [get(to), finished(a), store32(0), get(to), finished(b), store32(4)].flat(),
      int(0),
    ],
  };
}

/** find(i, end, x, y): position of the first byte x or y in [i, end), or `end`. */
function find(): Routine {
  const [i, end, x, y, xs, ys, bytes, hits] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  return {
    name: 'find',
    parameters: 4,
    locals: ['v128', 'v128', 'v128', 'i32'],
    code: [
      [get(x), op.splat8, set(xs), get(y), op.splat8, set(ys)].flat(),
      block(
        [get(i), get(end), op.ge, branchIf(0)].flat(),
        loop(
          [get(i), load128(), tee(bytes), get(xs), op.equal8, get(bytes), get(ys), op.equal8].flat(),
          [op.or128, op.bitmask8, tee(hits)].flat(),
          when(
            // Past the end stand other bytes: what is found there is the end.
            [get(i), get(hits), op.ctz, op.add, tee(i), get(end), get(i), get(end), op.lt].flat(),
            [op.select, op.return].flat(),
          ),
          [get(i), int(16), op.add, tee(i), get(end), op.lt, branchIf(0)].flat(),
        ),
      ),
      get(end),
    ],
  };
}

/**
 * request(start, end, seedA, seedB): path and query of a request line, behind its first space and before
 * " HTTP/x.y" at its end.
 */
function request(out: number): Routine {
  const [start, end, seedA, seedB, last, q] = [0, 1, 2, 3, 4, 5] as const;
  const path = out + REQUEST_PATH * 4;
  const query = out + REQUEST_QUERY * 4;
  const keep = (from: number, to: number, at: number): Code =>
    [
      [int(at), get(from), store32(0), int(at), get(to), store32(4)],
      [get(from), get(to), get(seedA), get(seedB), int(at + 8), call(HASH_TO), op.drop],
    ].flat(2);
  return {
    name: 'request',
    parameters: 4,
    locals: ['i32', 'i32'],
    code: [
      [get(start), get(end), int(32), int(32), call(FIND), int(1), op.add, set(start)].flat(),
      [get(end), set(last)].flat(),
      // At least the space and the eight letters; the load stays within the line.
      [get(end), get(start), op.sub, int(8), op.gt].flat(),
      when(
        [get(end), int(9), op.sub, load8(), int(32), op.eq].flat(),
        [get(end), int(8), op.sub, load32(), int(0x50545448), op.eq, op.and].flat(),
        when(get(end), int(9), op.sub, set(last)),
      ),
      [get(start), get(last), int(63), int(63), call(FIND), set(q)].flat(),
      keep(start, q, path),
      [get(q), int(1), op.add, set(start)].flat(),
      [get(q), get(last), op.lt].flat(),
      when(keep(start, last, query)),
      int(0),
    ],
  };
}

function cut(out: number): Routine {
  const [start, end, at, to, seedA, seedB, i, flags, next, record] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
  const giveUp = when(int(0), op.return);
  /** Fields up to this one. */
  const count: Code = [get(record), int(out), op.sub, int(4), op.shrUnsigned, int(1), op.add].flat();
  const has = (flag: number): Code => [get(flags), int(flag), op.and].flat();
  const keep = (): Code =>
    [
      [get(record), get(start), store32(0), get(record), get(i), store32(4)].flat(),
      has(KEEP.hash),
      when(
        [get(start), get(i), get(seedA), get(seedB), get(record), int(8), op.add, call(HASH_TO)].flat(),
        op.drop,
      ),
      has(KEEP.request),
      when([get(start), get(i), get(seedA), get(seedB), call(REQUEST_TO), op.drop].flat()),
    ].flat();
  return {
    name: 'cut',
    parameters: 6,
    locals: ['i32', 'i32', 'i32', 'i32'],
    code: [
      [int(out), set(record)].flat(),
      loop(
        [get(at), load32(16), set(flags)].flat(),
        [get(start), get(end), get(at), load32(0), get(at), load32(4), call(FIND), set(i)].flat(),
        has(MAY_END),
        when(keep(), count, op.return),
        [get(i), get(end), op.ge].flat(),
        when(has(OTHERS_MAY_MISS), op.eqz, giveUp, keep(), count, op.return),
        // The literal tells what was found, for `stop` is its first byte.
        [get(i), load32(), get(at), load32(12), op.and, get(at), load32(8), op.ne].flat(),
        giveUp,
        keep(),
        [get(i), get(at), load32(20), op.add, tee(start), get(end), op.ge].flat(),
        // The line ends behind its last field, and nowhere else.
        when(
          [
            count,
            int(0),
            get(start),
            get(end),
            op.eq,
            has(FLAGS.end),
            int(0),
            op.ne,
            op.and,
            op.select,
            op.return,
          ].flat(),
        ),
        has(FLAGS.end),
        when(
          // Or further fields follow a quoted one: if there is a quote, it opens.
          has(MORE_MAY_FOLLOW),
          op.eqz,
          giveUp,
          [get(start), load8(), int(32), op.ne].flat(),
          giveUp,
          [get(start), get(end), get(at), load32(0), get(at), load32(0), call(FIND), tee(i)].flat(),
          [get(end), op.lt].flat(),
          when([get(i), int(1), op.sub, load8(), int(32), op.ne].flat(), giveUp),
          [count, op.return].flat(),
        ),
        [get(start), load8(), set(next)].flat(),
        has(FLAGS.digit | FLAGS['digit or dash']),
        when(
          [get(next), int(48), op.sub, int(10), op.ltUnsigned].flat(),
          [get(next), int(45), op.eq, has(FLAGS['digit or dash']), int(0), op.ne, op.and, op.or].flat(),
          op.eqz,
          giveUp,
        ),
        [get(record), int(RECORD), op.add, set(record)].flat(),
        [get(at), int(CUT), op.add, tee(at), get(to), op.lt, branchIf(0)].flat(),
      ),
      int(0),
    ],
  };
}

/**
 * A kernel of its own memory, for one reader at a time.
 *
 * Errors: null where there is no WebAssembly with SIMD or no address space for it; readers do without.
 */
export function lineKernel(capacity: number): LineKernel | null {
  const out = (capacity + SLACK + RECORD) & -RECORD;
  const programs = out + (MOST_CUTS + 2) * RECORD;
  const size = programs + PROGRAMS * MOST_CUTS * CUT;
  try {
    const { memory, exports } = instantiate([hashTo(), find(), request(out), cut(out)], size);
    const view = new DataView(memory);
    let free = programs;
    const kernel: LineKernel = {
      buffer: new Uint8Array(memory, 0, capacity),
      out: new Int32Array(memory, out, (MOST_CUTS + 2) * 4),
      cut: (exports as Pick<LineKernel, 'cut'>).cut,
      place(cuts) {
        const from = free;
        if (from + cuts.length * CUT > size) return null;
        free += cuts.length * CUT;
        cuts.forEach(({ stop, never, literal, next, keep, othersMayMiss }, k) => {
          const bytes = new Uint8Array(4);
          bytes.set(literal);
          const word = new DataView(bytes.buffer).getInt32(0, true);
          const mask = literal.length === 4 ? -1 : (1 << (literal.length * 8)) - 1;
          const flags =
            FLAGS[next] |
            KEEP[keep] |
            (literal.length === 0 ? MAY_END : 0) |
            (othersMayMiss ? OTHERS_MAY_MISS : 0) |
            (next === 'end' && literal.length === 1 && never === 0x5c ? MORE_MAY_FOLLOW : 0);
          [stop, never, word, mask, flags, literal.length].forEach((n, j) => {
            view.setInt32(from + k * CUT + j * 4, n, true);
          });
        });
        return { from, to: free };
      },
      begin() {
        free = programs;
        return kernel.buffer;
      },
    };
    kernels.set(memory, kernel);
    return kernel;
  } catch {
    return null;
  }
}

const kernels = new WeakMap<ArrayBufferLike, LineKernel>();

/** The kernel whose memory a buffer is, if any. */
export function kernelOf(buffer: Uint8Array): LineKernel | null {
  return kernels.get(buffer.buffer) ?? null;
}
