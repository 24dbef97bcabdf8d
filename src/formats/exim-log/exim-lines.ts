import { MailFlag, MailKind } from '../mail-log/columns.js';
import type { MailRows } from '../mail-log/rows.js';
import { Unread } from '../unread.js';
import { begins, messagePhrase, type Phrase, phraseWithin, programPhrase } from './phrases.js';
import { EximStamp, isDigit, UNZONED } from './stamp.js';

const encoder = new TextEncoder();
const COMPLETED = encoder.encode('Completed');
const REJECTED = encoder.encode('rejected ');
const TEMPORARILY = encoder.encode('temporarily rejected ');
const REMOTE_ERROR = encoder.encode('MTP error ');
const WRITTEN = encoder.encode(' bytes written)');
const DURATION = encoder.encode(' DT=');
const HOST = encoder.encode(' H=');
const PID = encoder.encode('pid=');
const EXIM = encoder.encode('exim ');
const DEFER = encoder.encode('defer ');
const ROUTING = encoder.encode('routing ');
const PID_AND_TID_MOST = 24;
const MOST_INTEGER = 2_147_483_647;

/**
 * What Exim says on a line, behind the time: one row an event, several for an arrival that names its recipients.
 *
 * Shape:  `reply` is the reason of a failure, deferral, rejection or host error, the confirmation of a delivery
 *         (`C=`), or the text of any other line. Of a rejected recipient it is the reason alone, and the whole text
 *         from `temporarily rejected` when that is what it was. `host` is the other side's verified name, or in
 *         parentheses, as Exim writes it, what it called itself.
 * Units:  see columns.ts.
 * Errors: a line that belongs to a message is always read, as a remark at least; of the others those whose phrase
 *         is not known are `other`, with their text: ACLs write what the administrator likes (logwrite). A value that is not as documented is left out and the row is marked `partly`.
 * Source: Exim specification, chapter "Log files"; Exim's src/src: deliver.c (string_log_address, d_hostlog,
 *         delivery_log, deferral_log, failure_log), receive.c, smtp_in.c, log.c; src/knowledge/exim-log.ts.
 */
export class EximLines {
  /** Lines so far that no other program writes. */
  distinct = 0;
  private readonly stamp = new EximStamp();
  private rows!: MailRows;
  private b!: Uint8Array;

  /**
   * Reads a line of Exim's log from [start, end) of the rows' buffer and commits its rows, as of `line`.
   * Whoever calls has cleared the row and filled in what goes before (a syslog line's time, zone and pid);
   * Exim's own stamp wins over a time without a zone, for it has the year.
   */
  body(rows: MailRows, start: number, end: number, line: number): Unread {
    const b = rows.buffer;
    let p = start;
    if (b[p] === 91) {
      const part = partOf(b, p, end);
      if (part !== 0) {
        p = b.indexOf(32, p) + 1;
        // Only the first part of an entry says what happened; one of several that was cut for its length is cut.
        if (part !== 1) return part > 1 ? Unread.none : Unread.noMatch;
        if (b.subarray(start, p).includes(47)) rows.flags |= MailFlag.partly;
      }
    }
    const { stamp } = this;
    const at = stamp.read(b, rows.view, p, end);
    if (at >= 0) {
      p = at;
      if (rows.zone === UNZONED) {
        rows.seconds = stamp.seconds;
        rows.zone = stamp.zone;
      }
    }
    return this.event(rows, p, end, line);
  }

  /** The same behind Exim's stamp: `[pid]`, message id, and what happened. */
  event(rows: MailRows, start: number, end: number, line: number): Unread {
    this.rows = rows;
    const b = rows.buffer;
    this.b = b;
    let p = start;
    if (b[p] === 91) p = this.pid(p, end);
    const id = messageIdEnd(b, p, end);
    if (id < 0) return this.program(p, end, line);
    rows.message = rows.intern(rows.dictionaries.message, p, id);
    this.distinct++;
    p = id + 1;
    if (p + 2 < end && b[p + 2] === 32) {
      const c = b[p]!;
      const d = b[p + 1];
      const at = p + 3;
      if (d === 62) {
        if (c === 61) return this.delivery(MailKind.delivered, at, end, line);
        if (c === 45) return this.delivery(MailKind.deliveredAlso, at, end, line);
        if (c === 62) return this.delivery(MailKind.cutthrough, at, end, line);
        if (c === 42) return this.delivery(MailKind.suppressed, at, end, line);
      } else if (d === 61) {
        if (c === 60 || c === 40) return this.arrival(at, end, line);
        if (c === 61) return this.delivery(MailKind.deferred, at, end, line);
      } else if (c === 42 && d === 42) return this.delivery(MailKind.failed, at, end, line);
    }
    return this.ofMessage(p, end, line);
  }

  /** `[8576] `; anything else in brackets is an address. */
  private pid(p: number, end: number): number {
    const { b } = this;
    let value = 0;
    let i = p + 1;
    for (; i < end && i < p + PID_AND_TID_MOST && isDigit(b[i]!); i++) value = value * 10 + b[i]! - 48;
    if (i === p + 1 || b[i] !== 93 || i + 1 >= end || b[i + 1] !== 32) return p;
    this.rows.pid = Math.min(value, MOST_INTEGER);
    return i + 2;
  }

  private arrival(start: number, end: number, line: number): Unread {
    const { rows, b } = this;
    rows.kind = MailKind.arrival;
    let p = this.addressEnd(start, end);
    if (p - start === 2 && b[start] === 60) rows.flags |= MailFlag.nullSender;
    else rows.address = rows.intern(rows.dictionaries.address, start, p);
    p = this.fields(p, end);
    if (p >= end) {
      rows.commit(line);
      return Unread.none;
    }
    // `for a b c`: counted first, for the arrival's own row goes before them.
    let count = 0;
    for (let i = p; i < end; i = this.addressEnd(i, end) + 1) count++;
    rows.recipients = count;
    rows.commit(line);
    const { message, seconds, zone, pid } = rows;
    rows.clear();
    rows.kind = MailKind.arrivalFor;
    rows.message = message;
    rows.seconds = seconds;
    rows.zone = zone;
    rows.pid = pid;
    for (let i = p; i < end; ) {
      const to = this.addressEnd(i, end);
      rows.address = rows.intern(rows.dictionaries.address, i, to);
      rows.commit(line);
      i = to + 1;
    }
    return Unread.none;
  }

  private delivery(kind: MailKind, start: number, end: number, line: number): Unread {
    const { rows } = this;
    rows.kind = kind;
    const p = this.fields(this.recipient(start, end), end);
    if (p < end) {
      if (kind === MailKind.failed) end = this.durationAtEnd(p, end);
      this.reason(p, end);
    }
    rows.commit(line);
    return Unread.none;
  }

  /** ` DT=2m7s` behind the reason of a failure. */
  private durationAtEnd(p: number, end: number): number {
    const { b } = this;
    for (let i = end - 1; i > p && i > end - 32; i--) {
      if (b[i] !== 32) continue;
      if (!begins(b, i, end, DURATION) || this.duration(i + 4, end) !== end) return end;
      this.rows.delivery = this.milliseconds;
      return i;
    }
    return end;
  }

  /**
   * `address`, `address <original>`, `local part (parent, parent) <original>`, `/file <original>`, `|command <original>`,
   * `:blackhole: <original>`, `discarded (system filter)`; returns where the fields begin.
   */
  private recipient(start: number, end: number): number {
    const { rows, b } = this;
    const c = b[start];
    let to: number;
    let next: number;
    if (c === 124 || c === 47 || c === 62 || begins(b, start, end, SAVE)) {
      // A command may hold anything: its end is where the original address closes before the fields.
      const close = this.closeBeforeFields(start, end);
      if (close < 0) {
        to = this.rows.indexOfByte(32, start, end);
        next = to;
      } else {
        let open = close;
        while (open > start && b[open] !== 60) open--;
        rows.original = rows.intern(rows.dictionaries.address, open + 1, close);
        to = open - 1;
        // The intermediate address in parentheses.
        if (b[to - 1] === 41) {
          let i = to - 2;
          while (i > start && b[i] !== 40) i--;
          if (i > start && b[i - 1] === 32) to = i - 1;
        }
        next = close + 1;
      }
    } else {
      to = this.recipientEnd(start, end);
      next = to;
      // `address: retry timeout exceeded`; `:blackhole:` is a name.
      if (b[to - 1] === 58 && c !== 58 && to - start > 1) {
        to--;
        next = to;
      }
      if (b[next] === 32 && b[next + 1] === 40) {
        const close = this.parenthesisEnd(next + 1, end);
        if (close > 0) next = close;
      }
      if (b[next] === 32 && b[next + 1] === 60) {
        const close = this.angleEnd(next + 1, end);
        if (close > 0) {
          rows.original = rows.intern(rows.dictionaries.address, next + 2, close);
          next = close + 1;
        }
      }
    }
    rows.address = rows.intern(rows.dictionaries.address, start, to);
    return next;
  }

  /** The end of a recipient, whose local part is logged without its quotes: `two words@b.example <"two words"@…>`. */
  private recipientEnd(start: number, end: number): number {
    const { b, rows } = this;
    const first = this.addressEnd(start, end);
    let from = start;
    for (let to = first; ; ) {
      const c = b[to + 1];
      // A field, the original address, its parents, or the reason: what mostly follows.
      if (to >= end || b[to + 2] === 61 || c === 60 || c === 40 || c === 58) return to;
      if (b[to - 1] === 58 || rows.indexOfByte(64, from, to) < to) return to;
      if (begins(b, to + 1, end, DEFER) || begins(b, to + 1, end, ROUTING)) return to;
      from = to + 1;
      to = rows.indexOfByte(32, from, end);
      if (to === end) return first;
    }
  }

  /** Where `>` closes and fields, a reason or nothing follows; -1 when nowhere. */
  private closeBeforeFields(start: number, end: number): number {
    const { b } = this;
    for (let i = start; i < end; i++) {
      if (b[i] !== 62) continue;
      if (i + 1 === end || b[i + 1] === 58) return i;
      if (b[i + 1] !== 32) continue;
      const c = b[i + 2]!;
      if (c === 58 || (c >= 65 && c <= 90 && b[i + 3] === 61) || (c === 100 && b[i + 3] === 101)) return i;
    }
    return -1;
  }

  /** The end of an address: a space, but not one within a quoted local part. */
  private addressEnd(start: number, end: number): number {
    const { b, rows } = this;
    if (b[start] !== 34) return rows.indexOfByte(32, start, end);
    const quote = this.quoteEnd(start + 1, end);
    return rows.indexOfByte(32, quote, end);
  }

  /** The closing quote of a string whose quotes are escaped, or `end`. */
  private quoteEnd(start: number, end: number): number {
    const { b, rows } = this;
    for (let i = rows.indexOfByte(34, start, end); i < end; i = rows.indexOfByte(34, i + 1, end)) {
      let slashes = 0;
      while (i - slashes > start && b[i - slashes - 1] === 92) slashes++;
      if (slashes % 2 === 0) return i;
    }
    return end;
  }

  /** The closing quote of a string whose quotes are not escaped (DN=): one at the end of a word, or `end`. */
  private bareQuoteEnd(start: number, end: number): number {
    const { b, rows } = this;
    for (let i = rows.indexOfByte(34, start, end); i < end; i = rows.indexOfByte(34, i + 1, end))
      if (i + 1 === end || b[i + 1] === 32 || b[i + 1] === 58) return i;
    return end;
  }

  /** The `>` of `<…>` at `p` that ends a word, or -1. */
  private angleEnd(p: number, end: number): number {
    const { b, rows } = this;
    for (let i = rows.indexOfByte(62, p, end); i < end; i = rows.indexOfByte(62, i + 1, end))
      if (i + 1 === end || b[i + 1] === 32 || b[i + 1] === 58) return i;
    return -1;
  }

  /** Behind the `)` of `(…)` at `p` that ends a word, or -1. */
  private parenthesisEnd(p: number, end: number): number {
    const { b, rows } = this;
    for (let i = rows.indexOfByte(41, p, end); i < end; i = rows.indexOfByte(41, i + 1, end))
      if (i + 1 === end || b[i + 1] === 32 || b[i + 1] === 58) return i + 1;
    return -1;
  }

  /**
   * Reads the fields from `p` on into the row, and returns where text begins that is none: the reason of a failure,
   * the recipients behind an arrival's `for`, or `end`.
   */
  private fields(start: number, end: number): number {
    const { rows, b } = this;
    const { dictionaries } = rows;
    const arrival = rows.kind === MailKind.arrival;
    // Where a text may follow without a colon.
    const loose = rows.kind !== MailKind.delivered && rows.kind !== MailKind.deliveredAlso && !arrival;
    let p = start;
    while (p < end) {
      const c = b[p]!;
      if (c === 32) {
        p++;
        continue;
      }
      if (c === 58 && (b[p + 1] === 32 || p + 1 === end)) return Math.min(p + 2, end);
      if (b[p + 1] === 61) {
        // One letter and `=`.
        const from = p + 2;
        switch (c) {
          case 82: // R=
            p = this.wordEnd(from, end);
            if (arrival) rows.related = rows.intern(dictionaries.message, from, p);
            else rows.router = rows.intern(dictionaries.mail_name, from, p);
            continue;
          case 84: // T=
            if (b[from] === 34) {
              p = this.quoteEnd(from + 1, end) + 1;
              continue;
            }
            p = this.wordEnd(from, end);
            if (!arrival) rows.transport = rows.intern(dictionaries.mail_name, from, p);
            continue;
          case 72: // H=
            p = this.peer(from, end);
            continue;
          case 73: // I=
            p = this.local(from, end);
            continue;
          case 83: // S=
            p = this.number(from, end);
            rows.bytes = this.value;
            continue;
          case 88: // X=
            p = this.wordEnd(from, end);
            rows.tls = rows.intern(dictionaries.mail_name, from, p);
            rows.flags |= MailFlag.tls;
            continue;
          case 67: // C=
            if (b[from] === 34) {
              const quote = this.quoteEnd(from + 1, end);
              rows.reply = rows.intern(dictionaries.reply, from + 1, quote);
              this.codes(from + 1, quote);
              p = quote + 1;
            } else p = rows.indexOfByte(32, from, end);
            continue;
          case 80: // P=
          case 70: // F=
            if (b[from] === 60) {
              const close = this.angleEnd(from, end);
              p = close < 0 ? end : close + 1;
              continue;
            }
            p = rows.indexOfByte(32, from, end);
            if (arrival && c === 80) rows.protocol = rows.intern(dictionaries.mail_name, from, p);
            continue;
          case 68: // D=, the duration of a connection
            p = this.duration(from, end);
            if (p < 0) p = this.skip(from, end);
            else rows.receive = this.milliseconds;
            continue;
          case 85: // U=
          case 65: // A=
          case 81: // Q=
            p = rows.indexOfByte(32, from, end);
            continue;
        }
      } else if (b[p + 2] === 61) {
        // Two letters and `=`.
        const d = b[p + 1];
        const from = p + 3;
        if (d === 84 && (c === 81 || c === 68 || c === 82)) {
          p = this.duration(from, end);
          if (p < 0) p = this.skip(from, end);
          else if (c === 81) rows.queue = this.milliseconds;
          else if (c === 68) rows.delivery = this.milliseconds;
          else rows.receive = this.milliseconds;
          continue;
        }
        if (c === 67 && d === 86) {
          p = this.wordEnd(from, end);
          if (b[from] === 121) rows.flags |= MailFlag.verified;
          else if (b[from] === 100) rows.flags |= MailFlag.verified | MailFlag.dane;
          continue;
        }
        if (c === 68 && d === 78) {
          p = b[from] === 34 ? this.bareQuoteEnd(from + 1, end) + 1 : this.wordEnd(from, end);
          continue;
        }
        if (c === 105 && d === 100) {
          p = rows.indexOfByte(32, from, end);
          rows.header = rows.intern(dictionaries.reply, from, p);
          continue;
        }
        if (c === 83 && d === 84) {
          // The shadow transport, and in parentheses why it failed.
          p = this.wordEnd(from, end);
          if (b[p] === 32 && b[p + 1] === 40) p = Math.max(p, this.parenthesisEnd(p + 1, end));
          continue;
        }
        if ((c === 67 && d === 105) || (c === 80 && d === 83)) {
          p = rows.indexOfByte(32, from, end);
          continue;
        }
      } else if (arrival && c === 102) {
        if (b[p + 1] === 111 && b[p + 2] === 114 && b[p + 3] === 32) return p + 4; // `for `
        // `from <…>`
        if (b[p + 1] === 114 && b[p + 4] === 32 && b[p + 5] === 60) {
          const close = this.angleEnd(p + 5, end);
          p = close < 0 ? end : close + 1;
          continue;
        }
      } else if (c === 100 && b[p + 1] === 101 && b[p + 5] === 32 && b[p + 6] === 40) {
        p = this.errno(p + 6, end); // `defer (`
        continue;
      }
      const to = rows.indexOfByte(32, p, end);
      if (!this.mark(p, to)) {
        if (loose && !this.isRouting(p, to)) return p;
        // Another field, of a later Exim or of another patch.
        if (rows.indexOfByte(61, p, to) === to && !loose) rows.flags |= MailFlag.partly;
      }
      p = to;
    }
    return end;
  }

  /** `routing` stands where no router could be named. */
  private isRouting(p: number, to: number): boolean {
    const { b } = this;
    return (to - p === 7 && b[p] === 114 && b[p + 1] === 111) || this.rows.indexOfByte(61, p, to) < to;
  }

  /** A field that is one word: K, L, TFO, PRDR … */
  private mark(p: number, to: number): boolean {
    const { rows, b } = this;
    const c = b[p];
    const length = to - p;
    if (c === 75 && length === 1) rows.flags |= MailFlag.chunking;
    else if (c === 76 && length <= 3 && (length === 1 || b[p + 1]! < 48)) {
      // Behind an arrival's `L` a minus says that it was offered and not used.
      if (b[to - 1] !== 45) rows.flags |= MailFlag.pipelining;
    } else if (c === 84 && b[p + 1] === 70 && b[p + 2] === 79)
      rows.flags |= b[p + 3] === 42 ? MailFlag.fastOpen | MailFlag.fastOpenData : MailFlag.fastOpen;
    else if (c === 80 && length === 4 && b[p + 1] === 82 && b[p + 2] === 68) rows.flags |= MailFlag.prdr;
    else {
      // DS, SPF, DKIM, DMARC, ARC: of no account here.
      return (
        (c === 68 && (length === 2 || length === 4 || length === 5) && b[to - 1]! < 97) ||
        (c === 83 && length === 3 && b[p + 1] === 80) ||
        (c === 65 && length === 3 && b[p + 1] === 82)
      );
    }
    return true;
  }

  /** `(111): Connection refused`: the number goes to the row, and so does the text when nothing better follows. */
  private errno(open: number, end: number): number {
    const { rows, b } = this;
    const minus = b[open + 1] === 45;
    let value = 0;
    let p = minus ? open + 2 : open + 1;
    for (; p < end && isDigit(b[p]!); p++) value = Math.min(value * 10 + b[p]! - 48, MOST_INTEGER);
    if (b[p] !== 41) return this.skip(open, end);
    rows.errno = minus ? -value : value;
    p++;
    // A system error has its text; what follows a number of Exim's own is the reason.
    if (b[p] !== 58 || b[p + 1] !== 32 || minus || value === 0) return p;
    const from = p + 2;
    let to = from;
    for (; to < end; to++) {
      if (b[to] === 58 && b[to + 1] === 32) break;
      if (b[to] === 32 && b[to + 2] === 61 && b[to + 1] === 72) break; // ` H=`
      if (b[to] === 32 && b[to + 2] === 84 && b[to + 3] === 61) break; // ` DT=`
    }
    rows.reply = rows.intern(rows.dictionaries.reply, from, to);
    return to;
  }

  /**
   * `name [ip]:port`, `name (helo) [ip]`, `(helo) [ip]`, `[ip]`, or a name alone; `*` behind it for a connection that
   * was there already. Returns where it ends.
   */
  private peer(start: number, end: number): number {
    const { rows, b } = this;
    let p = start;
    if (b[p] !== 91) {
      if (b[p] === 40) {
        p = this.heloEnd(p, end);
        rows.host = rows.intern(rows.dictionaries.mail_host, start, p);
      } else {
        p = this.wordEnd(p, end);
        rows.host = rows.intern(rows.dictionaries.mail_host, start, p);
        if (b[p + 1] === 68 && b[p + 2] === 83 && b[p + 3] === 32) p += 3;
        if (b[p + 1] === 40) p = this.heloEnd(p + 1, end);
      }
      if (b[p] !== 32 || b[p + 1] !== 91) return p;
      p++;
    }
    const close = this.bracketEnd(p, end);
    if (close < 0) return this.skip(p, end);
    rows.ip = rows.intern(rows.dictionaries.mail_ip, p + 1, close);
    p = close + 1;
    if (b[p] === 58 && isDigit(b[p + 1]!)) {
      p = this.number(p + 1, end);
      rows.port = this.value;
    }
    if (b[p] === 42) {
      rows.flags |= MailFlag.reused;
      p++;
    }
    return p;
  }

  /** Behind the `)` of what a client called itself: it may be anything, so the bracket that follows decides. */
  private heloEnd(p: number, end: number): number {
    const { rows, b } = this;
    for (let i = rows.indexOfByte(41, p, end); i < end; i = rows.indexOfByte(41, i + 1, end))
      if (b[i + 1] === 32 && b[i + 2] === 91) return i + 1;
    return rows.indexOfByte(32, p, end);
  }

  /** The `]` of an address at `p`, or -1: an address has at most 45 characters, and a zone. */
  private bracketEnd(p: number, end: number): number {
    const { b } = this;
    const most = Math.min(end, p + 80);
    for (let i = p + 1; i < most; i++) if (b[i] === 93) return i;
    return -1;
  }

  private local(start: number, end: number): number {
    const { rows, b } = this;
    const close = b[start] === 91 ? this.bracketEnd(start, end) : -1;
    if (close < 0) return this.skip(start, end);
    rows.localIp = rows.intern(rows.dictionaries.mail_ip, start + 1, close);
    if (b[close + 1] !== 58 || !isDigit(b[close + 2]!)) return close + 1;
    const p = this.number(close + 2, end);
    rows.localPort = this.value;
    return p;
  }

  /** The end of a word that a colon and a reason may follow. */
  private wordEnd(start: number, end: number): number {
    const to = this.rows.indexOfByte(32, start, end);
    return to > start && this.b[to - 1] === 58 ? to - 1 : to;
  }

  private skip(start: number, end: number): number {
    this.rows.flags |= MailFlag.partly;
    return this.rows.indexOfByte(32, start, end);
  }

  private value = -1;
  /** Digits at `p` into `value`, at most what a column holds. */
  private number(p: number, end: number): number {
    const { b } = this;
    let value = 0;
    let i = p;
    for (; i < end && isDigit(b[i]!); i++) value = value * 10 + b[i]! - 48;
    if (i === p) {
      this.value = -1;
      return this.skip(p, end);
    }
    this.value = Math.min(value, MOST_INTEGER);
    return i;
  }

  private milliseconds = -1;
  /** `5w3d5h6m7s` or `0.304s` into `milliseconds`; returns its end, or -1 when it is neither. */
  private duration(p: number, end: number): number {
    const { b } = this;
    let total = 0;
    let i = p;
    while (i < end && isDigit(b[i]!)) {
      let value = 0;
      for (; i < end && isDigit(b[i]!); i++) value = value * 10 + b[i]! - 48;
      if (b[i] === 46) {
        let unit = 0.1;
        for (i++; i < end && isDigit(b[i]!); i++, unit /= 10) value += (b[i]! - 48) * unit;
      }
      const unit = i < end ? unitOf(b[i]!) : 0;
      if (unit === 0) return -1;
      total += value * unit;
      i++;
    }
    if (i === p) return -1;
    // Exim's own form ends in a word's end; anything else is a text.
    this.milliseconds = total > MOST_INTEGER ? MOST_INTEGER : Math.round(total);
    return i;
  }

  /** The text of why something did not work, with the codes and the amount in it. */
  private reason(p: number, end: number): void {
    const { rows } = this;
    if (p >= end) return;
    rows.reply = rows.intern(rows.dictionaries.reply, p, end);
    if (begins(this.b, p + 1, end, REMOTE_ERROR)) this.codesWithin(p, end);
    else this.written(p, end);
  }

  /** `SMTP error from remote mail server after RCPT TO:<…>: 451 4.7.1 …` */
  private codesWithin(p: number, end: number): void {
    const { rows, b } = this;
    for (let i = rows.indexOfByte(58, p, end); i < end; i = rows.indexOfByte(58, i + 1, end))
      if (b[i + 1] === 32 && this.codes(i + 2, end)) return;
  }

  /** A reply code at `p`, and the enhanced one behind it (RFC 5321 section 4.2, RFC 3463 section 2). */
  private codes(p: number, end: number): boolean {
    const { rows, b } = this;
    const first = b[p]! - 48;
    if (p + 3 > end || !(first >= 2 && first <= 5) || !isDigit(b[p + 1]!) || !isDigit(b[p + 2]!))
      return false;
    if (p + 3 < end && b[p + 3] !== 32 && b[p + 3] !== 45) return false;
    rows.code = first * 100 + (b[p + 1]! - 48) * 10 + b[p + 2]! - 48;
    const from = p + 4;
    if (!(from + 5 <= end && isDigit(b[from]!) && b[from + 1] === 46)) return true;
    let i = from + 2;
    while (i < end && isDigit(b[i]!)) i++;
    if (i > from + 5 || b[i] !== 46) return true;
    const detail = ++i;
    while (i < end && isDigit(b[i]!)) i++;
    if (i > detail && i <= detail + 3 && i <= end)
      rows.dsn = rows.intern(rows.dictionaries.mail_name, from, i);
    return true;
  }

  /** `SMTP timeout after sending data block (199774 bytes written)` */
  private written(p: number, end: number): void {
    const { rows, b } = this;
    const open = rows.indexOfByte(40, p, end);
    if (open === end || !isDigit(b[open + 1]!)) return;
    let value = 0;
    let i = open + 1;
    for (; i < end && isDigit(b[i]!); i++) value = value * 10 + b[i]! - 48;
    if (begins(b, i, end, WRITTEN)) rows.bytes = Math.min(value, MOST_INTEGER);
  }

  /** A line of a message that has no flag. */
  private ofMessage(p: number, end: number, line: number): Unread {
    const { rows, b } = this;
    if (b[p] === 67 && begins(b, p, end, COMPLETED)) {
      rows.kind = MailKind.completed;
      this.fields(p + COMPLETED.length, end);
      rows.commit(line);
      return Unread.none;
    }
    if (isPeer(b, p)) return this.ofPeer(p, end, MailKind.hostError, line);
    const phrase = messagePhrase(b, p, end);
    if (phrase) return this.said(phrase, p, p + phrase.bytes.length, end, line);
    rows.kind = MailKind.remark;
    rows.reply = rows.intern(rows.dictionaries.reply, p, end);
    rows.commit(line);
    return Unread.none;
  }

  /** A line that belongs to no message. */
  private program(p: number, end: number, line: number): Unread {
    const { b, rows } = this;
    // Behind the end of a line that was cut stands whatever was in the buffer.
    if (p < end && isPeer(b, p)) return this.ofPeer(p, end, MailKind.other, line);
    const phrase = p < end ? programPhrase(b, p, end) : null;
    if (phrase) {
      if (!phrase.common) this.distinct++;
      return this.said(phrase, p, p + phrase.bytes.length, end, line);
    }
    const within = p < end ? phraseWithin(b, p, end) : null;
    if (!within) {
      // The text of an ACL's logwrite or of an expansion is the administrator's own: any.
      rows.kind = MailKind.other;
      this.reason(p, end);
      rows.commit(line);
      return Unread.none;
    }
    this.distinct++;
    return this.said(within.phrase, p, within.after, end, line);
  }

  /** A line that says one of the known phrases; `after` is where the phrase ends. */
  private said(phrase: Phrase, start: number, after: number, end: number, line: number): Unread {
    const { rows, b } = this;
    rows.kind = phrase.kind;
    let text = start;
    if (phrase.mute) {
      rows.commit(line);
      return Unread.none;
    }
    switch (phrase.kind) {
      case MailKind.queueRunStart:
      case MailKind.queueRunEnd:
        // The pid is the queue runner's; what is kept are the options of the run.
        text = this.queueRun(after, end);
        break;
      case MailKind.daemonStart:
        this.pidAfter(after - PID.length, end);
        if (begins(b, start, end, EXIM)) {
          const version = start + EXIM.length;
          const to = rows.indexOfByte(32, version, end);
          rows.transport = rows.intern(rows.dictionaries.mail_name, version, to);
        }
        break;
      case MailKind.rejected:
        if (!phrase.peer) {
          const host = this.hostWithin(start, end);
          if (host >= 0) this.peer(host, end);
          if (rows.message !== 0 || b[start] === 114) text = this.rejection(start, end);
        }
        break;
      default:
        if (!phrase.peer) {
          const host = this.hostWithin(start, end);
          if (host >= 0) this.fields(this.peer(host, end), end);
        }
    }
    if (phrase.peer) {
      let p = after;
      if (b[p] === 72 && b[p + 1] === 61) p += 2;
      if (b[p] === 91 || b[p] === 40 || this.bracketFollows(p, end)) p = this.peer(p, end);
      // What the phrase and the other side leave: `closed by QUIT`, a reason.
      const rest = this.fields(p, end);
      if (phrase.kind === MailKind.connection || phrase.kind === MailKind.tlsError) {
        text = rest;
        if (rest >= end) rows.reply = rows.intern(rows.dictionaries.reply, start, after - 1);
      }
    }
    if (text < end) this.reason(text, end);
    rows.commit(line);
    return Unread.none;
  }

  /** `name [` or `name (`: the peer is a host and not a local user. */
  private bracketFollows(p: number, end: number): boolean {
    const { b } = this;
    const space = this.rows.indexOfByte(32, p, end);
    return space + 1 < end && (b[space + 1] === 91 || b[space + 1] === 40);
  }

  /** `pid=8587 -qR`, or `'name' queue run: pid=8587`: the options are the text. */
  private queueRun(p: number, end: number): number {
    const { b, rows } = this;
    for (let i = p; i < end; i = rows.indexOfByte(112, i + 1, end))
      if (begins(b, i, end, PID)) return this.pidAfter(i, end);
    return p;
  }

  /** Reads `pid=123` at `p`; returns what is behind it, or the text that stands there instead. */
  private pidAfter(p: number, end: number): number {
    const { rows, b } = this;
    if (!begins(b, p, end, PID)) return p;
    const from = p + PID.length;
    if (!isDigit(b[from]!)) return rows.indexOfByte(32, from, end) + 1;
    const to = this.number(from, end);
    if (rows.pid < 0) rows.pid = this.value;
    return Math.min(to + 1, end);
  }

  /** Where the name behind the first ` H=` begins, or -1. */
  private hostWithin(p: number, end: number): number {
    const { rows, b } = this;
    for (let i = rows.indexOfByte(32, p, end); i < end; i = rows.indexOfByte(32, i + 1, end))
      if (begins(b, i, end, HOST)) return i + HOST.length;
    return -1;
  }

  /** `H=… F=<…> rejected RCPT <…>: …`, `H=… [ip]:25: SMTP error …`, `U=… Warning: …` and so on. */
  private ofPeer(start: number, end: number, kind: MailKind, line: number): Unread {
    const { rows, b } = this;
    rows.kind = kind;
    const p = this.fields(start, end);
    if (rows.ip !== 0) this.distinct++;
    let text = p;
    if (begins(b, p, end, REJECTED)) {
      rows.kind = MailKind.rejected;
      this.distinct++;
      text = this.rejection(p, end);
    } else if (begins(b, p, end, TEMPORARILY)) {
      rows.kind = MailKind.rejected;
      this.distinct++;
      this.rejection(p + TEMPORARILY.length - REJECTED.length, end);
    } else {
      const phrase = p < end ? afterPeer(b, p, end) : null;
      if (phrase) {
        rows.kind = phrase.kind;
        this.distinct++;
      } else if (rows.message === 0 && rows.ip === 0 && b[start] !== 85) rows.kind = MailKind.other;
    }
    if (text < end) this.reason(text, end);
    rows.commit(line);
    return Unread.none;
  }

  /** `rejected RCPT <a@b>: reason` at `p`: the recipient goes to the row; returns where the reason begins. */
  private rejection(p: number, end: number): number {
    const { rows, b } = this;
    const at = p + REJECTED.length;
    if (b[at] !== 82 || b[at + 1] !== 67 || b[at + 4] !== 32) return p;
    let from = at + 5;
    let to: number;
    let next: number;
    if (b[from] === 60) {
      const close = this.angleEnd(from, end);
      if (close < 0) return p;
      to = close;
      from++;
      next = close + 1;
    } else {
      to = this.wordEnd(from, end);
      next = to;
    }
    rows.address = rows.intern(rows.dictionaries.address, from, to);
    return b[next] === 58 ? Math.min(next + 2, end) : p;
  }
}

const SAVE = encoder.encode('save ');

/** What may follow the other side's name. */
const AFTER_PEER: { bytes: Uint8Array; kind: MailKind }[] = (
  [
    ['Warning: ', MailKind.remark],
    ['TLS ', MailKind.tlsError],
    ['a TLS session is required', MailKind.tlsError],
    ['DANE ', MailKind.tlsError],
    ['sender verify ', MailKind.rejected],
    ['verify ', MailKind.rejected],
    ['dropped by ', MailKind.rejected],
    ['incomplete transaction ', MailKind.connection],
    ['discarded by ', MailKind.rejected],
    ['RCPT ', MailKind.rejected],
    ['MAIL ', MailKind.rejected],
    ['rejected by ', MailKind.rejected],
  ] as const
).map(([text, kind]) => ({ bytes: encoder.encode(text), kind }));

function afterPeer(b: Uint8Array, p: number, end: number) {
  for (let i = 0; i < AFTER_PEER.length; i++)
    if (begins(b, p, end, AFTER_PEER[i]!.bytes)) return AFTER_PEER[i]!;
  return null;
}

/** `H=`, `U=` or `F=`. */
function isPeer(b: Uint8Array, p: number): boolean {
  const c = b[p];
  return b[p + 1] === 61 && (c === 72 || c === 85 || c === 70);
}

/** Milliseconds of a unit as Exim's readconf_printtime() writes it; 0 for none. */
function unitOf(byte: number): number {
  switch (byte) {
    case 115:
      return 1000;
    case 109:
      return 60_000;
    case 104:
      return 3_600_000;
    case 100:
      return 86_400_000;
    case 119:
      return 604_800_000;
    default:
      return 0;
  }
}

const ALPHANUMERIC = new Uint8Array(256);
for (let c = 0; c < 256; c++)
  if ((c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122)) ALPHANUMERIC[c] = 1;

function alphanumeric(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (ALPHANUMERIC[b[i]!] !== 1) return false;
  return true;
}

/**
 * The end of a message id at `p`, with a space or the line's end behind it; -1 when there is none. Three parts of
 * 6, 6 and 2 characters, since Exim 4.97 of 6, 11 and 4 (specification, "Message identification").
 */
function messageIdEnd(b: Uint8Array, p: number, end: number): number {
  if (p + 16 > end || b[p + 6] !== 45) return -1;
  const short = b[p + 13] === 45;
  const middle = short ? p + 13 : p + 18;
  const to = short ? p + 16 : p + 23;
  if (to > end || b[middle] !== 45 || (to < end && b[to] !== 32)) return -1;
  return alphanumeric(b, p, p + 6) && alphanumeric(b, p + 7, middle) && alphanumeric(b, middle + 1, to)
    ? to
    : -1;
}

/** The number of a part of a syslog entry that was split: 2 for `[2/5] `, `[2\5] `; 0 when it is none. */
function partOf(b: Uint8Array, p: number, end: number): number {
  let i = p + 1;
  let part = 0;
  for (; i < end && i < p + 6 && isDigit(b[i]!); i++) part = part * 10 + b[i]! - 48;
  if (b[i] !== 47 && b[i] !== 92) return 0;
  const of = ++i;
  while (i < end && i < of + 5 && isDigit(b[i]!)) i++;
  return i > of && b[i] === 93 && b[i + 1] === 32 ? part : 0;
}
