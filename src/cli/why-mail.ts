import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { mailBroken, noHeader, noMinutes } from '../errors/mail.js';
import {
  DEFAULT_LIMITS,
  decompress,
  type Limits,
  type Piece,
  readMembers,
  type Survey,
  survey,
} from '../evidence/evidence.js';
import type { MailAnswer, MailRoute, MailSummary } from '../findings/mail-route.js';
import { receivedMails } from '../formats/received-mail/received-mail.js';
import { judgeMail, LATE_S } from '../investigations/mail-received-late/mail-received-late.js';
import { mailJson } from '../report/json/mail-json.js';
import { renderError } from '../report/terminal/error.js';
import { renderMail } from '../report/terminal/why-mail.js';
import { errorScreen, print, screen, warn } from './output.js';

export interface WhyMailOptions {
  json?: boolean;
  late?: string;
}

/** How many mails of a mailbox are kept beside the worst. */
const MOST_OTHERS = 50;

export function addWhyMail(why: Command): void {
  why
    .command('mail')
    .summary('which hop held a received mail, and for how long')
    .description(
      `Reads the Received fields of a mail: which host held it, for how long, and whether the clocks let that be said.

FILE is a mail (.eml), a mailbox (mbox), a folder, an archive, or a text with a copied header; - is a pipe. Of several
mails the worst is shown in full.`,
    )
    .argument('[file...]', 'a mail, a mailbox or a copied header', ['-'])
    .option('--json', 'print the answer as JSON (docs/json.md)')
    .option('--late <minutes>', `what counts as late (${LATE_S / 60})`)
    .addHelpText(
      'after',
      `
Exit status: 0 not late, 1 it was held or a clock is wrong, 2 the job could not be done (no header, not readable).

Examples:
  culprit why mail late.eml
  culprit why mail -                        then paste the header, and end it with Ctrl-D
  culprit why mail --late 30 ~/Maildir/cur`,
    )
    .action(async (paths: string[], options: WhyMailOptions) => {
      process.exitCode = await whyMail(paths, options);
    });
}

/**
 * Judges the mails behind paths and prints the worst of them in full.
 *
 * Shape:  gives back the exit status: 1 with a finding, else 2 when a named path could not be read, held no header or
 *         nothing could be told, else 0.
 * Errors: CulpritError when there is nothing to judge at all.
 */
export async function whyMail(paths: string[], options: WhyMailOptions = {}): Promise<number> {
  const late = options.late === undefined ? LATE_S : Number(options.late) * 60;
  if (!(late > 0)) throw noMinutes(options.late ?? '');
  const found = await survey(paths);
  const problems = found.unreadable.filter((u) => u.named).map((u) => u.error);
  const mailbox = new Mailbox();
  for (const piece of found.pieces) {
    const before = mailbox.totals.mails;
    try {
      await eachContent(piece, found, async (bytes) => {
        for await (const mail of receivedMails(bytes)) mailbox.add(judgeMail(mail, piece.path, late));
      });
      if (piece.named && mailbox.totals.mails === before) problems.push(noHeader(piece.path));
    } catch (error) {
      problems.push(mailBroken(piece.path, error));
    }
  }
  const answer = mailbox.answer();
  if (answer === null) {
    const [first, ...rest] = problems;
    for (const error of rest) warn(renderError(error, errorScreen()));
    throw first ?? noHeader(paths.join(' '));
  }
  print(options.json ? mailJson(answer) : renderMail(answer, screen()));
  for (const error of problems) warn(renderError(error, errorScreen()));
  if (answer.totals.late > 0) return 1;
  return problems.length > 0 || answer.totals.clear === 0 ? 2 : 0;
}

async function eachContent(
  piece: Piece,
  found: Survey,
  read: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  limits: Limits = DEFAULT_LIMITS,
): Promise<void> {
  if (piece.member)
    await readMembers(
      { file: piece.member.archive, codec: piece.member.archiveCodec },
      new Set([piece.member.index]),
      limits,
      (_, bytes) => read(bytes),
    );
  else if (piece.file !== null)
    await read(decompress(piece.codec, createReadStream(piece.file, { highWaterMark: 256 << 10 }), limits));
  else if (found.pipe) await read(found.pipe);
}

/** Of any number of mails, the worst in full, the next in short, and counts of the rest. */
class Mailbox {
  readonly totals = { mails: 0, late: 0, clear: 0, cannotTell: 0 };
  #worst: { route: MailRoute; rank: number } | null = null;
  #others: { summary: MailSummary; rank: number }[] = [];

  add(route: MailRoute): void {
    this.totals.mails++;
    if (route.finding) this.totals.late++;
    else if (route.clear) this.totals.clear++;
    else this.totals.cannotTell++;
    const rank = rankOf(route);
    if (this.#worst === null || rank > this.#worst.rank) {
      if (this.#worst) this.#keep(this.#worst.route, this.#worst.rank);
      this.#worst = { route, rank };
    } else this.#keep(route, rank);
  }

  answer(): MailAnswer | null {
    if (!this.#worst) return null;
    this.#trim();
    return {
      version: 1,
      ...this.#worst.route,
      totals: this.totals,
      others: this.#others.map((o) => o.summary),
    };
  }

  #keep(route: MailRoute, rank: number): void {
    this.#others.push({ summary: summaryOf(route), rank });
    if (this.#others.length > 4 * MOST_OTHERS) this.#trim();
  }

  #trim(): void {
    this.#others = this.#others.toSorted((a, b) => b.rank - a.rank).slice(0, MOST_OTHERS);
  }
}

/** Findings before what is clear, what is clear before what cannot be told; within, by seconds. */
function rankOf({ finding, clear, totalSeconds }: MailRoute): number {
  const seconds = finding?.impact[0]?.value ?? totalSeconds ?? 0;
  const place = finding ? (finding.outcome === 'culprit' ? 3 : 2) : clear ? 1 : 0;
  return place * 1e12 + Math.min(seconds, 1e11);
}

function summaryOf(route: MailRoute): MailSummary {
  const { finding, clear, cannotTell } = route;
  return {
    path: route.path,
    line: route.line,
    messageId: route.messageId,
    totalSeconds: route.totalSeconds,
    culprit: finding?.culprit ?? null,
    outcome: finding ? finding.outcome : clear ? 'clear' : 'cannot-tell',
    title: finding?.title ?? clear?.says ?? cannotTell?.because ?? '',
  };
}
