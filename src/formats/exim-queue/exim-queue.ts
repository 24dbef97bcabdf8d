/** A recipient of a queued message. `generated` ones came from aliases or forwarding (`-bpa` shows them as `+D`). */
export interface QueuedRecipient {
  address: string;
  delivered: boolean;
  generated: boolean;
}

export interface EximQueuedMessage {
  id: string;
  /** Seconds that the message had been in the queue, as coarse as printed: minutes to 90 m, hours to 72 h, days. */
  age_s: number | null;
  /** Message size as printed: exact below 1 kB, two digits or whole kB or MB above. Null where none is printed. */
  size_bytes: number | null;
  /** Envelope sender, empty for a bounce, null where it is not printed. */
  sender: string | null;
  /** Login of the local user that set the sender. */
  login: string | null;
  frozen: boolean;
  /** `spool format error: size=0` and its like. */
  spoolError: string | null;
  recipients: QueuedRecipient[];
  line: number;
}

export interface EximQueue {
  messages: EximQueuedMessage[];
  lines: number;
  /** Numbers of the lines that are not of this format. */
  unread: number[];
}

/** Old ids are 6-6-2 characters; those of Exim 4.97 and later 6-11-4. */
export const MESSAGE_ID = '[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})';

const MESSAGE = new RegExp(
  String.raw`^ {0,3}(?:(\d{1,6})([mhd]) +)?(?:(\d{1,10}|\d{1,6}\.\d[KM]|\d{1,6}[KM]) +)?(${MESSAGE_ID})(?: <(.*?)>)?(?: \((\S{0,64})\))?(?: (\*\*\* frozen \*\*\*))?\s*$`,
);
const RECIPIENT = /^ {6,8}(?: ([D ]) (?=\S)|(\+D) )(.*)$/;
const SPOOL_ERROR = /^ {4}\*\*\* (spool (?:format|read) error.*?) \*\*\*(?: \*\*\* frozen \*\*\*)?$/;
const UNIT_S: Record<string, number> = { m: 60, h: 3_600, d: 86_400 };

/** Whether a text is what `exim -bp` or `mailq` of Exim prints; an empty queue prints nothing and cannot be told. */
export function detectEximQueue(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  const lines = Buffer.from(head).toString('latin1').split('\n', 60);
  // The id of a message alone on a line stands in many logs; the age makes it a queue.
  return lines.some((line) => MESSAGE.exec(line)?.[1] !== undefined);
}

/**
 * exim-queue: what waits, since when, and for which recipients.
 *
 * Shape:  one object per message, in the order printed, with its recipients.
 * Units:  `age_s` in seconds and `size_bytes` in bytes, both as coarse as Exim prints them.
 * Errors: a line of no known form is counted in `unread` by its number.
 * Source: Exim specification, options -bp, -bpa, -bpu; queue_list in src/src/queue.c, string_format_size in string.c.
 *         Tried on the output of Exim 4.96.
 */
export function readEximQueue(text: string): EximQueue {
  const out: EximQueue = { messages: [], lines: 0, unread: [] };
  let current: EximQueuedMessage | null = null;
  for (const [index, whole] of linesOf(text).entries()) {
    const line = whole.trimEnd();
    out.lines++;
    if (line.trim() === '') continue;
    const message = MESSAGE.exec(line);
    if (message) {
      const [, age, unit, size, id, sender, login, frozen] = message;
      current = {
        id: id!,
        age_s: age ? Number(age) * UNIT_S[unit!]! : null,
        size_bytes: size ? bytesOf(size) : null,
        sender: sender ?? null,
        login: login ?? null,
        frozen: frozen !== undefined,
        spoolError: null,
        recipients: [],
        line: index + 1,
      };
      out.messages.push(current);
      continue;
    }
    const recipient = current && RECIPIENT.exec(line);
    const spoolError = current && SPOOL_ERROR.exec(line);
    if (current && recipient)
      current.recipients.push({
        address: recipient[3]!,
        delivered: recipient[1] === 'D' || recipient[2] === '+D',
        generated: recipient[2] === '+D',
      });
    else if (current && spoolError) {
      current.spoolError = spoolError[1]!;
      current.frozen ||= line.includes('*** frozen ***');
    } else out.unread.push(index + 1);
  }
  return out;
}

/** Bytes of a size as Exim prints it. */
function bytesOf(size: string): number {
  const factor = size.endsWith('K') ? 1_024 : size.endsWith('M') ? 1_048_576 : 1;
  return Math.round(Number.parseFloat(size) * factor);
}

/** Lines of a text, without the empty one after the last newline. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
