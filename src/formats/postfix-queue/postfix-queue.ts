export interface PostfixRecipient {
  address: string;
  /** Why it was deferred (or bounced) last; null when it has not been tried. */
  reason: string | null;
}

export interface PostfixQueuedMessage {
  id: string;
  /** `deferred` and `incoming` look the same in `postqueue -p`: there the queue is null. */
  queue: 'active' | 'hold' | 'deferred' | 'incoming' | 'maildrop' | 'corrupt' | null;
  /** Seconds since 1970, from `postqueue -j`. */
  arrived_epoch_s: number | null;
  /** Local wall time without a year, `MM-DDTHH:MM:SS`, from `postqueue -p`. */
  arrived_wall: string | null;
  size_bytes: number;
  /** Envelope sender; empty for a bounce. */
  sender: string;
  recipients: PostfixRecipient[];
  line: number;
}

export interface PostfixQueue {
  messages: PostfixQueuedMessage[];
  lines: number;
  unread: number[];
}

const HEADINGS = /^-{1,4}Queue ID-{1,5} +--Size--/;
const MESSAGE =
  /^([0-9A-Za-z]{5,24})([*!#]{0,2}) +(\d{1,15}) [A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) +(\S.*)$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const QUEUES = ['active', 'hold', 'deferred', 'incoming', 'maildrop', 'corrupt'] as const;

/** Whether a text is what `postqueue -j`, `postqueue -p` or `mailq` of Postfix prints. */
export function detectPostfixQueue(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  const text = Buffer.from(head).toString('latin1');
  return (
    HEADINGS.test(text) ||
    /^Mail queue is empty\s*$/.test(text) ||
    /^\{"queue_name": ?"\w+", ?"queue_id": ?"\w+"/.test(text)
  );
}

/**
 * postfix-queue: what waits, since when, and why.
 *
 * Shape:  one object per message, in the order printed, with its recipients.
 * Units:  `size_bytes` in bytes; arrival as seconds since 1970 (`-j`) or local wall time without a year (`-p`).
 * Errors: a line of no known form, or JSON of another shape, is counted in `unread` by its number.
 * Source: postqueue(1); src/postqueue/showq_json.c and showq_compat.c of Postfix 3.11.
 */
export function readPostfixQueue(text: string): PostfixQueue {
  const out: PostfixQueue = { messages: [], lines: 0, unread: [] };
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let current: PostfixQueuedMessage | null = null;
  let reason: string | null = null;
  for (const [index, whole] of lines.entries()) {
    const line = whole.trimEnd();
    out.lines++;
    if (line.startsWith('{')) {
      const message = fromJson(line, index + 1);
      if (message) out.messages.push(message);
      else out.unread.push(index + 1);
      continue;
    }
    if (line.trim() === '' || HEADINGS.test(line) || /^-- \d+ .?bytes in \d+ Request/i.test(line)) continue;
    if (/^(?:Mail queue is empty|-- Mail queue is empty)/.test(line)) continue;
    const message = MESSAGE.exec(line);
    const month = message ? MONTHS.indexOf(message[4]!) + 1 : 0;
    if (message && month > 0) {
      const [, id, marks, size, , day, time, sender] = message;
      current = {
        id: id!,
        queue: marks!.includes('*') ? 'active' : marks!.includes('!') ? 'hold' : null,
        arrived_epoch_s: null,
        arrived_wall: `${String(month).padStart(2, '0')}-${day!.trim().padStart(2, '0')}T${time}`,
        size_bytes: Number(size),
        sender: sender!.trim() === 'MAILER-DAEMON' ? '' : sender!.trim(),
        recipients: [],
        line: index + 1,
      };
      reason = null;
      out.messages.push(current);
      continue;
    }
    // A reason stands above the recipients that share it.
    const why = /^ *\((.*)\)$/.exec(line);
    const recipient = /^ {10,}(\S.*)$/.exec(line);
    if (current && why) reason = why[1] === 'reason unavailable' ? null : why[1]!;
    else if (current && recipient) current.recipients.push({ address: recipient[1]!, reason });
    else out.unread.push(index + 1);
  }
  return out;
}

const isText = (value: unknown): value is string => typeof value === 'string';

function fromJson(line: string, at: number): PostfixQueuedMessage | null {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return null;
  }
  const entry = read as Record<string, unknown>;
  if (typeof entry.queue_id !== 'string' || !Array.isArray(entry.recipients)) return null;
  const recipients: PostfixRecipient[] = [];
  for (const item of entry.recipients as Record<string, unknown>[]) {
    if (typeof item?.address !== 'string') return null;
    recipients.push({
      address: item.address,
      reason: [item.delay_reason, item.bounce_reason, item.other_reason].find(isText) ?? null,
    });
  }
  const sender = typeof entry.sender === 'string' ? entry.sender : '';
  return {
    id: entry.queue_id,
    queue: QUEUES.find((q) => q === entry.queue_name) ?? null,
    arrived_epoch_s: typeof entry.arrival_time === 'number' ? entry.arrival_time : null,
    arrived_wall: null,
    size_bytes: typeof entry.message_size === 'number' ? entry.message_size : 0,
    sender: sender === 'MAILER-DAEMON' ? '' : sender,
    recipients,
    line: at,
  };
}
