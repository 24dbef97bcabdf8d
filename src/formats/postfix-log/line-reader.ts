import { MailFlag, MailKind } from '../mail-log/columns.js';
import type { MailRows } from '../mail-log/rows.js';
import { Unread } from '../unread.js';
import { phraseAt, Reads } from './phrases.js';
import { Words } from './words.js';

const SPACE = 32;
const QUOTE = 34;
const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const COLON = 58;
const SEMICOLON = 59;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const BRACKET = 91;
const BACKSLASH = 92;
const BRACKET_END = 93;

/**
 * Bytes of queue ids. Short ones are hexadecimal digits; long ones digits, and letters without vowels
 * (Postfix mail_queue.h, safe_ultostr.c).
 */
const ID_BYTES = new Uint8Array(256);
for (const c of '0123456789ABCDEFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz') ID_BYTES[c.charCodeAt(0)] = 1;
/** Five digits of the microsecond and an inode's first digit. */
const SHORTEST_ID = 6;

/** A domain name (RFC 1035), and an IPv6 address with its zone and brackets. */
const LONGEST_NAME = 255;
const LONGEST_IP = 64;
/** Where in a text the other side is named. */
const NEAR = 400;
const ADDRESS_BYTES = new Uint8Array(256);
for (const c of '0123456789abcdefABCDEF:.%') ADDRESS_BYTES[c.charCodeAt(0)] = 1;

/** bounce.c, defer.c, sent.c and verify.c of Postfix's global/; qmgr_active.c for the expired. */
const STATUS = new Words({
  sent: MailKind.delivered,
  deferred: MailKind.deferred,
  SOFTBOUNCE: MailKind.deferred,
  bounced: MailKind.failed,
  expired: MailKind.failed,
  'force-expired': MailKind.failed,
  // Address probes of verify(8): nothing was to be delivered.
  deliverable: MailKind.remark,
  undeliverable: MailKind.remark,
});

const isDigit = (c: number | undefined) => c !== undefined && c >= 48 && c <= 57;
const latin = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

const FROM = latin('from=<');
const TO = latin('to=<');
const PROTO = latin('proto=');
const HELO = latin('helo=<');
const FORWARDED = latin('forwarded as ');
const SAID = latin(' said: ');
const TO_ME = latin(' to me: ');
const NOQUEUE = latin('NOQUEUE: ');
const NOTHING = latin('none');
const UNKNOWN = latin('unknown');
const SIZE = latin('size=');
const NRCPT = latin('nrcpt=');
const STATUS_IS = latin('status=');
const USERNAME = latin('sasl_username=');
const ORIG_QUEUE_ID = latin('orig_queue_id=');
const AT_FROM = latin(' from ');
const TAIL = latin('; ');
const TLS_FROM = latin(': ');

/**
 * The text of one Postfix line, into the current row. What a column holds beyond columns.ts:
 *
 * transport  the program as it calls itself, without `postfix/`: `smtp`, `submission/smtpd`, `postfix-out/smtp`
 * router     of a delivery, a relay that is no host (`local`, a pipe(8) service, a socket); of a refusal, what was
 *            refused (`RCPT`, `CONNECT`, `END-OF-MESSAGE`, `header`)
 * connection smtpd's `client=` and pickup's `uid=` are of this kind and have the queue id: there `address` is the
 *            login or the sender, `related` the id before a content filter, `reply` what else is told. Others tell
 *            by `reply` what happened: `connect`, the counts of a `disconnect`, `lost connection after DATA`
 * delivered  `related` is the new message when the mail was forwarded
 * failed     without an address: the whole message expired
 */
export class PostfixLine {
  /** Whether smtp(8) or lmtp(8) wrote the line. */
  isClient = false;
  /** Whether postsuper(1) did. */
  isByHand = false;
  /** Where the value read last ended. */
  private valueEnd = 0;

  constructor(private readonly rows: MailRows) {}

  /** @returns why the text of [start, end) was not read */
  read(start: number, end: number): Unread {
    const { rows } = this;
    const b = rows.buffer;
    let p = start;
    const q = this.idEnd(p, end);
    const hasId = q - p >= SHORTEST_ID && b[q] === COLON && b[q + 1] === SPACE && q + 2 < end;
    if (hasId) {
      rows.message = rows.intern(rows.dictionaries.message, p, q);
      p = q + 2;
    } else if (this.at(NOQUEUE, p, end)) p += NOQUEUE.length;
    const phrase = phraseAt(b, p, end, hasId);
    if (phrase === undefined) {
      return hasId && this.isClient ? this.inAnyWords(p, end) : Unread.unknownMail;
    }
    rows.kind = phrase.kind;
    if (phrase.kind === MailKind.remark && !hasId) rows.kind = MailKind.other;
    if (phrase.verified) rows.flags |= MailFlag.verified;
    const behind = p + phrase.bytes.length;
    switch (phrase.reads) {
      case Reads.delivery:
        return this.delivery(behind, end);
      case Reads.client:
        this.peerIn(behind, end);
        return this.reply(
          p,
          phrase.begins === 'DNSBL rank ' ? this.upTo(SPACE, behind, end) : p + phrase.kept,
        );
      case Reads.disconnect: {
        const at = this.peer(behind, end);
        return at > 0 && at + 1 < end ? this.reply(at + 1, end) : this.reply(p, p + phrase.kept);
      }
      case Reads.messageId: {
        const inner = b[behind] === LESS && b[end - 1] === GREATER ? 1 : 0;
        rows.header = rows.intern(rows.dictionaries.reply, behind + inner, end - inner);
        return Unread.none;
      }
      case Reads.clientOf:
        return this.clientOf(behind, end);
      case Reads.from:
        return this.from(p, end);
      case Reads.removed:
        return this.removed(p, end);
      case Reads.broken:
        return this.broken(p, behind, end);
      case Reads.action:
        return this.action(behind, end);
      case Reads.tls:
        return this.tls(p, end);
      case Reads.notification:
        rows.related = rows.intern(rows.dictionaries.message, behind, end);
        return this.reply(p, behind - 2);
      case Reads.pickup:
        return this.pickup(p, end);
      case Reads.screened:
        return this.screened(behind, end, p + phrase.kept);
      case Reads.version:
        rows.transport = rows.intern(rows.dictionaries.mail_name, behind, this.upTo(COMMA, behind, end));
        return this.reply(p, end);
      case Reads.complaint:
        return this.complaint(p, behind, end);
      case Reads.peer:
        this.peerIn(p, end);
        this.codeSaid(p, end);
        return this.reply(p, end);
      default:
        return this.reply(p, end);
    }
  }

  private idEnd(p: number, end: number): number {
    const b = this.rows.buffer;
    let q = p;
    while (q < end && ID_BYTES[b[q]!] === 1) q++;
    return q;
  }

  private at(literal: Uint8Array, p: number, end: number): boolean {
    const { length } = literal;
    if (p + length > end) return false;
    const b = this.rows.buffer;
    for (let k = 0; k < length; k++) if (b[p + k] !== literal[k]) return false;
    return true;
  }

  /** Where a text begins in [p, end), or -1. */
  private find(literal: Uint8Array, p: number, end: number): number {
    const { rows } = this;
    const first = literal[0]!;
    for (let i = rows.indexOfByte(first, p, end); i < end; i = rows.indexOfByte(first, i + 1, end))
      if (this.at(literal, i, end)) return i;
    return -1;
  }

  private upTo(byte: number, p: number, end: number): number {
    return this.rows.indexOfByte(byte, p, end);
  }

  private reply(start: number, end: number): Unread {
    this.rows.reply = this.rows.intern(this.rows.dictionaries.reply, start, end);
    return Unread.none;
  }

  /** smtp(8) and lmtp(8) log with the queue id why they go on to another host, in whatever words (smtp_trouble.c). */
  private inAnyWords(start: number, end: number): Unread {
    this.rows.kind = MailKind.hostError;
    this.peerIn(start, end);
    this.codeSaid(start, end);
    return this.reply(start, end);
  }

  /**
   * The end of an address that begins at `p`, behind its `<`. A quoted local part may hold any byte (RFC 5321 section
   * 4.1.2); outside of quotes Postfix puts no `>` before a comma, space, colon or semicolon.
   */
  private addressEnd(p: number, end: number): number {
    const b = this.rows.buffer;
    let i = p;
    if (b[i] === QUOTE) {
      for (i++; i < end && b[i] !== QUOTE; i++) if (b[i] === BACKSLASH) i++;
      // No closing quote: then it was no quoted local part.
      if (i >= end) i = p;
    }
    for (; ; i++) {
      i = this.rows.indexOfByte(GREATER, i, end);
      if (i + 1 >= end) return i;
      const next = b[i + 1];
      if (next === COMMA || next === SPACE || next === COLON || next === SEMICOLON || next === CLOSE)
        return i;
    }
  }

  private address(start: number, end: number): number {
    return this.rows.intern(this.rows.dictionaries.address, start, end);
  }

  /** `name[192.0.2.1]:25` at `p`; the place behind it, or -1. */
  private peer(p: number, end: number): number {
    const { rows } = this;
    const b = rows.buffer;
    let open = p;
    for (; open < end; open++) {
      const c = b[open];
      if (c === BRACKET) break;
      if (c === SPACE) return -1;
    }
    if (open >= end) return -1;
    const close = rows.indexOfByte(BRACKET_END, open, end);
    if (close >= end) return -1;
    const d = rows.dictionaries;
    // smtpd calls a client `unknown` whose name it could not verify.
    if (open > p && !(open - p === UNKNOWN.length && this.at(UNKNOWN, p, open)))
      rows.host = rows.intern(d.mail_host, p, open);
    if (this.isAddress(open + 1, close)) rows.ip = rows.intern(d.mail_ip, open + 1, close);
    else if (open === p) rows.host = rows.intern(d.mail_host, open + 1, close);
    else if (rows.router === 0) rows.router = rows.intern(d.mail_name, open + 1, close);
    return this.portAt(close + 1, end);
  }

  /** `:25` at `p`; the place behind it. */
  private portAt(p: number, end: number): number {
    const b = this.rows.buffer;
    if (b[p] !== COLON || p + 1 >= end || !isDigit(b[p + 1])) return p;
    let i = p + 1;
    let port = 0;
    for (; i < end && i < p + 6 && isDigit(b[i]); i++) port = port * 10 + b[i]! - 48;
    if (port > 65_535 || isDigit(b[i])) return p;
    this.rows.port = port;
    return i;
  }

  private isAddress(start: number, end: number): boolean {
    const b = this.rows.buffer;
    let marks = 0;
    for (let i = start; i < end; i++) {
      const c = b[i]!;
      // The zone of a link-local address may be any name: fe80::1%eth0.
      if (c === 37 && marks > 1) return i > start;
      if (ADDRESS_BYTES[c] === 0) return false;
      if (c === COLON || c === 46) marks++;
    }
    return marks > 1;
  }

  /** The first `name[address]` in the text; the place behind it, or -1. */
  private peerIn(start: number, end: number): number {
    const { rows } = this;
    const b = rows.buffer;
    for (
      let open = rows.indexOfByte(BRACKET, start, end);
      open < end;
      open = rows.indexOfByte(BRACKET, open + 1, end)
    ) {
      const close = rows.indexOfByte(BRACKET_END, open, Math.min(end, open + LONGEST_IP));
      if (b[close] !== BRACKET_END || close >= end) continue;
      let name = open;
      while (name > start && open - name < LONGEST_NAME && b[name - 1] !== SPACE) name--;
      if (this.isAddress(open + 1, close)) return this.peer(name, end);
    }
    return -1;
  }

  /** `4.7.1` at `p`. */
  private dsnAt(p: number, end: number): void {
    const b = this.rows.buffer;
    const c = b[p];
    if (p + 5 > end || (c !== 50 && c !== 52 && c !== 53) || b[p + 1] !== 46) return;
    let i = p + 2;
    while (i < end && i < p + 5 && isDigit(b[i])) i++;
    if (i === p + 2 || b[i] !== 46) return;
    const detail = i + 1;
    i = detail;
    while (i < end && i < detail + 3 && isDigit(b[i])) i++;
    if (i === detail || (i < end && b[i] !== SPACE && b[i] !== COMMA && b[i] !== SEMICOLON)) return;
    this.rows.dsn = this.rows.intern(this.rows.dictionaries.mail_name, p, i);
  }

  /** A reply code at `p`: three digits, then a space, a hyphen or the end. */
  private codeAt(p: number, end: number): boolean {
    const b = this.rows.buffer;
    const c = b[p]!;
    if (p + 3 > end || c < 50 || c > 53 || !isDigit(b[p + 1]) || !isDigit(b[p + 2])) return false;
    if (p + 3 < end && b[p + 3] !== SPACE && b[p + 3] !== 45) return false;
    this.rows.code = (c - 48) * 100 + (b[p + 1]! - 48) * 10 + b[p + 2]! - 48;
    if (this.rows.dsn === 0) this.dsnAt(p + 4, end);
    return true;
  }

  /** The code of what the other side said, be it first in the text or behind `said:` or `refused to talk to me:`. */
  private codeSaid(start: number, end: number): void {
    if (this.codeAt(start, end)) return;
    // The words stand behind the other side's name, near the beginning.
    const near = Math.min(end, start + NEAR);
    const said = this.find(SAID, start, near);
    if (said >= 0) {
      this.codeAt(said + SAID.length, end);
      return;
    }
    const refused = this.find(TO_ME, start, near);
    if (refused >= 0) this.codeAt(refused + TO_ME.length, end);
  }

  /** `0.05`, `12`: milliseconds, up to what the column holds; the end is in `valueEnd`. */
  private millis(p: number, end: number): number {
    const b = this.rows.buffer;
    let i = p;
    let value = 0;
    for (; i < end && isDigit(b[i]); i++) if (value < 1e9) value = value * 10 + b[i]! - 48;
    let ms = value * 1000;
    if (i > p && b[i] === 46) {
      let scale = 100;
      for (i++; i < end && isDigit(b[i]); i++, scale /= 10) if (scale >= 1) ms += (b[i]! - 48) * scale;
    }
    this.valueEnd = i;
    return i === p ? -1 : Math.min(ms, 0x7fff_ffff);
  }

  /** `to=<…>, orig_to=<…>, relay=…, conn_use=2, delay=…, delays=a/b/c/d, tls=…, dsn=…, status=… (…)`. */
  private delivery(start: number, end: number): Unread {
    const { rows } = this;
    const b = rows.buffer;
    const d = rows.dictionaries;
    let p = start;
    if (b[p] === LESS) {
      const close = this.addressEnd(p + 1, end);
      rows.address = this.address(p + 1, close);
      p = close + 1;
    } else {
      const comma = this.upTo(COMMA, p, end);
      rows.address = this.address(p, comma);
      p = comma;
    }
    while (p < end) {
      while (p < end && (b[p] === COMMA || b[p] === SPACE)) p++;
      const equals = this.upTo(EQUALS, p, end);
      const value = equals + 1;
      if (value >= end) break;
      const key = equals - p;
      const c = b[p];
      if (c === 115 && key === 6) return this.status(value, end);
      if (c === 111 && b[value] === LESS) {
        // orig_to
        const close = this.addressEnd(value + 1, end);
        rows.original = this.address(value + 1, close);
        p = close + 1;
        continue;
      }
      if (c === 114) {
        p = this.relay(value, end);
        continue;
      }
      if (c === 100 && key === 5) {
        rows.queue = this.millis(value, end);
        p = this.valueEnd;
      } else if (c === 100 && key === 6) {
        rows.before = this.millis(value, end);
        if (b[this.valueEnd] === 47) rows.active = this.millis(this.valueEnd + 1, end);
        if (b[this.valueEnd] === 47) rows.connect = this.millis(this.valueEnd + 1, end);
        if (b[this.valueEnd] === 47) rows.transmit = this.millis(this.valueEnd + 1, end);
        p = this.valueEnd;
      } else if (c === 99) rows.flags |= MailFlag.reused;
      p = this.upTo(COMMA, Math.max(p, value), end);
      if (c === 100 && key === 3) rows.dsn = rows.intern(d.mail_name, value, p);
    }
    return Unread.brokenOff;
  }

  private relay(start: number, end: number): number {
    const { rows } = this;
    const stop = this.upTo(COMMA, start, end);
    if (this.peer(start, stop) > 0) return stop;
    // No host: `none`, `local`, a pipe(8) service, a socket.
    if (!(stop - start === NOTHING.length && this.at(NOTHING, start, stop)))
      rows.router = rows.intern(rows.dictionaries.mail_name, start, stop);
    return stop;
  }

  private status(start: number, end: number): Unread {
    const { rows } = this;
    const b = rows.buffer;
    const stop = this.upTo(SPACE, start, end);
    rows.kind = STATUS.find(b, start, stop);
    if (rows.kind === 0) return stop < end ? Unread.unknownMail : Unread.brokenOff;
    if (stop + 1 >= end || b[stop + 1] !== OPEN) return Unread.none;
    const open = stop + 2;
    let close = end;
    // Postfix cuts lines at 2000 bytes (msg_syslog.c).
    if (b[end - 1] === CLOSE) close = end - 1;
    else rows.flags |= MailFlag.partly;
    this.codeSaid(open, close);
    // relay=none: nobody was reached, but whom it was to be stands in the text.
    if (rows.ip === 0 && rows.host === 0 && rows.kind !== MailKind.delivered)
      this.peerIn(open, Math.min(close, open + NEAR));
    if (b[open] === 102 && this.at(FORWARDED, open, close))
      rows.related = rows.intern(rows.dictionaries.message, open + FORWARDED.length, close);
    return this.reply(open, close);
  }

  /** `client=name[address]:port, sasl_method=PLAIN, sasl_username=me@example.com, orig_client=…`. */
  private clientOf(start: number, end: number): Unread {
    const { rows } = this;
    const behind = this.peer(start, end);
    if (behind < 0) rows.flags |= MailFlag.partly;
    if (behind < 0 || behind + 2 >= end) return Unread.none;
    const more = behind + 2;
    const user = this.find(USERNAME, more, end);
    if (user >= 0) {
      const at = user + USERNAME.length;
      rows.address = this.address(at, this.upTo(COMMA, at, end));
    }
    const before = this.find(ORIG_QUEUE_ID, more, end);
    if (before >= 0) {
      const at = before + ORIG_QUEUE_ID.length;
      rows.related = rows.intern(rows.dictionaries.message, at, this.upTo(COMMA, at, end));
    }
    return this.reply(more, end);
  }

  /** `uid=0 from=<root>`, `sender=<root>`. */
  private pickup(start: number, end: number): Unread {
    this.sender(start, end);
    const open = this.upTo(LESS, start, end);
    if (open < end) this.rows.address = this.address(open + 1, this.addressEnd(open + 1, end));
    return this.reply(start, this.upTo(SPACE, start, end));
  }

  private sender(start: number, end: number): number {
    const { rows } = this;
    const at = this.find(FROM, start, end);
    if (at < 0) return -1;
    const open = at + FROM.length;
    const close = this.addressEnd(open, end);
    if (close === open) rows.flags |= MailFlag.nullSender;
    return close;
  }

  /** `from=<…>, size=…, nrcpt=… (queue active)`; `from=<…>, status=expired, returned to sender`. */
  private from(start: number, end: number): Unread {
    const { rows } = this;
    const close = this.sender(start, end);
    const rest = close + 3;
    if (this.at(SIZE, rest, end)) {
      rows.address = this.address(start + FROM.length, close);
      rows.bytes = this.number(rest + SIZE.length, end);
      const comma = this.upTo(COMMA, rest, end);
      if (this.at(NRCPT, comma + 2, end)) rows.recipients = this.number(comma + 2 + NRCPT.length, end);
      else rows.flags |= MailFlag.partly;
      return Unread.none;
    }
    if (!this.at(STATUS_IS, rest, end)) return rest < end ? Unread.unknownMail : Unread.brokenOff;
    rows.kind = MailKind.failed;
    return this.reply(rest + STATUS_IS.length, end);
  }

  /** A whole number, up to what the column holds; -1 for none. */
  private number(p: number, end: number): number {
    const b = this.rows.buffer;
    let value = 0;
    let i = p;
    for (; i < end && isDigit(b[i]); i++) if (value < 0x8000_0000) value = value * 10 + b[i]! - 48;
    return i === p ? -1 : Math.min(value, 0x7fff_ffff);
  }

  /** qmgr has done with it; postsuper or cleanup threw it away (`removed (discarded)`). */
  private removed(start: number, end: number): Unread {
    if (this.isByHand || end - start > 7) this.rows.kind = MailKind.removed;
    return end - start > 7 ? this.reply(start, end) : Unread.none;
  }

  /** `lost connection after DATA (123 bytes) from name[address]`. */
  private broken(start: number, behind: number, end: number): Unread {
    const { rows } = this;
    const from = this.find(AT_FROM, behind, end);
    if (from < 0) return this.reply(start, end);
    this.peer(from + AT_FROM.length, end);
    const open = this.upTo(OPEN, behind, from);
    if (open < from) rows.bytes = this.number(open + 1, from);
    return this.reply(start, open < from ? open - 1 : from);
  }

  /** `RCPT from name[address]: 450 4.7.1 …; from=<…> to=<…> proto=ESMTP helo=<…>`, behind the action. */
  private action(start: number, end: number): Unread {
    const { rows } = this;
    const b = rows.buffer;
    let step = this.upTo(SPACE, start, end);
    const behindStep = step;
    if (b[step - 1] === COLON) step--;
    rows.router = rows.intern(rows.dictionaries.mail_name, start, step);
    let p = behindStep + 1;
    if (this.at(AT_FROM, behindStep, end)) {
      const behind = this.peer(behindStep + AT_FROM.length, end);
      if (behind > 0) p = b[behind] === COLON ? behind + 2 : behind;
    } else if (b[behindStep - 1] !== COLON) return this.content(start, p, end);
    const tail = this.tail(p, end);
    this.envelope(tail, end);
    if (!this.codeAt(p, end)) this.dsnAt(p, end);
    return this.reply(p, tail);
  }

  /** `header Subject: … from name[address]; from=<…> … helo=<…>: 5.7.1 why`: what cleanup(8) found in the message. */
  private content(start: number, p: number, end: number): Unread {
    // A header may hold anything, also what looks like the envelope behind it: the last one counts.
    let tail = end;
    for (let i = this.tail(p, end); i < end; i = this.tail(i + 2, end)) tail = i;
    const why = this.envelope(tail, end);
    let from = -1;
    for (let i = this.find(AT_FROM, start, tail); i >= 0; i = this.find(AT_FROM, i + 1, tail)) from = i;
    if (from >= 0) this.peer(from + AT_FROM.length, tail);
    if (why > 0) this.dsnAt(why, end);
    return this.reply(start, end);
  }

  /** `; from=<…> to=<…> proto=ESMTP helo=<…>: text`; where the text begins, or -1. postscreen has commas between. */
  private envelope(tail: number, end: number): number {
    const { rows } = this;
    const b = rows.buffer;
    for (let p = tail + 2; p < end; ) {
      const equals = this.upTo(EQUALS, p, end);
      if (equals >= end) return -1;
      let stop = equals + 1;
      if (b[stop] === LESS) {
        const open = stop + 1;
        stop = this.addressEnd(open, end);
        if (this.at(TO, p, end)) rows.address = this.address(open, stop);
        else if (stop === open && this.at(FROM, p, end)) rows.flags |= MailFlag.nullSender;
        stop++;
        // What a client calls itself is the last of them, whatever it looks like.
        if (this.at(HELO, p, end)) return b[stop] === COLON ? stop + 2 : -1;
      } else {
        while (stop < end && b[stop] !== SPACE && b[stop] !== COMMA && b[stop] !== COLON) stop++;
        if (this.at(PROTO, p, end))
          rows.protocol = rows.intern(rows.dictionaries.mail_name, equals + 1, stop);
      }
      if (b[stop] === COLON) return stop + 2;
      p = stop;
      while (p < end && (b[p] === SPACE || b[p] === COMMA)) p++;
    }
    return -1;
  }

  /** Where the envelope begins that ends a refusal, or `end`. */
  private tail(p: number, end: number): number {
    for (let i = this.find(TAIL, p, end); i >= 0; i = this.find(TAIL, i + 2, end))
      if (this.at(FROM, i + 2, end) || this.at(TO, i + 2, end) || this.at(PROTO, i + 2, end)) return i;
    return end;
  }

  /** `… TLS connection established to name[address]:25: TLSv1.3 with cipher … (256/256 bits) …`. */
  private tls(start: number, end: number): Unread {
    const { rows } = this;
    rows.flags |= MailFlag.tls;
    const behind = this.peerIn(start, end);
    if (behind < 0) return this.reply(start, end);
    const at = this.find(TLS_FROM, behind, end);
    if (at >= 0) {
      const bits = this.upTo(OPEN, at, end);
      rows.tls = rows.intern(rows.dictionaries.mail_name, at + 2, bits < end ? bits - 1 : end);
    }
    // "Trusted TLS connection established": the words before " to " or " from ".
    let words = start;
    for (let spaces = 0; words < end; words++) if (rows.buffer[words] === SPACE && ++spaces === 4) break;
    return this.reply(start, words);
  }

  /** `[192.0.2.1]:4711 to [192.0.2.2]:25`. */
  private screened(start: number, end: number, kept: number): Unread {
    const { rows } = this;
    const behind = this.peer(start, end);
    if (behind > 0 && behind + 4 < end && rows.buffer[behind + 4] === BRACKET) {
      const { ip, port, host } = rows;
      this.peer(behind + 4, end);
      rows.localIp = rows.ip;
      rows.localPort = rows.port;
      rows.ip = ip;
      rows.port = port;
      rows.host = host;
    }
    return this.reply(kept - 'CONNECT'.length, kept);
  }

  /** The severity is kept: `fatal:` is more than `warning:`. */
  private complaint(start: number, behind: number, end: number): Unread {
    const { rows } = this;
    const q = this.idEnd(behind, end);
    if (q - behind >= SHORTEST_ID && rows.buffer[q] === COLON)
      rows.message = rows.intern(rows.dictionaries.message, behind, q);
    this.peerIn(behind, end);
    return this.reply(start, end);
  }
}
