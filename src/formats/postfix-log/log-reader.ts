import type { Batch } from '../bulk.js';
import { EximLines } from '../exim-log/exim-lines.js';
import { LineFeed, type LineFormat } from '../line-feed.js';
import { MailFlag } from '../mail-log/columns.js';
import { MailRows } from '../mail-log/rows.js';
import { JournalEntry } from '../syslog/journal.js';
import { type Stamp, SyslogPrefix } from '../syslog/prefix.js';
import { Unread } from '../unread.js';
import { PostfixLine } from './line-reader.js';
import { Words } from './words.js';

export type PostfixHow = {
  /** How the times of most lines are written; each line is read as it stands. */
  stamp: Stamp;
  /** Seconds, wall: the latest moment that lines without a year can be of (`withYear`). Null: not known yet. */
  lastAt: number | null;
};

/**
 * postfix-log: what Postfix did with each message, from syslog, the journal or Postfix's own log file.
 *
 * Shape:  one row a line (mail-log/columns.ts; line-reader.ts has what Postfix puts into which column), more where
 *         syslogd put repeated lines into one.
 * Units:  see mail-log/columns.ts; years as `withYear` says.
 * Errors: a line that is no syslog, of another program, or of words that Postfix is not known for, is `unread`
 *         (line-feed.ts).
 * Source: Postfix's sources as phrases.ts names them; RFC 3164, RFC 5424 and journalctl(1) for what stands before.
 */
export class PostfixLogReader extends LineFeed {
  /**
   * @param seeds    hash key of the case
   * @param onBatch  gets each full batch; its buffers are its own from then on
   */
  constructor(how: PostfixHow, seeds: [number, number], onBatch: (batch: Batch) => void, capacity?: number) {
    super(new PostfixLines(how, seeds), onBatch, capacity);
  }
}

const Program = { other: 1, client: 2, postsuper: 3 } as const;

/** Source: master.cf(5) and Postfix's libexec and bin directories. */
const PROGRAMS = new Words({
  ...Object.fromEntries(
    (
      'anvil bounce cleanup discard dnsblog error flush local master nqmgr oqmgr pickup pipe postlogd postscreen ' +
      'proxymap qmgr qmqpd retry scache showq smtpd spawn tlsmgr tlsproxy trivial-rewrite verify virtual postfix ' +
      'postfix-script postfix-tls-script postalias postcat postconf postdrop postkick postlock postlog postmap ' +
      'postmulti postqueue sendmail'
    )
      .split(' ')
      .map((name) => [name, Program.other]),
  ),
  smtp: Program.client,
  lmtp: Program.client,
  postsuper: Program.postsuper,
});
const EXIM = new Words({ exim: 1, exim4: 1 });
/** Other programs that call their parts as Postfix does: `cyrus/master`. */
const FOREIGN = new Words({ cyrus: 1, courier: 1, imap: 1 });

const NEWLINE = 10;
const SLASH = 47;
const POSTFIX = Buffer.from('postfix');
const PREFIX = Buffer.from('postfix/');
const REPEATED = Buffer.from('message repeated ');
const TIMES = Buffer.from(' times: [ ');
/** A line may not fill the case with rows; where it says more, the rows are flagged `partly`. */
const MOST_REPEATS = 100;

class PostfixLines implements LineFormat {
  readonly rows: MailRows;
  private readonly prefix: SyslogPrefix;
  private readonly entry = new JournalEntry();
  private readonly text: PostfixLine;
  private readonly exim = new EximLines();

  constructor(how: PostfixHow, seeds: [number, number]) {
    this.rows = new MailRows(seeds[0], seeds[1]);
    this.prefix = new SyslogPrefix(how.lastAt);
    this.text = new PostfixLine(this.rows);
  }

  read(start: number, end: number, line: number): Unread {
    const { rows, prefix } = this;
    // A last line may have no end: what stood there before is none of it.
    if (rows.buffer[end] !== NEWLINE) rows.buffer[end] = NEWLINE;
    if (rows.buffer[start] === 123) return this.journal(start, end, line);
    const why = prefix.read(rows, start, end);
    if (why !== Unread.none) return why;
    rows.clear();
    rows.seconds = prefix.seconds;
    rows.zone = prefix.zone;
    rows.pid = prefix.pid;
    return this.tagged(prefix.tagStart, prefix.tagEnd, prefix.body, end, line);
  }

  /** The entry's text is not in the file's bytes but copied out of JSON: rows are cut from the copy. */
  private journal(start: number, end: number, line: number): Unread {
    const { rows, entry } = this;
    const why = entry.read(rows.buffer, start, end);
    if (why !== Unread.none) return why;
    rows.clear();
    rows.seconds = entry.seconds;
    rows.zone = 0;
    rows.pid = entry.pid;
    const { buffer, view } = rows;
    rows.buffer = entry.buffer;
    rows.view = entry.view;
    const read = this.tagged(entry.tagStart, entry.tagEnd, entry.body, entry.end, line);
    rows.buffer = buffer;
    rows.view = view;
    return read;
  }

  /** The text [body, end) of the program that calls itself [tag, tagEnd). */
  private tagged(tag: number, tagEnd: number, body: number, end: number, line: number): Unread {
    const { rows, text } = this;
    const b = rows.buffer;
    let name = tagEnd;
    while (name > tag && b[name - 1] !== SLASH) name--;
    const program = PROGRAMS.find(b, name, tagEnd);
    // Only `postfix` and `postfix-script` stand without the name of their instance.
    const alone = name === tag;
    if (program === 0 || (alone ? !this.begins(POSTFIX, tag, tagEnd) : this.isForeign(tag, name - 1)))
      return this.another(tag, tagEnd, body, end, line);
    text.isClient = program === Program.client;
    text.isByHand = program === Program.postsuper;
    const shown = this.begins(PREFIX, tag, tagEnd) ? tag + PREFIX.length : tag;
    rows.transport = rows.intern(rows.dictionaries.mail_name, shown, tagEnd);
    if (b[body] === 109 && this.begins(REPEATED, body, end)) return this.repeated(body, end, line);
    const why = text.read(body, end);
    if (why === Unread.none) rows.commit(line);
    return why;
  }

  private isForeign(start: number, end: number): boolean {
    return FOREIGN.find(this.rows.buffer, start, end) !== 0;
  }

  /** A line of another program: Exim writes here with `log_file_path = syslog`. */
  private another(tag: number, tagEnd: number, body: number, end: number, line: number): Unread {
    if (EXIM.find(this.rows.buffer, tag, tagEnd) === 0) return Unread.otherProgram;
    return this.exim.body(this.rows, body, end, line);
  }

  /** rsyslog's `message repeated 3 times: [ warning: … ]`: three lines of that text. */
  private repeated(body: number, end: number, line: number): Unread {
    const { rows, text } = this;
    const b = rows.buffer;
    let p = body + REPEATED.length;
    let count = 0;
    for (; p < end && b[p]! >= 48 && b[p]! <= 57; p++)
      count = Math.min(count * 10 + b[p]! - 48, MOST_REPEATS + 1);
    if (count === 0 || !this.begins(TIMES, p, end)) return Unread.unknownMail;
    const stop = b[end - 1] === 93 ? end - 1 : end;
    const why = text.read(p + TIMES.length, stop);
    if (why !== Unread.none) return why;
    if (count > MOST_REPEATS) rows.flags |= MailFlag.partly;
    for (let i = Math.min(count, MOST_REPEATS); i > 0; i--) rows.commit(line);
    return Unread.none;
  }

  private begins(literal: Uint8Array, start: number, end: number): boolean {
    const { length } = literal;
    if (start + length > end) return false;
    const b = this.rows.buffer;
    for (let k = 0; k < length; k++) if (b[start + k] !== literal[k]) return false;
    return true;
  }
}
