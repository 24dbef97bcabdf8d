/**
 * As much of a WebAssembly assembler as a few small functions need: each instruction is the array of its bytes,
 * and code is written as arrays of instructions. Nothing that comes from evidence ever becomes code here.
 *
 * Source: WebAssembly Core Specification 2.0, section 5 "Binary Format" (5.4 instructions, 5.5 modules).
 */
export type Code = number[];

/** Unsigned and signed LEB128 (section 5.2.2). */
function unsigned(n: number): Code {
  const out: Code = [];
  for (; n > 127; n >>>= 7) out.push((n & 127) | 128);
  return [...out, n];
}

function signed(n: number): Code {
  const out: Code = [];
  for (; n < -64 || n > 63; n >>= 7) out.push((n & 127) | 128);
  return [...out, n & 127];
}

const TYPES = { i32: 0x7f, v128: 0x7b } as const;
type ValueType = keyof typeof TYPES;

/** One byte each: operands are taken from the stack, the result goes there. */
export const op = {
  drop: [0x1a],
  select: [0x1b],
  return: [0x0f],
  eqz: [0x45],
  eq: [0x46],
  ne: [0x47],
  lt: [0x48],
  ltUnsigned: [0x49],
  gt: [0x4a],
  ge: [0x4e],
  ctz: [0x68],
  add: [0x6a],
  sub: [0x6b],
  mul: [0x6c],
  and: [0x71],
  or: [0x72],
  xor: [0x73],
  shl: [0x74],
  shrUnsigned: [0x76],
  rotl: [0x77],
  splat8: [0xfd, 15],
  equal8: [0xfd, 35],
  or128: [0xfd, 80],
  bitmask8: [0xfd, 100],
} satisfies Record<string, Code>;

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const tee = (local: number): Code => [0x22, ...unsigned(local)];
export const int = (n: number): Code => [0x41, ...signed(n | 0)];
/** Loads and stores of any alignment, `offset` bytes past the address on the stack. */
export const load8 = (offset = 0): Code => [0x2d, 0, ...unsigned(offset)];
export const load32 = (offset = 0): Code => [0x28, 0, ...unsigned(offset)];
export const load128 = (offset = 0): Code => [0xfd, 0, 0, ...unsigned(offset)];
export const store32 = (offset = 0): Code => [0x36, 0, ...unsigned(offset)];
/** Structured control: `branchIf(0)` leaves the innermost block, or begins the innermost loop again. */
export const block = (...code: Code[]): Code => [0x02, 0x40, ...code.flat(), 0x0b];
export const loop = (...code: Code[]): Code => [0x03, 0x40, ...code.flat(), 0x0b];
export const when = (...code: Code[]): Code => [0x04, 0x40, ...code.flat(), 0x0b];
export const branchIf = (depth: number): Code => [0x0d, ...unsigned(depth)];
export const call = (index: number): Code => [0x10, ...unsigned(index)];

/** A function of i32 parameters with one i32 result; its locals follow its parameters. */
export interface Routine {
  name: string;
  parameters: number;
  locals: ValueType[];
  code: Code[];
}

/** The bytes of a module that imports its memory as `host.memory` and exports each routine by its name. */
function assemble(routines: Routine[]): Uint8Array<ArrayBuffer> {
  const text = (t: string): Code => [...unsigned(t.length), ...Buffer.from(t)];
  const vector = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
  const sized = (code: Code): Code => [...unsigned(code.length), ...code];
  const section = (id: number, items: Code[]): Code => [id, ...sized(vector(items))];
  const type = (r: Routine): Code => [
    0x60,
    ...vector(Array.from({ length: r.parameters }, () => [TYPES.i32])),
    ...vector([[TYPES.i32]]),
  ];
  const body = (r: Routine): Code =>
    sized([...vector(r.locals.map((t) => [1, TYPES[t]])), ...r.code.flat(), 0x0b]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, routines.map(type)),
    ...section(2, [[...text('host'), ...text('memory'), 0x02, 0x00, 0x01]]),
    ...section(
      3,
      routines.map((_, i) => unsigned(i)),
    ),
    ...section(
      7,
      routines.map((r, i) => [...text(r.name), 0x00, ...unsigned(i)]),
    ),
    ...section(10, routines.map(body)),
  ]);
}

/** What is used of the WebAssembly JavaScript Interface; TypeScript has its types with the DOM's only. */
interface Engine {
  Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (
    module: object,
    imports: Record<string, Record<string, object>>,
  ) => { exports: Record<string, unknown> };
}

/**
 * Routines in a memory of their own, which never grows.
 *
 * Errors: throws where there is no WebAssembly (`--jitless`), no SIMD, or no address space for the memory.
 */
export function instantiate(
  routines: Routine[],
  bytes: number,
): { memory: ArrayBuffer; exports: Record<string, unknown> } {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: Engine };
  const pages = Math.ceil(bytes / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(routines)), {
    host: { memory },
  });
  return { memory: memory.buffer, exports };
}
