import type {
  FoundMessage,
  LifeEvent,
  LifePlace,
  LifeRecipient,
  MessageLife,
} from '../../findings/message-life.js';
import type { Case, Value } from '../../store/case.js';
import { MailFlag, MailKind, NOT_MADE } from '../../store/mail.js';
import { type At, accountFor, type Course, type Try } from './life-account.js';
import { type Provider, providerOf } from './providers.js';
import { classify, normalise, type Phase, type Reply, replyOf } from './replies.js';
import { count, plural } from './words.js';

export interface MessageQuery {
  id?: string;
  /** Parts of addresses, in any case. */
  to?: string;
  from?: string;
  /** ISO wall time. */
  since?: string;
  until?: string;
}

/** Beyond these a message is told in part, and says so. */
const MOST_RECIPIENTS = 10_000;
const MOST_TRIES = 200_000;
const MOST_EVENTS = 10_000;
const MOST_RUNS = 20_000;
const UNZONED = -32_768;

const K = MailKind;

// ── Finding it ───────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The messages that a query means, in order of time: the newest `most` of them, and how many there are.
 *
 * An id is a queue id or, with an @ in it, a Message-ID. `since` and `until` are held against the moment of arrival
 * (of the first line, where that is not in the logs) in the log's wall time.
 */
export async function findMessages(
  store: Case,
  query: MessageQuery,
  most = 50,
): Promise<{ total: number; found: FoundMessage[] }> {
  const values: Value[] = [];
  const conditions: string[] = [];
  const given = (value: Value) => `$${values.push(value)}`;
  const { id, to, from, since, until } = query;
  if (id !== undefined)
    conditions.push(
      id.includes('@')
        ? `m.header_id IN (SELECT id FROM reply_texts WHERE text IN (${given(bare(id))}, ${given(`<${bare(id)}>`)}))`
        : `m.message_id IN (SELECT id FROM message_texts WHERE text = ${given(id)})`,
    );
  const addresses = (part: string) =>
    `SELECT id FROM address_texts WHERE contains(lower(text), ${given(part.toLowerCase())})`;
  if (from !== undefined) conditions.push(`m.sender_id IN (${addresses(from)})`);
  if (to !== undefined)
    conditions.push(
      `m.message_no IN (SELECT message_no FROM recipient_facts WHERE address_id IN (${addresses(to)})
        OR original_id IN (${addresses(to)}))`,
    );
  const moment = 'm.began + to_minutes(m.zone)';
  if (since !== undefined) conditions.push(`${moment} >= CAST(${given(since)} AS TIMESTAMP)`);
  if (until !== undefined) conditions.push(`${moment} <= CAST(${given(until)} AS TIMESTAMP)`);
  const dated = since !== undefined || until !== undefined;
  const matching = `
    WITH m AS (
      SELECT f.*, coalesce(f.arrived_at, f.first_at) AS began, ${dated ? 'coalesce(z.zone, 0)' : '0'} AS zone
      FROM message_facts f
      ${
        dated
          ? `LEFT JOIN (SELECT source_id, line, max(CASE WHEN zone_min = ${UNZONED} THEN 0 ELSE zone_min END) AS zone
             FROM mail_facts WHERE zone_min NOT IN (0, ${UNZONED}) GROUP BY ALL) z USING (source_id, line)`
          : ''
      })
    SELECT m.message_no, m.began FROM m ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}`;
  const total = await store.row<{ n: bigint }>(`SELECT count(*) AS n FROM (${matching})`, values);
  const rows = await store.rows<{
    no: number;
    message: string;
    host: string;
    began: number;
    zone: number | null;
    sender: string | null;
    recipients: bigint;
    recipient: string | null;
    delivered: number;
    failed: number;
    removed: number;
    waiting: number;
    delay: number | null;
  }>(
    `WITH chosen AS MATERIALIZED (SELECT message_no FROM (${matching}) ORDER BY began DESC, message_no DESC LIMIT ${most})
     SELECT f.message_no AS no, t.text AS message, f.host, ${ms('coalesce(f.arrived_at, f.first_at)')} AS began,
            (SELECT any_value(zone_min) FROM mail_facts z WHERE z.source_id = f.source_id AND z.line = f.line) AS zone,
            s.text AS sender, count(r.message_no) AS recipients,
            coalesce(min(a.text) FILTER (contains(lower(a.text), ${given(to?.toLowerCase() ?? '')})), min(a.text)) AS recipient,
            count(*) FILTER (r.outcome = 'delivered')::INTEGER AS delivered,
            count(*) FILTER (r.outcome = 'failed')::INTEGER AS failed,
            count(*) FILTER (r.outcome = 'removed')::INTEGER AS removed,
            count(*) FILTER (r.outcome = 'waiting')::INTEGER AS waiting,
            max(CAST(epoch(r.ended_at) - epoch(r.arrived_at) AS DOUBLE)) AS delay
     FROM chosen JOIN message_facts f USING (message_no) JOIN message_texts t ON t.id = f.message_id
     JOIN address_texts s ON s.id = f.sender_id
     LEFT JOIN recipient_facts r ON r.message_no = f.message_no LEFT JOIN address_texts a ON a.id = r.address_id
     GROUP BY f.message_no, t.text, f.host, f.arrived_at, f.first_at, f.source_id, f.line, s.text
     ORDER BY began, no`,
    values,
  );
  return {
    total: Number(total?.n ?? 0),
    found: rows.map((r) => ({
      no: r.no,
      message: r.message,
      host: r.host,
      at: iso(r.began, r.zone ?? UNZONED),
      sender: r.sender,
      recipients: Number(r.recipients),
      recipient: r.recipient,
      outcome:
        (['delivered', 'failed', 'removed', 'waiting'] as const)
          .filter((o) => r[o] > 0)
          .map((o) => (Number(r.recipients) === r[o] ? o : `${count(r[o])} ${o}`))
          .join(', ') || 'no recipient in the logs',
      delayS: r.delay,
    })),
  };
}

const bare = (id: string): string => id.replace(/^<|>$/g, '');

/** Milliseconds since 1970, in the clock of the column. */
const ms = (timestamp: string): string => `CAST(epoch_ms(${timestamp}) AS DOUBLE)`;

/** Wall time, with the offset where there is one. */
function iso(at: number, zone: number): string {
  const known = zone !== UNZONED;
  const text = new Date(at + (known ? zone * 60_000 : 0)).toISOString().slice(0, -1);
  const offset = Math.abs(zone);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${text.replace(/\.000$/, '')}${known ? `${zone < 0 ? '-' : '+'}${two(Math.floor(offset / 60))}:${two(offset % 60)}` : ''}`;
}

// ── Reading it ───────────────────────────────────────────────────────────────────────────────────────────────────

interface MessageRow {
  message_id: number;
  message: string;
  host: string;
  program: string;
  sender: string | null;
  header: string | null;
  client_host: string | null;
  client_ip: string | null;
  protocol: string | null;
  bytes: number | null;
  arrived: number | null;
  first: number;
  last: number;
  completed: number | null;
  removed: boolean;
  receive_ms: number | null;
  path: string;
  line: number;
}

interface EventRow {
  at: number;
  zone: number;
  kind: number;
  flags: number;
  address: string | null;
  host: string | null;
  ip: string | null;
  related: string | null;
  router: string | null;
  transport: string | null;
  protocol: string | null;
  header: string | null;
  reply: string | null;
  made: boolean;
  bytes: number;
  recipients: number;
  receive_ms: number;
  queue_ms: number;
  path: string;
  line: number;
}

interface TryRow {
  address_id: number;
  at: number;
  outcome: Try['outcome'];
  made: boolean;
  host: string | null;
  ip: string | null;
  reply: string | null;
  transport: string | null;
  delivery_ms: number | null;
  active_ms: number | null;
  connect_ms: number | null;
  transmit_ms: number | null;
  queue_ms: number | null;
  path: string;
  line: number;
}

interface RecipientRow {
  address_id: number;
  address: string;
  original: string | null;
  outcome: Exclude<LifeRecipient['outcome'], 'unknown'>;
  ended: number | null;
  last: number;
  host: string | null;
}

/** Tells the life of the message with this number (`findMessages`). */
export async function lifeOf(store: Case, no: number): Promise<MessageLife> {
  const m = await messageRow(store, no);
  const events = await eventRows(store, m);
  const total = await store.row<{ n: bigint }>(
    `SELECT count(*) AS n FROM ${OWN_FACTS} AND f.kind <> ${K.arrivalFor}`,
    ownValues(m),
  );
  const recipients = await recipientRows(store, no);
  const recipientCount = await store.row<{ n: bigint }>(
    'SELECT count(*) AS n FROM recipient_facts WHERE message_no = $1 AND address_id <> 0',
    [no],
  );
  const tries = await triesOf(
    store,
    no,
    recipients.map((r) => r.address_id),
  );
  const logsEnd = await store.row<{ at: number }>(
    `SELECT ${ms('max(f.logged_at)')} AS at FROM mail_facts f JOIN sources s USING (source_id)
     WHERE s.host = $1`,
    [m.host],
  );
  const end = m.completed ?? Math.max(m.last, logsEnd?.at ?? m.last);
  const told = new Teller(m, events);
  const course = courseOf(m, events, await runsOf(store, m, end), tries);
  const expired = events.find((e) => e.kind === K.failed && e.address === null);
  const links = await linksOf(store, m);
  return {
    message: m.message,
    host: m.host,
    program: m.program,
    sender: events.some(isFromNobody) ? '<>' : m.sender,
    messageId: m.header,
    client: { host: m.client_host, ip: m.client_ip, protocol: m.protocol },
    bytes: m.bytes,
    begins: course.begins,
    arrivedAt: told.iso(course.arrived),
    beganAt: told.iso({ ...course.arrived, at: course.began }),
    endedAt: told.iso({ at: end, path: '', line: 0 }),
    ends: m.completed === null ? 'open' : m.removed ? 'removed' : 'completed',
    from: place(course.arrived),
    ...links,
    recipientCount: Number(recipientCount?.n ?? 0),
    recipients: recipients.map((r) =>
      told.recipient(r, tries.get(r.address_id) ?? [], course, {
        end,
        completed: m.completed !== null,
        expired: expired?.at ?? null,
      }),
    ),
    eventCount: Number(total?.n ?? 0),
    events: told.events(events),
    advice: adviceFor(m, [...tries.values()].flat(), events),
  };
}

async function messageRow(store: Case, no: number): Promise<MessageRow> {
  const row = await store.row<MessageRow>(
    `SELECT f.message_id, t.text AS message, f.host, f.program, a.text AS sender, hd.text AS header, ch.text AS client_host, ci.text AS client_ip, p.text AS protocol, f.bytes,
            ${ms('f.arrived_at')} AS arrived, ${ms('f.first_at')} AS first, ${ms('f.last_at')} AS last,
            ${ms('f.completed_at')} AS completed, f.removed, f.receive_ms, s.path, f.line
     FROM message_facts f JOIN message_texts t ON t.id = f.message_id JOIN address_texts a ON a.id = f.sender_id
     JOIN reply_texts hd ON hd.id = f.header_id JOIN mail_host_texts ch ON ch.id = f.client_host_id
     JOIN mail_ip_texts ci ON ci.id = f.client_ip_id JOIN mail_name_texts p ON p.id = f.protocol_id
     JOIN sources s ON s.source_id = f.source_id
     WHERE f.message_no = $1`,
    [no],
  );
  return row!;
}

/** The lines of one use of a queue id: no other use lies between its first and its last moment. */
const OWN_FACTS = `mail_facts f JOIN sources s USING (source_id)
  WHERE f.message_id = $1 AND s.host = $2
    AND f.logged_at BETWEEN make_timestamp($3::BIGINT) AND make_timestamp($4::BIGINT)`;

function ownValues(m: MessageRow): Value[] {
  // To the end of the millisecond: rows are read to the millisecond.
  return [m.message_id, m.host, BigInt(m.first) * 1000n, BigInt(m.last) * 1000n + 999n];
}

async function eventRows(store: Case, m: MessageRow): Promise<EventRow[]> {
  return store.rows<EventRow>(
    `WITH own AS MATERIALIZED (
       SELECT f.*, s.path FROM ${OWN_FACTS} AND f.kind <> ${K.arrivalFor}
       ORDER BY f.logged_at, f.source_id, f.line LIMIT ${MOST_EVENTS})
     SELECT ${ms('f.logged_at')} AS at, f.zone_min AS zone, f.kind, f.flags, a.text AS address, h.text AS host, i.text AS ip,
            r.text AS related, ro.text AS router, t.text AS transport, p.text AS protocol, hd.text AS header,
            y.text AS reply, f.bytes, f.recipients, f.receive_ms, f.queue_ms, f.path, f.line,
            NOT (f.kind = ${K.deferred} AND ${NOT_MADE}) AS made
     FROM own f
     JOIN address_texts a ON a.id = f.address_id JOIN mail_host_texts h ON h.id = f.host_id
     JOIN mail_ip_texts i ON i.id = f.ip_id JOIN message_texts r ON r.id = f.related_id
     JOIN mail_name_texts ro ON ro.id = f.router_id JOIN mail_name_texts t ON t.id = f.transport_id
     JOIN mail_name_texts p ON p.id = f.protocol_id JOIN reply_texts hd ON hd.id = f.header_id
     JOIN reply_texts y ON y.id = f.reply_id
     ORDER BY f.logged_at, f.source_id, f.line`,
    ownValues(m),
  );
}

/** The recipients that waited longest first, as many as their tries can be read. */
async function recipientRows(store: Case, no: number): Promise<RecipientRow[]> {
  return store.rows<RecipientRow>(
    `WITH ordered AS (
       SELECT *, coalesce(ended_at, TIMESTAMP '9999-01-01') AS until,
              sum(attempts + put_offs) OVER (ORDER BY coalesce(ended_at, TIMESTAMP '9999-01-01') DESC, address_id
                ROWS UNBOUNDED PRECEDING) - (attempts + put_offs) AS before
       FROM recipient_facts WHERE message_no = $1 AND address_id <> 0)
     SELECT r.address_id, a.text AS address, o.text AS original, r.outcome, ${ms('r.ended_at')} AS ended,
            ${ms('r.last_seen_at')} AS last, h.text AS host
     FROM ordered r JOIN address_texts a ON a.id = r.address_id JOIN address_texts o ON o.id = r.original_id
     JOIN mail_host_texts h ON h.id = r.host_id
     WHERE r.before < ${MOST_TRIES}
     ORDER BY r.until DESC, r.address_id LIMIT ${MOST_RECIPIENTS}`,
    [no],
  );
}

async function triesOf(store: Case, no: number, recipients: number[]): Promise<Map<number, TryRow[]>> {
  const tries = new Map<number, TryRow[]>(recipients.map((id) => [id, []]));
  const rows = await store.rows<TryRow>(
    `WITH own AS MATERIALIZED (
       SELECT * FROM attempt_facts WHERE message_no = $1 AND address_id <> 0
       ORDER BY attempted_at, source_id, line LIMIT ${2 * MOST_TRIES})
     SELECT o.address_id, ${ms('o.attempted_at')} AS at, o.outcome, o.made, h.text AS host, i.text AS ip,
            y.text AS reply, t.text AS transport, o.delivery_ms, o.active_ms, o.connect_ms, o.transmit_ms, o.queue_ms,
            s.path, o.line
     FROM own o JOIN mail_host_texts h ON h.id = o.host_id JOIN mail_ip_texts i ON i.id = o.ip_id
     JOIN reply_texts y ON y.id = o.reply_id JOIN mail_name_texts t ON t.id = o.transport_id
     JOIN sources s ON s.source_id = o.source_id
     ORDER BY o.attempted_at, o.source_id, o.line`,
    [no],
  );
  for (const row of rows) tries.get(row.address_id)?.push(row);
  return tries;
}

/** Exim's queue runs in the life of the message; a run without an end is taken to end when another begins. */
async function runsOf(store: Case, m: MessageRow, end: number): Promise<Course['runs']> {
  if (m.program !== 'exim') return [];
  const rows = await store.rows<{ at: number; kind: number; pid: number; path: string; line: number }>(
    `SELECT ${ms('f.logged_at')} AS at, f.kind, f.pid, s.path, f.line
     FROM mail_facts f JOIN sources s USING (source_id)
     WHERE f.kind IN (${K.queueRunStart}, ${K.queueRunEnd}) AND s.host = $1
       AND f.logged_at BETWEEN make_timestamp($2::BIGINT) AND make_timestamp($3::BIGINT)
     ORDER BY f.logged_at, f.source_id, f.line LIMIT ${2 * MOST_RUNS}`,
    [m.host, BigInt(m.first) * 1000n, BigInt(end) * 1000n + 999n],
  );
  const runs: Course['runs'] = [];
  const open = new Map<number, Course['runs'][number]>();
  for (const { at, kind, pid, path, line } of rows)
    if (kind === K.queueRunStart) {
      const run = { at, path, line, end: Number.POSITIVE_INFINITY };
      open.set(pid, run);
      runs.push(run);
    } else {
      const run = open.get(pid);
      if (run) run.end = at;
      open.delete(pid);
    }
  runs.forEach((run, i) => {
    const next = runs[i + 1];
    if (run.end === Number.POSITIVE_INFINITY && next) run.end = next.at;
  });
  return runs;
}

const MOST_LINKS = 50;

/** Of which message it is the bounce, warning or forwarded mail, and which are its own. */
async function linksOf(store: Case, m: MessageRow): Promise<{ parents: string[]; children: string[] }> {
  const texts = (rows: { text: string }[]) => rows.map((r) => r.text).toSorted();
  // Exim's bounce names its parent (R=); Postfix's parent names its bounce, and what it was forwarded as.
  const names = (child: boolean) =>
    child ? `${K.notification}, ${K.delivered}` : `${K.arrival}, ${K.connection}`;
  const named = (child: boolean) =>
    store.rows<{ text: string }>(
      `SELECT DISTINCT r.text FROM ${OWN_FACTS.replace('JOIN sources s', 'JOIN message_texts r ON r.id = f.related_id JOIN sources s')}
       AND f.related_id <> 0 AND f.related_id <> f.message_id AND f.kind IN (${names(child)}) LIMIT ${MOST_LINKS}`,
      ownValues(m),
    );
  const naming = (child: boolean) =>
    store.rows<{ text: string }>(
      `SELECT DISTINCT t.text FROM mail_facts f JOIN sources s USING (source_id) JOIN message_texts t ON t.id = f.message_id
       WHERE f.related_id = $1 AND f.message_id <> 0 AND f.message_id <> $1 AND s.host = $2
         AND f.logged_at BETWEEN make_timestamp($3::BIGINT) - INTERVAL 1 HOUR AND make_timestamp($4::BIGINT) + INTERVAL 1 HOUR
         AND f.kind IN (${names(child)}) LIMIT ${MOST_LINKS}`,
      ownValues(m),
    );
  const [up, down, below, above] = [
    await named(false),
    await named(true),
    await naming(false),
    await naming(true),
  ];
  return {
    parents: [...new Set([...texts(up), ...texts(above)])],
    children: [...new Set([...texts(down), ...texts(below)])],
  };
}

function courseOf(
  m: MessageRow,
  events: readonly EventRow[],
  runs: Course['runs'],
  tries: ReadonlyMap<number, readonly TryRow[]>,
): Course {
  const postfix = m.program === 'postfix';
  const all = [...tries.values()].flat().sort((a, b) => a.at - b.at);
  // The earliest beginning that a later line's QT or delay tells.
  const told = all.reduce(
    (least, t) => (t.queue_ms === null ? least : Math.min(least, t.at - t.queue_ms)),
    Number.POSITIVE_INFINITY,
  );
  const first: At = { at: m.arrived ?? m.first, path: m.path, line: m.line };
  const arrival = events.find((e) => e.kind === K.arrival);
  const arrived = !postfix && arrival && m.arrived !== null ? at(arrival) : first;
  const begins = m.arrived !== null ? 'logged' : told < first.at ? 'told' : 'before-logs';
  const began = begins === 'logged' ? arrived.at - (m.receive_ms ?? 0) : begins === 'told' ? told : first.at;
  const ofKind = (...kinds: number[]) => events.filter((e) => kinds.includes(e.kind));
  const locked = (e: EventRow) => e.kind === K.waiting && LOCKED.test(e.reply ?? '');
  return {
    program: m.program,
    began,
    arrived,
    begins,
    delays: ofKind(K.waiting)
      .filter((e) => e.reply?.startsWith('no immediate delivery') === true)
      .map((e) => ({ ...at(e), why: e.reply! })),
    busy: postfix
      ? []
      : events.filter((e) => e.kind === K.hostError || e.kind === K.tlsError || locked(e)).map(at),
    frozen: ofKind(K.frozen).map((e) => {
      const freed = events.find(
        (f) =>
          f.at >= e.at &&
          (f.kind === K.unfrozen ||
            f.kind === K.completed ||
            f.kind === K.removed ||
            (postfix && f.kind === K.active)),
      );
      const tried = all.find((t) => t.made && t.at > e.at);
      return { ...at(e), until: Math.min(freed?.at ?? Infinity, tried?.at ?? Infinity) };
    }),
    active: ofKind(K.active).map(at),
    tries: all.filter((t) => t.made).map((t) => t.at),
    runs,
  };
}

/** A bounce, warning or other notice of a mail program. */
const isFromNobody = (e: EventRow): boolean =>
  (e.kind === K.arrival || e.kind === K.active) && (e.flags & MailFlag.nullSender) !== 0;

const at = ({ at, path, line }: At): At => ({ at, path, line });
const place = ({ path, line }: LifePlace): LifePlace => ({ path, line });

function adviceFor(m: MessageRow, tries: readonly TryRow[], events: readonly EventRow[]): string[] {
  const missing: string[] = [];
  if (m.program === 'exim') {
    if (tries.some((t) => t.made && t.delivery_ms === null && t.host !== null)) missing.push('+deliver_time');
    if (tries.some((t) => t.outcome === 'delivered' && t.queue_ms === null)) missing.push('+queue_time');
    if (m.arrived !== null && m.receive_ms === null) missing.push('+receive_time');
    if (events.length > 0 && events.every((e) => e.at % 1000 === 0)) missing.push('+millisec');
  }
  return missing.length === 0 || (missing.length === 1 && missing[0] === '+millisec')
    ? []
    : [
        `add ${missing.join(' ')} to log_selector in Exim’s configuration, and later messages are told to the second`,
      ];
}

// ── Telling it ───────────────────────────────────────────────────────────────────────────────────────────────────

const CLASS_WORDS: Record<string, string> = {
  reputation: 'a refusal for reputation',
  volume: 'a refusal for volume',
  authentication: 'a refusal for missing authentication',
  policy: 'a refusal by policy',
  content: 'a refusal for the content',
  'mailbox-full': 'a full mailbox',
  'no-such-user': 'an unknown recipient',
  outage: 'trouble on the other side',
  tls: 'a TLS failure',
  dns: 'a DNS failure',
  network: 'a network failure',
  local: 'trouble on this host',
};

/** When in a delivery it went wrong. */
const PHASE_WORDS: Partial<Record<Phase, string>> = {
  connect: ', on connecting',
  banner: ', before the greeting',
  ehlo: ', at EHLO',
  tls: ', at TLS',
  auth: ', at AUTH',
  mail: ', at MAIL FROM',
  rcpt: ', at RCPT TO',
  data: ', at DATA',
  body: ', while the message was sent',
  'end-of-data': ', at the end of the message',
};

/** Spool file is locked, Exim 4.8x; Spool file for ID is locked, since. */
const LOCKED = /^Spool file (?:for \S{1,40} )?is locked/;
/** Says nothing that the event does not. */
const SAYS_NO_MORE =
  /^(?:retry time not reached(?: for any host)?[^:]{0,300}$|Spool file (?:for \S{1,40} )?is locked)/;

/** The other side's own words, or what the mail program says. */
function wordsOf({ code, enhanced, text }: Reply): string {
  return [code, enhanced, text].filter((part) => part !== null && part !== '').join(' ');
}

class Teller {
  /** Offset of each line, and of the last one met. */
  private readonly zones = new Map<string, number>();
  private readonly zone: number;
  private readonly sames = new Map<string, number>();
  private readonly judged = new Map<string, { reply: Reply; class: string; meaning: string | null }>();

  constructor(
    private readonly m: MessageRow,
    events: readonly EventRow[],
  ) {
    for (const e of events) this.zones.set(`${e.line} ${e.path}`, e.zone);
    this.zone = events[0]?.zone ?? UNZONED;
  }

  iso({ at, path, line }: At): string {
    return iso(at, this.zones.get(`${line} ${path}`) ?? this.zone);
  }

  private judge(text: string, host: string | null, address: string | null, at: number) {
    const key = `${host} ${domainOf(address)} ${text}`;
    const before = this.judged.get(key);
    if (before) return before;
    const reply = replyOf(text);
    const c = classify(reply, this.provider(host, address, at));
    // Without a source of the knowledge the meaning says no more than the reply.
    const told = { reply, class: c.class, meaning: c.explainedBy === null ? null : c.meaning };
    this.judged.set(key, told);
    return told;
  }

  private provider(host: string | null, address: string | null, at: number): Provider {
    return providerOf(host, domainOf(address), at / 1000);
  }

  recipient(
    r: RecipientRow,
    rows: readonly TryRow[],
    course: Course,
    message: { end: number; completed: boolean; expired: number | null },
  ): LifeRecipient {
    const open = r.outcome === 'waiting';
    const outcome = open
      ? message.expired !== null
        ? 'failed'
        : message.completed
          ? 'unknown'
          : 'waiting'
      : r.outcome;
    const end = r.ended ?? (open ? message.expired : null) ?? message.end;
    const within = rows.filter((t) => t.at <= end);
    const tries = within.map(
      (t): Try => ({
        ...at(t),
        outcome: t.outcome,
        made: t.made,
        because: this.because(t, r.address),
        deliveryMs: t.delivery_ms,
        activeMs: t.active_ms,
        connectMs: t.connect_ms,
        transmitMs: t.transmit_ms,
      }),
    );
    const parts = accountFor(course, tries, end);
    const began = parts[0]?.from ?? end;
    const host = r.host ?? rows.findLast((t) => t.host !== null)?.host ?? null;
    const provider = host === null && outcome === 'delivered' ? null : this.provider(host, r.address, end);
    const last = rows.at(-1);
    return {
      address: r.address,
      original: r.original,
      provider: provider && { id: provider.id, name: provider.name },
      outcome,
      endedAt: this.iso(last && last.at === end ? at(last) : { at: end, path: '', line: 0 }),
      totalS: (end - began) / 1000,
      parts: parts.map(({ kind, says, from, to, place: p }) => ({
        says,
        kind,
        at: this.iso({ ...p, at: from }),
        seconds: (to - from) / 1000,
        from: place(p),
      })),
      attempts: rows.map((t) => ({
        at: this.iso(t),
        outcome: t.outcome,
        made: t.made,
        host: t.host,
        ip: t.ip,
        reply: t.reply,
        class:
          t.outcome === 'delivered' || t.reply === null
            ? null
            : this.judge(t.reply, t.host, r.address, t.at).class,
        from: place(t),
      })),
    };
  }

  private because(t: TryRow, address: string): string {
    if (t.outcome !== 'deferred') return '';
    const { class: kind, reply } = this.judge(t.reply ?? '', t.host, address, t.at);
    const by = t.host === null && t.ip === null ? '' : ` at ${peer(t)}`;
    if (kind === 'greylisting') return `greylisting${by}`;
    return `${CLASS_WORDS[kind] ?? (reply.code === null ? 'a try that failed' : 'a refusal')}${by}`;
  }

  events(rows: readonly EventRow[]): LifeEvent[] {
    return rows.map((e, i) => {
      const refused = (e.kind === K.deferred && e.made) || e.kind === K.failed || e.kind === K.hostError;
      const judged = refused && e.reply !== null ? this.judge(e.reply, e.host, e.address, e.at) : null;
      return {
        at: this.iso(e),
        gapS: i === 0 ? 0 : (e.at - rows[i - 1]!.at) / 1000,
        kind: eventKind(e),
        address: e.address,
        host: e.host,
        ip: e.ip,
        says: this.says(e) + (PHASE_WORDS[judged?.reply.phase ?? 'quit'] ?? ''),
        reply: judged ? wordsOf(judged.reply) : SAYS_NO_MORE.test(e.reply ?? '') ? null : e.reply,
        meaning: judged?.meaning ?? null,
        same: this.same(e),
        path: e.path,
        line: e.line,
      };
    });
  }

  /** What a receiver answers to a delivery has an id of its own; that it took it is the same. */
  private same(e: EventRow): number {
    const delivered = eventKind(e) === 'delivered';
    const key = JSON.stringify([
      e.kind,
      e.made,
      e.host,
      delivered || e.reply === null ? null : normalise(e.reply),
    ]);
    return this.sames.get(key) ?? this.sames.set(key, this.sames.size).size - 1;
  }

  private says(e: EventRow): string {
    const at = e.host === null && e.ip === null ? '' : ` at ${peer(e)}`;
    const through = at !== '' || e.transport === null ? '' : ` by ${e.transport}`;
    const whom = e.address ?? 'all recipients';
    switch (e.kind) {
      case K.arrival: {
        const sender = e.address ?? this.m.sender;
        const from = isFromNobody(e) ? ' as a bounce or notice' : sender === null ? '' : ` from ${sender}`;
        const client = e.host === null && e.ip === null ? '' : `, sent by ${peer(e)}`;
        const how = e.protocol === null ? '' : ` by ${e.protocol}`;
        const parts = [
          e.bytes >= 0 ? `${count(e.bytes)} bytes` : '',
          e.recipients > 0 ? `for ${plural(e.recipients, 'recipient')}` : '',
          e.receive_ms >= 0 ? `received in ${e.receive_ms / 1000} s` : '',
          e.related === null ? '' : `about ${e.related}`,
          e.header === null ? '' : `Message-ID ${e.header}`,
        ].filter((part) => part !== '');
        return `taken in${from}${client}${how}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
      }
      case K.delivered:
        return `delivered to ${whom}${at}${through}${e.related === null ? '' : `, forwarded as ${e.related}`}`;
      case K.deliveredAlso:
        return `delivered to ${whom} in the same connection${at}${through}`;
      case K.cutthrough:
        return `delivered to ${whom}${at} while it was being received`;
      case K.suppressed:
        return `delivery to ${whom} was only simulated (-N)`;
      case K.failed:
        return `failed for ${whom}${at}${through}`;
      case K.deferred:
        return e.made
          ? `put off for ${whom}${at}${through}`
          : `not tried for ${whom}: its time to be tried again had not come`;
      case K.hostError:
        return at === '' ? 'a host could not be used' : `${peer(e)} did not take it`;
      case K.completed:
        return this.m.program === 'postfix'
          ? 'out of the queue: nothing is left to do'
          : 'completed: nothing is left to do';
      case K.removed:
        return 'removed by hand';
      case K.frozen:
        return this.m.program === 'postfix' ? 'put on hold' : 'frozen';
      case K.unfrozen:
        return this.m.program === 'postfix' ? 'released from hold' : 'unfrozen';
      case K.waiting:
        return LOCKED.test(e.reply ?? '')
          ? 'a queue run left it: another process was delivering it'
          : 'not tried';
      case K.active: {
        const parts = [
          e.address === null ? '' : `from ${e.address}`,
          e.bytes >= 0 ? `${count(e.bytes)} bytes` : '',
          e.recipients > 0 ? plural(e.recipients, 'recipient') : '',
        ].filter((part) => part !== '');
        return `into the active queue${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
      }
      case K.notification:
        return e.related === null
          ? 'a notice to the sender'
          : `a notice to the sender is message ${e.related}`;
      case K.connection:
        return at === ''
          ? `handed in on this host${e.address === null ? '' : ` by ${e.address}`}`
          : `a client begins it: ${peer(e)}`;
      case K.rejected:
        return `a command of the client was refused${at}`;
      case K.tlsError:
        return `TLS failed${at}`;
      case K.warning:
        return 'the mail program warns';
      default:
        return 'the log says';
    }
  }
}

function domainOf(address: string | null): string | null {
  const found = address === null ? null : /@([^@<>\s]+)>?$/.exec(address.slice(-320));
  return found ? found[1]!.toLowerCase() : null;
}

const peer = ({ host, ip }: { host: string | null; ip: string | null }): string =>
  [host, ip === null ? null : `[${ip}]`].filter((part) => part !== null).join(' ');

const EVENT_KINDS: Partial<Record<number, string>> = {
  [K.arrival]: 'arrival',
  [K.delivered]: 'delivered',
  [K.deliveredAlso]: 'delivered',
  [K.cutthrough]: 'delivered',
  [K.suppressed]: 'remark',
  [K.failed]: 'failed',
  [K.completed]: 'completed',
  [K.frozen]: 'frozen',
  [K.unfrozen]: 'unfrozen',
  [K.hostError]: 'host-error',
  [K.waiting]: 'waiting',
  [K.rejected]: 'rejected',
  [K.removed]: 'removed',
  [K.connection]: 'connection',
  [K.tlsError]: 'tls-error',
  [K.active]: 'active',
  [K.notification]: 'notification',
  [K.warning]: 'warning',
};

function eventKind(e: EventRow): string {
  if (e.kind === K.deferred) return e.made ? 'deferred' : 'waiting';
  return EVENT_KINDS[e.kind] ?? 'remark';
}
