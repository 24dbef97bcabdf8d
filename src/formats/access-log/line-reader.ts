import { type Cut, kernelOf, type LineKernel, MOST_CUTS } from '../line-kernel.js';
import { Unread } from '../unread.js';
import { Field, type Program, type Step } from './program.js';
import type { Rows } from './rows.js';
import { Clock } from './times.js';

/** Reads lines of one text format. */
export class LineReader {
  private readonly clock = new Clock();
  private readonly ops: Int32Array;
  /** How far the last line got: the furthest program names the reason. */
  reached = 0;
  /** How the kernel is to cut plain lines; null where the format has what it cannot cut. */
  private readonly cuts: Cut[] | null;
  /** The buffer that `kernel` was looked up for. */
  private buffer: Uint8Array | null = null;
  private kernel: LineKernel | null = null;
  private from = 0;
  private to = 0;

  constructor(
    private readonly program: Program,
    private readonly rows: Rows,
  ) {
    // Field, quote, first byte of what follows, its length, what comes then: flat, so that a line costs no object
    // look-ups.
    this.ops = Int32Array.from(
      program.steps.flatMap((s, i) => [
        s.field,
        s.quote,
        s.literal[0] ?? -1,
        s.literal.length,
        comesThen(program.steps[i + 1]),
      ]),
    );
    this.cuts = cutsOf(program);
  }

  /** Reads the line in [start, end) into the current row. */
  read(start: number, end: number): Unread {
    const { rows } = this;
    if (rows.buffer !== this.buffer) this.attach(rows.buffer);
    return this.kernel !== null && this.readPlain(this.kernel, start, end)
      ? Unread.none
      : this.readAny(start, end);
  }

  private attach(buffer: Uint8Array): void {
    this.buffer = buffer;
    this.kernel = this.cuts && kernelOf(buffer);
    const placed = this.cuts && this.kernel?.place(this.cuts);
    if (!placed) this.kernel = null;
    else {
      this.from = placed.from;
      this.to = placed.to;
    }
  }

  /** Reads a line that the kernel can cut; false leaves it, and the saying why not, to `readAny`. */
  private readPlain(kernel: LineKernel, start: number, end: number): boolean {
    const { rows, ops, program, clock } = this;
    const { lead, steps } = program;
    const { buffer: b, dictionaries: d } = rows;
    for (let i = 0; i < lead.length; i++, start++) if (b[start] !== lead[i]) return false;
    if (start >= end) return false;
    const count = kernel.cut(start, end, this.from, this.to, rows.seedA, rows.seedB);
    if (count === 0) return false;
    rows.clear();
    const { out } = kernel;
    for (let s = 0, o = 0, r = 0; s < count; s++, o += 5, r += 4) {
      const field = ops[o]!;
      const from = out[r]!;
      const to = out[r + 1]!;
      switch (field) {
        case Field.skip:
          break;
        case Field.client:
          if (to === from || (to - from === 1 && b[from] === 45)) return false;
          if (rows.client === 0)
            rows.client = rows.internHashed(d.client, from, to, out[r + 2]!, out[r + 3]!);
          break;
        case Field.vhost:
          // A digit or a colon at its end may be a port's.
          if (b[to - 1]! <= 58) rows.vhost = rows.hostName(from, to);
          else rows.vhost = rows.internHashed(d.vhost, from, to, out[r + 2]!, out[r + 3]!);
          break;
        case Field.user:
          if (b[from] === 45 && b[from + 1] === 32 && to - from > 1) return false;
          rows.user = rows.internHashed(d.user, from, to, out[r + 2]!, out[r + 3]!);
          break;
        case Field.referer:
          rows.referer = rows.internHashed(d.referer, from, to, out[r + 2]!, out[r + 3]!);
          break;
        case Field.agent:
          rows.agent = rows.internHashed(d.agent, from, to, out[r + 2]!, out[r + 3]!);
          break;
        case Field.request:
          rows.requestCut(out, from, to);
          break;
        default:
          if (field >= Field.timeClf && field <= Field.timePattern) {
            if (this.time(field, from, end, steps[s]!.pattern) || clock.end !== to) return false;
          } else if (this.value(field, from, to, ops[o + 1] !== 0)) return false;
      }
    }
    return true;
  }

  /** Reads any line, by the rules for what may be odd about it. */
  private readAny(start: number, end: number): Unread {
    const { rows, ops, program } = this;
    const { lead, steps } = program;
    const b = rows.buffer;
    rows.clear();
    this.reached = 0;
    let p = start;
    for (let i = 0; i < lead.length; i++, p++) if (p >= end || b[p] !== lead[i]) return Unread.noMatch;
    for (let s = 0, o = 0; s < steps.length; s++, o += 5) {
      this.reached = s;
      if (p > end) return s >= program.least ? Unread.none : Unread.brokenOff;
      const quote = ops[o + 1]!;
      const literalLength = ops[o + 3]!;
      const field = ops[o]!;
      let stop: number;
      if (field >= Field.timeClf && field <= Field.timePattern) {
        const bad = this.time(field, p, end, steps[s]!.pattern);
        if (bad) return bad;
        stop = this.clock.end;
      } else {
        stop =
          quote !== 0
            ? this.closing(quote, steps[s]!.literal, p, end, ops[o + 4]!)
            : literalLength === 0
              ? isNumber(field)
                ? rows.indexOfByte(32, p, end)
                : end
              : field === Field.forwarded && ops[o + 2] === 32
                ? this.listEnd(p, end)
                : this.until(ops[o + 2]!, steps[s]!.literal, p, end, ops[o + 4]!);
        // A quote that ends the line ends no value that others must follow.
        if (quote !== 0 && s + 1 < program.least && (stop < 0 || stop + literalLength >= end))
          stop = this.closingUnescaped(quote, steps[s]!.literal, p, end, ops[o + 4]!);
        if (stop < 0) {
          // A value with no end: the line was cut. What stands before it is whole.
          if (s >= program.least && quote !== 0) return Unread.none;
          if (s < program.least - 1 || quote !== 0) return Unread.noMatch;
          stop = end;
        }
        const bad = this.value(field, p, stop, quote !== 0);
        if (bad) return bad;
      }
      p = stop;
      if (literalLength === 0) break;
      const literal = steps[s]!.literal;
      if (p >= end && s + 1 >= program.least) return Unread.none;
      for (let i = 0; i < literalLength; i++)
        if (b[p + i] !== literal[i] || p + i >= end) {
          // The last literal may be shorter: a line that ends where trailing fields are missing.
          if (s + 1 >= program.least && p + i >= end) return Unread.none;
          return Unread.noMatch;
        }
      p += literalLength;
    }
    return Unread.none;
  }

  private value(field: number, start: number, end: number, quoted: boolean): Unread {
    const { rows } = this;
    const d = rows.dictionaries;
    switch (field) {
      case Field.skip:
        return Unread.none;
      case Field.client:
        // An address or a host name; never empty, never a dash and never with a space in it.
        if (end === start || (end - start === 1 && rows.buffer[start] === 45)) return Unread.noMatch;
        if (!quoted && rows.indexOfByte(32, start, end) < end) return Unread.noMatch;
        if (rows.client === 0) rows.client = rows.intern(d.client, start, end);
        return Unread.none;
      case Field.forwarded:
        // Each proxy adds the address that it saw: the first is the client's.
        if (rows.client === 0) rows.client = rows.intern(d.client, start, rows.indexOfByte(44, start, end));
        return Unread.none;
      case Field.zone:
        return this.zone(start, end);
      case Field.vhost:
        rows.vhost = rows.hostName(start, end);
        return Unread.none;
      case Field.user:
        // "- - " before a time: this line has a field more than the format, so the fields before are others too.
        if (rows.buffer[start] === 45 && rows.buffer[start + 1] === 32 && end - start > 1)
          return Unread.noMatch;
        rows.user = rows.intern(d.user, start, end);
        return Unread.none;
      case Field.request:
        rows.request(start, end);
        return Unread.none;
      case Field.method:
        rows.method = rows.intern(d.method, start, end);
        return Unread.none;
      case Field.uri:
        rows.uri(start, end);
        return Unread.none;
      case Field.query:
        rows.query = rows.intern(d.query, rows.buffer[start] === 63 ? start + 1 : start, end);
        return Unread.none;
      case Field.protocol:
        rows.protocol = rows.intern(d.protocol, start, end);
        return Unread.none;
      case Field.referer:
        rows.referer = rows.intern(d.referer, start, end);
        return Unread.none;
      case Field.agent:
        rows.agent = rows.intern(d.agent, start, end);
        return Unread.none;
      case Field.status:
        rows.status = this.digits(start, end);
        // Apache writes "-" for a connection that got no answer; nginx 000 likewise. Fewer digits: a cut line.
        if (rows.status === -2) rows.status = 0;
        return rows.status >= 0 && (end - start === 3 || rows.buffer[start] === 45)
          ? Unread.none
          : Unread.badStatus;
      case Field.bodyBytes:
      case Field.sentBytes:
        rows.bytes = this.digits(start, end);
        if (rows.bytes === -2) rows.bytes = 0;
        if (rows.bytes >= 0) return Unread.none;
        rows.bytes = -1;
        return Unread.badNumber;
      case Field.durationMicros:
        return this.duration(start, end, 1);
      case Field.durationMillis:
        return this.duration(start, end, 1e3);
      case Field.durationSeconds:
        return this.duration(start, end, 1e6);
      case Field.durationNanos:
        return this.duration(start, end, 1e-3);
      default:
        return Unread.none;
    }
  }

  /** `%{%z}t` by itself, behind a time that was read without it. */
  private zone(start: number, end: number): Unread {
    const { clock, rows } = this;
    const zone = clock.offset(rows.buffer, start, end);
    if (Number.isNaN(zone)) return Unread.badTime;
    rows.seconds -= zone * 60;
    rows.zone = zone;
    return Unread.none;
  }

  private time(field: number, start: number, end: number, pattern?: Uint8Array): Unread {
    const { clock, rows } = this;
    const b = rows.buffer;
    let seconds: number;
    if (field === Field.timeClf)
      seconds = start + 26 <= end ? clock.clfNear(rows.view, b, start) : Number.NaN;
    else if (field === Field.timeIso) seconds = start + 19 <= end ? clock.iso(b, start, end) : Number.NaN;
    else if (field === Field.timePattern) seconds = clock.pattern(b, start, end, pattern!);
    else {
      let stop = start;
      while (stop < end && (b[stop] === 46 || (b[stop]! >= 48 && b[stop]! <= 57))) stop++;
      const value = decimal(b, start, stop);
      seconds = field === Field.timeSeconds ? value : field === Field.timeMillis ? value / 1e3 : value / 1e6;
      clock.zone = 0;
      clock.end = stop;
    }
    // Year 1970 to 9999; a comparison that NaN fails.
    if (!(seconds >= 0 && seconds < 253_402_300_800) || clock.end > end) return Unread.badTime;
    rows.seconds = seconds;
    rows.zone = clock.zone;
    return Unread.none;
  }

  private duration(start: number, end: number, toMicros: number): Unread {
    const value = decimal(this.rows.buffer, start, end);
    if (value >= 0) this.rows.duration = Math.round(value * toMicros);
    return Unread.none;
  }

  /** A whole number; -2 for a lone `-`, -1 for anything else. */
  private digits(start: number, end: number): number {
    const b = this.rows.buffer;
    if (end - start === 1 && b[start] === 45) return -2;
    if (end === start || end - start > 15) return -1;
    let value = 0;
    for (let i = start; i < end; i++) {
      const digit = b[i]! - 48;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** The end of an unquoted value: where the text that follows it begins. */
  private until(first: number, literal: Uint8Array, start: number, end: number, then: number): number {
    const b = this.rows.buffer;
    if (first === 58) return this.lastColon(start, end);
    for (let i = start; i < end; i++) {
      if (b[i] !== first) continue;
      let k = 1;
      while (k < literal.length && i + k < end && b[i + k] === literal[k]) k++;
      if (i + k === end) return i;
      // " [" may stand in a user name too; the one before a time has a digit behind it.
      if (k === literal.length && (then !== TIME || (b[i + k]! >= 48 && b[i + k]! <= 57))) return i;
    }
    return -1;
  }

  /** The end of `192.0.2.1, 192.0.2.2 `: a space with no comma before it. */
  private listEnd(start: number, end: number): number {
    const b = this.rows.buffer;
    for (let i = start; i < end; i++) if (b[i] === 32 && (i === start || b[i - 1] !== 44)) return i;
    return -1;
  }

  /** `%v:%p`, `%h:%{remote}p`: an IPv6 address has colons of its own, so the last one before a space counts. */
  private lastColon(start: number, end: number): number {
    const b = this.rows.buffer;
    let last = -1;
    for (let i = start; i < end && b[i] !== 32; i++) if (b[i] === 58) last = i;
    return last;
  }

  /** The closing quote: not escaped, and followed by what the format has there. */
  private closing(quote: number, literal: Uint8Array, start: number, end: number, then: number): number {
    const b = this.rows.buffer;
    const view = this.rows.view;
    const quotes = Math.imul(quote, 0x01010101);
    let first = -1;
    for (let i = start; i < end; ) {
      const w = view.getInt32(i, true);
      const x = w ^ quotes;
      const y = w ^ 0x5c5c5c5c;
      if ((((x - 0x01010101) & ~x) | ((y - 0x01010101) & ~y)) & 0x80808080) {
        for (const stop = Math.min(i + 4, end); i < stop; i++) {
          const c = b[i];
          if (c === 0x5c) i++;
          else if (c === quote) {
            if (this.follows(literal, i, end, then)) return i;
            if (first < 0) first = i;
          }
        }
      } else i += 4;
    }
    // Nothing fits what follows: a log that ends each line here, with extra fields behind, or a cut line.
    return first >= 0 && literal.length === 1 ? first : -1;
  }

  /** Logs that escape nothing (`escape=none`, Apache before 2.0.46): a backslash is only a backslash. */
  private closingUnescaped(
    quote: number,
    literal: Uint8Array,
    start: number,
    end: number,
    then: number,
  ): number {
    const { rows } = this;
    for (let i = start; ; i++) {
      i = rows.indexOfByte(quote, i, end);
      if (i >= end) return -1;
      if (this.follows(literal, i, end, then)) return i;
    }
  }

  private follows(literal: Uint8Array, at: number, end: number, then: number): boolean {
    const b = this.rows.buffer;
    if (literal.length === 1) {
      if (at + 1 === end) return true;
      if (b[at + 1] !== 32) return false;
      // The last field, with others behind it; or a quote of its own: then the next one closes and does not open.
      const next = this.rows.indexOfByte(b[at]!, at + 1, end);
      return next === end || b[next - 1] === 32;
    }
    for (let k = 1; k < literal.length; k++) {
      if (at + k >= end) return at + k === end;
      if (b[at + k] !== literal[k]) return false;
    }
    // Old logs hold bare quotes in requests: `"GET /a" b HTTP/1.0" 200`. A number must stand behind the last.
    const next = b[at + literal.length]!;
    return then !== NUMBER || next === 45 || (next >= 48 && next <= 57) || at + literal.length >= end;
  }
}

/** A number with or without a fraction; NaN for anything else. */
function decimal(b: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 24) return Number.NaN;
  let value = 0;
  let scale = 0;
  for (let i = start; i < end; i++) {
    const c = b[i]!;
    if (c === 46 && scale === 0) scale = 1;
    else if (c >= 48 && c <= 57) {
      value = value * 10 + c - 48;
      scale *= 10;
    } else return Number.NaN;
  }
  return scale > 1 ? value / scale : value;
}

/**
 * The cuts of a format's plain lines, or null where its fields need more than a byte to end them. Where a plain
 * line's field ends, `readAny` ends it too.
 */
function cutsOf({ steps, least }: Program): Cut[] | null {
  if (steps.length > MOST_CUTS) return null;
  const cuts: Cut[] = [];
  for (const [s, { field, quote, literal }] of steps.entries()) {
    const last = s + 1 === steps.length;
    if (literal.length > 4 || (literal.length === 0 && !last)) return null;
    if (quote !== 0 && literal.length < 2 && !last) return null;
    const before = steps[s - 1];
    const then = comesThen(steps[s + 1]);
    const first = literal[0] ?? (isNumber(field) ? 32 : 10);
    let never = first;
    // Of several colons before a space, the last one ends the field.
    const behindColon = before?.quote === 0 && before.literal[0] === 58;
    if (behindColon && (quote !== 0 || literal[0] !== 32)) return null;
    if (quote !== 0) never = 0x5c;
    else if (literal.length > 0) {
      if (behindColon) never = 58;
      else if (field === Field.forwarded) never = 44;
      else if (field === Field.client || first === 58) never = 32;
    }
    cuts.push({
      stop: first,
      never,
      literal,
      next: last
        ? 'end'
        : quote !== 0
          ? then === NUMBER
            ? 'digit or dash'
            : 'any'
          : then === TIME
            ? 'digit'
            : 'any',
      keep: field === Field.request ? 'request' : isText(field) ? 'hash' : 'ends',
      othersMayMiss: quote === 0 && s + 1 >= least && s + 1 < steps.length,
    });
  }
  return cuts;
}

/** What the next step's value must begin with: any byte, a digit or a dash, a digit. */
const NUMBER = 1;
const TIME = 2;

function comesThen(next: Step | undefined): number {
  if (isNumber(next?.field)) return NUMBER;
  if (next === undefined || next.field < Field.timeClf || next.field > Field.timePattern) return 0;
  // %a and %b begin with a letter.
  return next.pattern === undefined || /^(%[YymdHMSs]|\d)/.test(Buffer.from(next.pattern).toString())
    ? TIME
    : 0;
}

/** Fields that are interned whole. */
function isText(field: Field): boolean {
  return (
    field === Field.client ||
    field === Field.vhost ||
    field === Field.user ||
    field === Field.referer ||
    field === Field.agent
  );
}

function isNumber(field: Field | number | undefined): boolean {
  return (
    field === Field.status ||
    field === Field.bodyBytes ||
    field === Field.sentBytes ||
    (field !== undefined && field >= Field.durationMicros && field <= Field.durationNanos)
  );
}
