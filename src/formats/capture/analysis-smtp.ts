import { SmtpStep } from './columns.js';

/** Ports on which SMTP is spoken: 25 (RFC 5321), 587 (RFC 6409), 465 (RFC 8314, TLS from the first byte). */
export const isSmtpPort = (port: number) => port === 25 || port === 587 || port === 465;

/** The first four letters of a command as a number, in capitals: verbs are told by them (RFC 5321, section 4.1.1). */
const verb = (text: string) =>
  (text.charCodeAt(0) << 24) | (text.charCodeAt(1) << 16) | (text.charCodeAt(2) << 8) | text.charCodeAt(3);

const VERBS = new Map<number, number>([
  [verb('EHLO'), SmtpStep.ehlo],
  [verb('HELO'), SmtpStep.ehlo],
  [verb('STAR'), SmtpStep.startTls],
  [verb('MAIL'), SmtpStep.mail],
  [verb('RCPT'), SmtpStep.rcpt],
  [verb('DATA'), SmtpStep.data],
  [verb('BDAT'), SmtpStep.bdat],
  [verb('QUIT'), SmtpStep.quit],
]);

/** A TLS record begins here: a content type of RFC 8446, section 5.1 (20 to 23), and major version 3. */
export const isTlsRecord = (buffer: Uint8Array, start: number, end: number) =>
  end - start >= 3 &&
  buffer[start]! >= 20 &&
  buffer[start]! <= 23 &&
  buffer[start + 1] === 3 &&
  buffer[start + 2]! <= 4;

/**
 * What a payload from the side that was connected to begins with: a reply by the class of its code.
 * `first`: nothing was said by it before.
 */
export function replyStep(buffer: Uint8Array, start: number, end: number, first: boolean): number {
  if (end - start < 3) return SmtpStep.other;
  const [a, b, c] = [buffer[start]!, buffer[start + 1]!, buffer[start + 2]!];
  const digits = a >= 0x32 && a <= 0x35 && b >= 0x30 && b <= 0x39 && c >= 0x30 && c <= 0x39;
  if (!digits) return SmtpStep.other;
  if (a === 0x34) return SmtpStep.replyTemporary;
  if (a === 0x35) return SmtpStep.replyPermanent;
  return first && a === 0x32 && b === 0x32 && c === 0x30 ? SmtpStep.banner : SmtpStep.reply;
}

/** The reply 354: what the client sends next is a message (RFC 5321, section 4.1.1.4). */
export const isGoAhead = (buffer: Uint8Array, start: number, end: number) =>
  end - start >= 3 && buffer[start] === 0x33 && buffer[start + 1] === 0x35 && buffer[start + 2] === 0x34;

/**
 * What a payload of the client begins with. `inMessage`: it is part of a message, unless it ends one.
 * `whole`: all of the payload was captured.
 */
export function commandStep(
  buffer: Uint8Array,
  start: number,
  end: number,
  inMessage: boolean,
  whole: boolean,
): number {
  if (whole && endsMessage(buffer, start, end) && inMessage) return SmtpStep.endOfData;
  if (inMessage || end - start < 4) return SmtpStep.other;
  // Letters to capitals; what else this changes is no verb either.
  const word =
    ((buffer[start]! & 0xdf) << 24) |
    ((buffer[start + 1]! & 0xdf) << 16) |
    ((buffer[start + 2]! & 0xdf) << 8) |
    (buffer[start + 3]! & 0xdf);
  return VERBS.get(word) ?? SmtpStep.other;
}

/** CR LF . CR LF, or the line with the dot alone in a packet of its own. */
function endsMessage(buffer: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 3) return false;
  if (buffer[end - 1] !== 10 || buffer[end - 2] !== 13 || buffer[end - 3] !== 46) return false;
  return length === 3 || (length >= 5 && buffer[end - 4] === 10 && buffer[end - 5] === 13);
}
