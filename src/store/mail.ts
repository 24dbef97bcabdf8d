import { MailKind } from '../formats/mail-log/columns.js';
import type { Case } from './case.js';

const K = MailKind;
const DELIVERED = `${K.delivered}, ${K.deliveredAlso}, ${K.cutthrough}`;
const TRIES = `${DELIVERED}, ${K.failed}, ${K.deferred}`;
const ENDS = `${K.completed}, ${K.removed}`;
/** Silence after which a queue id is another message. */
const ANOTHER_AFTER = "INTERVAL '30 days'";

/** Events with the host that they are of (a small number), and which use of its queue id each belongs to. */
const EVENTS = `mail_facts f JOIN mail_sources s USING (source_id) LEFT JOIN mail_episodes e ON e.rid = f.rowid`;
/** Events with their message's number. */
const NUMBERED = `${EVENTS} JOIN mail_numbers n
  ON n.message_id = f.message_id AND n.host_no = s.host_no AND n.episode = coalesce(e.episode, 0)`;

export { MailFlag, MailKind } from '../formats/mail-log/columns.js';

/**
 * Whether a deferral was made without a try, of an event `f` with its reply `y`: Exim's retry time has not come
 * (macros.h: ERRNO_RRETRY -52, ERRNO_LRETRY -53, ERRNO_HRETRY -54), or Postfix had suspended deliveries.
 */
export const NOT_MADE = `(f.errno BETWEEN -54 AND -52 OR coalesce(starts_with(y.text, 'delivery temporarily suspended')
  OR starts_with(y.text, 'retry time not reached'), false))`;

/**
 * Makes messages, attempts and recipients from the events of the mail logs.
 *
 * Nearly all queue ids are used once and nearly all recipients are tried once, so windows and many-sided aggregates
 * look only at those that are not.
 */
export async function deriveMail(store: Case): Promise<void> {
  await store.run('BEGIN');
  for (const table of ['message_facts', 'attempt_facts', 'recipient_facts'])
    await store.run(`DELETE FROM ${table}`);
  const any = await store.row('SELECT 1 FROM mail_facts LIMIT 1');
  if (any) {
    await store.run(
      `CREATE OR REPLACE TEMP TABLE mail_sources AS
       SELECT source_id, host, kind AS program, CAST(dense_rank() OVER (ORDER BY host) AS INTEGER) AS host_no FROM sources`,
    );
    await store.run(
      'CREATE OR REPLACE TEMP TABLE mail_hosts AS SELECT DISTINCT host_no, host FROM mail_sources',
    );
    await episodes(store);
    await messages(store);
    await attempts(store);
    await recipients(store);
    for (const table of ['sources', 'hosts', 'episodes', 'numbers', 'again', 'order', 'put_off_replies'])
      await store.run(`DROP TABLE IF EXISTS mail_${table}`);
  }
  await store.run('COMMIT');
}

/** Which use of its queue id each event belongs to; only ids that are used twice need looking at. */
async function episodes(store: Case): Promise<void> {
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_episodes AS
     WITH repeated AS (
       SELECT s.host_no, f.message_id FROM mail_facts f JOIN mail_sources s USING (source_id) WHERE f.message_id <> 0
       GROUP BY s.host_no, f.message_id
       HAVING count(*) FILTER (f.kind IN (${ENDS})) > 1 OR max(logged_at) - min(logged_at) > ${ANOTHER_AFTER}),
     ordered AS (
       SELECT f.rowid AS rid, s.host_no, f.message_id, f.logged_at, f.source_id, f.line,
              CASE WHEN lag(f.kind) OVER w IN (${ENDS}) AND f.kind NOT IN (${ENDS})
                        OR f.logged_at - lag(f.logged_at) OVER w > ${ANOTHER_AFTER} THEN 1 ELSE 0 END AS begins
       FROM mail_facts f JOIN mail_sources s USING (source_id)
       JOIN repeated r ON r.host_no = s.host_no AND r.message_id = f.message_id
       WINDOW w AS (PARTITION BY s.host_no, f.message_id ORDER BY f.logged_at, f.source_id, f.line))
     SELECT rid, CAST(sum(begins) OVER (PARTITION BY host_no, message_id ORDER BY logged_at, source_id, line
       ROWS UNBOUNDED PRECEDING) AS INTEGER) AS episode
     FROM ordered`,
  );
}

/** Time, source and line of an event in one number: the least is the first event's, and found faster than a row. */
const PLACE = `epoch_us(f.logged_at)::HUGEINT * 18446744073709551616 + (f.source_id * 4294967296::BIGINT + f.line)`;

async function messages(store: Case): Promise<void> {
  const first = (column: string, kinds: string) =>
    `coalesce(min(CASE WHEN f.kind IN (${kinds}) THEN nullif(f.${column}, 0) END), 0) AS ${column}`;
  const most = (column: string, kinds: string) =>
    `max(CASE WHEN f.kind IN (${kinds}) THEN nullif(f.${column}, -1) END) AS ${column}`;
  const had = (kind: number) => `m.kinds & ${1 << kind} <> 0`;
  const queued = `${K.arrival}, ${K.active}`;
  const received = `${K.arrival}, ${K.connection}`;
  await store.run(
    `INSERT INTO message_facts
     SELECT m.message_no, h.host,
            CASE WHEN p.program = 'exim-log' OR strpos(t.text, '-') > 0 THEN 'exim' ELSE 'postfix' END, m.message_id, m.episode, m.address_id, m.header_id, m.host_id, m.ip_id,
            m.protocol_id, m.bytes, m.recipients, CASE WHEN ${had(K.arrival)} THEN m.received_at END, m.first_at, m.last_at,
            m.completed_at, ${had(K.removed)}, ${had(K.frozen)}, m.receive_ms, p.source_id,
            CAST(m.place & 4294967295 AS UINTEGER)
     FROM (
       SELECT row_number() OVER (ORDER BY first_at, host_no, message_id) AS message_no, *
       FROM (
         SELECT s.host_no, f.message_id, coalesce(e.episode, 0) AS episode, min(${PLACE}) AS place,
                bit_or(1::UINTEGER << f.kind::UINTEGER) AS kinds, min(f.logged_at) AS first_at, max(f.logged_at) AS last_at,
                max(CASE WHEN f.kind IN (${ENDS}) THEN f.logged_at END) AS completed_at,
                min(CASE WHEN f.kind IN (${received}) THEN f.logged_at END) AS received_at,
                ${first('address_id', queued)}, ${first('header_id', String(K.arrival))}, ${first('host_id', received)},
                ${first('ip_id', received)}, ${first('protocol_id', received)}, ${most('bytes', queued)},
                ${most('recipients', queued)}, ${most('receive_ms', String(K.arrival))}
         FROM ${EVENTS} WHERE f.message_id <> 0
         GROUP BY s.host_no, f.message_id, coalesce(e.episode, 0))) m
     JOIN mail_hosts h USING (host_no) JOIN message_texts t ON t.id = m.message_id
     JOIN mail_sources p ON p.source_id = CAST((m.place >> 32) & 4294967295 AS INTEGER)`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_numbers AS
     SELECT m.message_no, h.host_no, m.message_id, m.episode FROM message_facts m JOIN mail_hosts h USING (host)`,
  );
}

async function attempts(store: Case): Promise<void> {
  const known = (column: string) => `nullif(f.${column}, -1)`;
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_again AS
     SELECT n.message_no, f.address_id FROM ${NUMBERED} WHERE f.kind IN (${TRIES}) GROUP BY ALL HAVING count(*) > 1`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_order AS
     SELECT f.rowid AS rid, CAST(row_number() OVER (PARTITION BY n.message_no, f.address_id
       ORDER BY f.logged_at, f.source_id, f.line) AS INTEGER) AS attempt
     FROM ${NUMBERED} JOIN mail_again a ON a.message_no = n.message_no AND a.address_id = f.address_id
     WHERE f.kind IN (${TRIES})`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_put_off_replies AS
     SELECT id FROM reply_texts
     WHERE starts_with(text, 'delivery temporarily suspended') OR starts_with(text, 'retry time not reached')`,
  );
  // Exim macros.h: ERRNO_RRETRY -52, ERRNO_LRETRY -53, ERRNO_HRETRY -54: the retry time has not come.
  await store.run(
    `INSERT INTO attempt_facts
     SELECT n.message_no, f.address_id, f.original_id, coalesce(o.attempt, 1), f.logged_at,
            CASE WHEN f.kind IN (${DELIVERED}) THEN 'delivered' WHEN f.kind = ${K.failed} THEN 'failed' ELSE 'deferred' END,
            NOT (f.kind = ${K.deferred} AND (f.errno BETWEEN -54 AND -52 OR y.id IS NOT NULL)),
            f.kind, f.host_id, f.ip_id, ${known('port')}, f.local_ip_id, ${known('local_port')}, f.router_id, f.transport_id,
            f.tls_id, f.dsn_id, f.reply_id, f.errno, f.code, f.flags,
            ${['bytes', 'queue_ms', 'delivery_ms', 'before_ms', 'active_ms', 'connect_ms', 'transmit_ms'].map(known).join(', ')},
            f.source_id, f.line
     FROM ${NUMBERED} LEFT JOIN mail_order o ON o.rid = f.rowid LEFT JOIN mail_put_off_replies y ON y.id = f.reply_id
     WHERE f.kind IN (${TRIES})`,
  );
}

async function recipients(store: Case): Promise<void> {
  const last = (column: string) =>
    `coalesce(arg_max(${column}, attempt) FILTER (${column} <> 0), 0) AS ${column}`;
  await store.run(
    `INSERT INTO recipient_facts
     WITH tried AS (
       SELECT message_no, address_id, original_id, CASE WHEN outcome = 'deferred' THEN 'waiting' ELSE outcome END AS outcome,
              CAST(made AS INTEGER) AS attempts, CAST(made AND outcome = 'deferred' AS INTEGER) AS deferrals,
              CAST(NOT made AS INTEGER) AS put_offs, CASE WHEN NOT made THEN attempted_at END AS first_put_off_at,
              CASE WHEN made THEN attempted_at END AS first_attempt_at,
              CASE WHEN made AND outcome = 'deferred' THEN attempted_at END AS last_refusal_at,
              CASE WHEN outcome <> 'deferred' THEN attempted_at END AS ended_at,
              attempted_at AS last_seen_at, host_id, ip_id, transport_id, source_id, line
       FROM attempt_facts ANTI JOIN mail_again USING (message_no, address_id)
       UNION ALL
       SELECT message_no, address_id, max(original_id),
              CASE WHEN bool_or(outcome = 'delivered') THEN 'delivered' WHEN bool_or(outcome = 'failed') THEN 'failed'
                   ELSE 'waiting' END,
              count(*) FILTER (made), count(*) FILTER (made AND outcome = 'deferred'), count(*) FILTER (NOT made),
              min(attempted_at) FILTER (NOT made), min(attempted_at) FILTER (made),
              max(attempted_at) FILTER (made AND outcome = 'deferred'),
              coalesce(min(attempted_at) FILTER (outcome = 'delivered'), min(attempted_at) FILTER (outcome = 'failed')),
              max(attempted_at), ${last('host_id')}, ${last('ip_id')}, ${last('transport_id')},
              arg_max(source_id, attempt), arg_max(line, attempt)
       FROM attempt_facts SEMI JOIN mail_again USING (message_no, address_id) GROUP BY message_no, address_id),
     never AS (
       SELECT DISTINCT n.message_no, f.address_id, f.source_id, f.line
       FROM ${NUMBERED} JOIN message_facts m ON m.message_no = n.message_no
       WHERE f.kind = ${K.arrivalFor} AND m.completed_at IS NULL AND f.address_id <> 0
         AND NOT EXISTS (SELECT 1 FROM attempt_facts a WHERE a.message_no = n.message_no
                         AND (a.address_id = f.address_id OR a.original_id = f.address_id)))
     SELECT t.message_no, t.address_id, t.original_id,
            CASE WHEN t.outcome = 'waiting' AND m.removed THEN 'removed' ELSE t.outcome END,
            t.attempts, t.deferrals, t.put_offs, t.first_put_off_at, m.arrived_at, t.first_attempt_at, t.last_refusal_at,
            t.ended_at, t.last_seen_at, t.host_id, t.ip_id, t.transport_id, t.source_id, t.line
     FROM tried t JOIN message_facts m USING (message_no)
     UNION ALL
     SELECT n.message_no, n.address_id, 0, CASE WHEN m.removed THEN 'removed' ELSE 'waiting' END, 0, 0, 0, NULL, m.arrived_at,
            NULL, NULL, NULL, m.last_at, 0, 0, 0, n.source_id, n.line
     FROM never n JOIN message_facts m USING (message_no)`,
  );
}
