import { MailKind } from '../formats/mail-log/columns.js';
import type { Case } from './case.js';

/**
 * From the lines of mail logs to messages, recipients and attempts: what happened to each, across files.
 *
 * A queue id names one message of one host at a time; after it is completed (or a month of silence) the same id is
 * another message. Everything is made anew from the events whenever these have changed, in one transaction.
 */
export const MAIL_SCHEMA = `
-- One row a message. Times as in mail_facts.
CREATE TABLE message_facts (
  message_no INTEGER NOT NULL,
  host VARCHAR NOT NULL,
  program VARCHAR NOT NULL,       -- exim, postfix
  message_id INTEGER NOT NULL,
  episode INTEGER NOT NULL,       -- 0; counts on where a queue id is used again
  sender_id INTEGER NOT NULL,
  header_id INTEGER NOT NULL,
  client_host_id INTEGER NOT NULL,
  client_ip_id INTEGER NOT NULL,
  protocol_id INTEGER NOT NULL,
  bytes INTEGER,
  recipients INTEGER,             -- as logged on arrival
  arrived_at TIMESTAMP,           -- NULL: its beginning lies before the logs
  first_at TIMESTAMP NOT NULL,
  last_at TIMESTAMP NOT NULL,
  completed_at TIMESTAMP,         -- NULL: its end lies behind the logs, or it is in the queue still
  removed BOOLEAN NOT NULL,       -- by hand
  frozen BOOLEAN NOT NULL,        -- at some time
  receive_ms INTEGER,
  source_id INTEGER NOT NULL,     -- of its first line
  line UINTEGER NOT NULL);

-- One row an attempt: a message, a recipient, a try. A try that was not made because its time had not come is none.
CREATE TABLE attempt_facts (
  message_no INTEGER NOT NULL,
  address_id INTEGER NOT NULL,
  original_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,       -- from 1 for each recipient
  attempted_at TIMESTAMP NOT NULL,  -- when its outcome was logged
  outcome VARCHAR NOT NULL,       -- delivered, deferred, failed
  made BOOLEAN NOT NULL,          -- false: put off without a try (retry time not reached, suspended)
  kind UTINYINT NOT NULL,
  host_id INTEGER NOT NULL,
  ip_id INTEGER NOT NULL,
  port INTEGER,
  local_ip_id INTEGER NOT NULL,
  local_port INTEGER,
  router_id INTEGER NOT NULL,
  transport_id INTEGER NOT NULL,
  tls_id INTEGER NOT NULL,
  dsn_id INTEGER NOT NULL,
  reply_id INTEGER NOT NULL,
  errno INTEGER NOT NULL,
  code SMALLINT NOT NULL,
  flags USMALLINT NOT NULL,
  bytes INTEGER,
  queue_ms INTEGER,
  delivery_ms INTEGER,
  before_ms INTEGER,
  active_ms INTEGER,
  connect_ms INTEGER,
  transmit_ms INTEGER,
  source_id INTEGER NOT NULL,
  line UINTEGER NOT NULL);

-- One row a recipient of a message.
CREATE TABLE recipient_facts (
  message_no INTEGER NOT NULL,
  address_id INTEGER NOT NULL,
  original_id INTEGER NOT NULL,
  outcome VARCHAR NOT NULL,       -- delivered, failed, removed; waiting: neither yet, at the end of the logs
  attempts INTEGER NOT NULL,      -- made
  deferrals INTEGER NOT NULL,     -- of them
  put_offs INTEGER NOT NULL,      -- deferred without a try, since a retry time had not come
  first_put_off_at TIMESTAMP,
  arrived_at TIMESTAMP,
  first_attempt_at TIMESTAMP,
  last_refusal_at TIMESTAMP,      -- the last attempt that was deferred
  ended_at TIMESTAMP,             -- delivered or failed; NULL while waiting
  last_seen_at TIMESTAMP NOT NULL,
  host_id INTEGER NOT NULL,       -- of the last attempt that names one
  ip_id INTEGER NOT NULL,
  transport_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL,     -- of its last event
  line UINTEGER NOT NULL);

CREATE VIEW mail_events AS
SELECT s.host, s.path AS source, f.line, f.logged_at,
       f.logged_at + to_minutes(CASE WHEN f.zone_min = -32768 THEN 0 ELSE f.zone_min END) AS local_at,
       f.kind, f.flags, nullif(f.pid, -1) AS pid, m.text AS message, r.text AS related, a.text AS address,
       o.text AS original, h.text AS mail_host, i.text AS ip, nullif(f.port, -1) AS port, l.text AS local_ip,
       nullif(f.local_port, -1) AS local_port, ro.text AS router, t.text AS transport, p.text AS protocol,
       x.text AS tls, d.text AS dsn, hd.text AS header_id, y.text AS reply, nullif(f.errno, 0) AS errno,
       nullif(f.code, 0) AS code, nullif(f.bytes, -1) AS bytes, nullif(f.recipients, -1) AS recipients,
       nullif(f.queue_ms, -1) AS queue_ms, nullif(f.delivery_ms, -1) AS delivery_ms,
       nullif(f.receive_ms, -1) AS receive_ms, nullif(f.before_ms, -1) AS before_ms,
       nullif(f.active_ms, -1) AS active_ms, nullif(f.connect_ms, -1) AS connect_ms,
       nullif(f.transmit_ms, -1) AS transmit_ms, f.source_id
FROM mail_facts f
JOIN sources s USING (source_id)
JOIN message_texts m ON m.id = f.message_id
JOIN message_texts r ON r.id = f.related_id
JOIN address_texts a ON a.id = f.address_id
JOIN address_texts o ON o.id = f.original_id
JOIN mail_host_texts h ON h.id = f.host_id
JOIN mail_ip_texts i ON i.id = f.ip_id
JOIN mail_ip_texts l ON l.id = f.local_ip_id
JOIN mail_name_texts ro ON ro.id = f.router_id
JOIN mail_name_texts t ON t.id = f.transport_id
JOIN mail_name_texts p ON p.id = f.protocol_id
JOIN mail_name_texts x ON x.id = f.tls_id
JOIN mail_name_texts d ON d.id = f.dsn_id
JOIN reply_texts hd ON hd.id = f.header_id
JOIN reply_texts y ON y.id = f.reply_id;

CREATE VIEW messages AS
SELECT f.message_no, f.host, f.program, m.text AS message, s.text AS sender, hd.text AS header_id,
       ch.text AS client_host, ci.text AS client_ip, p.text AS protocol, f.bytes, f.recipients, f.arrived_at,
       f.first_at, f.last_at, f.completed_at, f.removed, f.frozen, f.receive_ms, so.path AS source, f.line
FROM message_facts f
JOIN message_texts m ON m.id = f.message_id
JOIN address_texts s ON s.id = f.sender_id
JOIN reply_texts hd ON hd.id = f.header_id
JOIN mail_host_texts ch ON ch.id = f.client_host_id
JOIN mail_ip_texts ci ON ci.id = f.client_ip_id
JOIN mail_name_texts p ON p.id = f.protocol_id
JOIN sources so ON so.source_id = f.source_id;

CREATE VIEW attempts AS
SELECT f.message_no, m.text AS message, a.text AS recipient, o.text AS original, f.attempt, f.attempted_at, f.outcome,
       f.made, h.text AS mail_host, i.text AS ip, f.port, l.text AS local_ip, f.local_port, ro.text AS router,
       t.text AS transport, x.text AS tls, d.text AS dsn, y.text AS reply, nullif(f.errno, 0) AS errno,
       nullif(f.code, 0) AS code, f.flags & 1 = 1 AS fast_open, f.bytes, f.queue_ms, f.delivery_ms, f.before_ms,
       f.active_ms, f.connect_ms, f.transmit_ms, so.path AS source, f.line
FROM attempt_facts f
JOIN message_facts mf USING (message_no)
JOIN message_texts m ON m.id = mf.message_id
JOIN address_texts a ON a.id = f.address_id
JOIN address_texts o ON o.id = f.original_id
JOIN mail_host_texts h ON h.id = f.host_id
JOIN mail_ip_texts i ON i.id = f.ip_id
JOIN mail_ip_texts l ON l.id = f.local_ip_id
JOIN mail_name_texts ro ON ro.id = f.router_id
JOIN mail_name_texts t ON t.id = f.transport_id
JOIN mail_name_texts x ON x.id = f.tls_id
JOIN mail_name_texts d ON d.id = f.dsn_id
JOIN reply_texts y ON y.id = f.reply_id
JOIN sources so ON so.source_id = f.source_id;

CREATE VIEW recipients AS
SELECT f.message_no, m.text AS message, a.text AS recipient, o.text AS original, f.outcome, f.attempts, f.deferrals,
       f.put_offs, f.first_put_off_at, f.arrived_at, f.first_attempt_at, f.last_refusal_at, f.ended_at, f.last_seen_at,
       epoch(f.ended_at) - epoch(f.arrived_at) AS delay_s, h.text AS mail_host, i.text AS ip, t.text AS transport,
       so.path AS source, f.line
FROM recipient_facts f
JOIN message_facts mf USING (message_no)
JOIN message_texts m ON m.id = mf.message_id
JOIN address_texts a ON a.id = f.address_id
JOIN address_texts o ON o.id = f.original_id
JOIN mail_host_texts h ON h.id = f.host_id
JOIN mail_ip_texts i ON i.id = f.ip_id
JOIN mail_name_texts t ON t.id = f.transport_id
JOIN sources so ON so.source_id = f.source_id;
`;

const K = MailKind;
const DELIVERED = `${K.delivered}, ${K.deliveredAlso}, ${K.cutthrough}`;
const TRIES = `${DELIVERED}, ${K.failed}, ${K.deferred}`;
/** Silence after which a queue id is another message. */
const ANOTHER_AFTER = "INTERVAL '30 days'";

/** Exim macros.h: ERRNO_RRETRY -52, ERRNO_LRETRY -53, ERRNO_HRETRY -54: the retry time has not come. */
const NOT_MADE = `(f.errno BETWEEN -54 AND -52 OR coalesce(starts_with(y.text, 'delivery temporarily suspended')
  OR starts_with(y.text, 'retry time not reached'), false))`;

/** Makes messages, attempts and recipients from the events of the mail logs. */
export async function deriveMail(store: Case): Promise<void> {
  await store.run('BEGIN');
  for (const table of ['message_facts', 'attempt_facts', 'recipient_facts'])
    await store.run(`DELETE FROM ${table}`);
  const any = await store.row<{ n: bigint }>('SELECT count(*) AS n FROM mail_facts');
  if (any && any.n > 0n) {
    await episodes(store);
    await messages(store);
    await attempts(store);
    await recipients(store);
    for (const table of ['mail_episodes', 'mail_of', 'mail_tries'])
      await store.run(`DROP TABLE IF EXISTS ${table}`);
  }
  await store.run('COMMIT');
}

/** Which use of its queue id each event belongs to; only ids that are used twice need looking at. */
async function episodes(store: Case): Promise<void> {
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_episodes AS
     WITH repeated AS (
       SELECT s.host, f.message_id FROM mail_facts f JOIN sources s USING (source_id) WHERE f.message_id <> 0
       GROUP BY s.host, f.message_id
       HAVING count(*) FILTER (f.kind IN (${K.completed}, ${K.removed})) > 1 OR max(logged_at) - min(logged_at) > ${ANOTHER_AFTER}),
     ordered AS (
       SELECT f.rowid AS rid, s.host, f.message_id, f.logged_at, f.source_id, f.line,
              CASE WHEN lag(f.kind) OVER w IN (${K.completed}, ${K.removed}) AND f.kind NOT IN (${K.completed}, ${K.removed})
                        OR f.logged_at - lag(f.logged_at) OVER w > ${ANOTHER_AFTER} THEN 1 ELSE 0 END AS begins
       FROM mail_facts f JOIN sources s USING (source_id)
       JOIN repeated r ON r.host = s.host AND r.message_id = f.message_id
       WINDOW w AS (PARTITION BY s.host, f.message_id ORDER BY f.logged_at, f.source_id, f.line))
     SELECT rid, CAST(sum(begins) OVER (PARTITION BY host, message_id ORDER BY logged_at, source_id, line
       ROWS UNBOUNDED PRECEDING) AS INTEGER) AS episode
     FROM ordered`,
  );
}

async function messages(store: Case): Promise<void> {
  const first = (column: string, kinds: string, absent = '0') =>
    `coalesce(min(f.${column}) FILTER (f.kind IN (${kinds}) AND f.${column} <> ${absent}), ${absent})`;
  const arrivals = `${K.arrival}, ${K.active}`;
  await store.run(
    `INSERT INTO message_facts
     SELECT row_number() OVER (ORDER BY min(f.logged_at), s.host, f.message_id), s.host,
            CASE WHEN any_value(s.kind) = 'exim-log' OR strpos(any_value(t.text), '-') > 0 THEN 'exim' ELSE 'postfix' END, f.message_id,
            coalesce(e.episode, 0) AS episode,
            ${first('address_id', arrivals)}, ${first('header_id', String(K.arrival))},
            ${first('host_id', `${K.arrival}, ${K.connection}`)}, ${first('ip_id', `${K.arrival}, ${K.connection}`)},
            ${first('protocol_id', `${K.arrival}, ${K.connection}`)},
            max(f.bytes) FILTER (f.kind IN (${arrivals}) AND f.bytes >= 0),
            max(f.recipients) FILTER (f.kind IN (${arrivals}) AND f.recipients >= 0),
            CASE WHEN count(*) FILTER (f.kind = ${K.arrival}) > 0
                 THEN min(f.logged_at) FILTER (f.kind IN (${K.arrival}, ${K.connection})) END,
            min(f.logged_at), max(f.logged_at),
            max(f.logged_at) FILTER (f.kind IN (${K.completed}, ${K.removed})),
            count(*) FILTER (f.kind = ${K.removed}) > 0, count(*) FILTER (f.kind = ${K.frozen}) > 0,
            max(f.receive_ms) FILTER (f.kind = ${K.arrival} AND f.receive_ms >= 0),
            arg_min(f.source_id, f.logged_at), arg_min(f.line, (f.logged_at, f.source_id, f.line))
     FROM mail_facts f JOIN sources s USING (source_id) JOIN message_texts t ON t.id = f.message_id
     LEFT JOIN mail_episodes e ON e.rid = f.rowid
     WHERE f.message_id <> 0
     GROUP BY s.host, f.message_id, coalesce(e.episode, 0)`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE mail_of AS
     SELECT f.rowid AS rid, m.message_no
     FROM mail_facts f JOIN sources s USING (source_id) LEFT JOIN mail_episodes e ON e.rid = f.rowid
     JOIN message_facts m ON m.host = s.host AND m.message_id = f.message_id AND m.episode = coalesce(e.episode, 0)
     WHERE f.kind IN (${TRIES}, ${K.arrivalFor})`,
  );
}

async function attempts(store: Case): Promise<void> {
  const known = (column: string) => `nullif(f.${column}, -1)`;
  await store.run(
    `INSERT INTO attempt_facts
     SELECT message_no, address_id, original_id,
            CAST(row_number() OVER (PARTITION BY message_no, address_id ORDER BY logged_at, source_id, line) AS INTEGER),
            logged_at, outcome, made, kind, host_id, ip_id, port, local_ip_id, local_port, router_id, transport_id,
            tls_id, dsn_id, reply_id, errno, code, flags, bytes, queue_ms, delivery_ms, before_ms, active_ms, connect_ms,
            transmit_ms, source_id, line
     FROM (
       SELECT o.message_no, f.address_id, f.original_id, f.logged_at,
              CASE WHEN f.kind IN (${DELIVERED}) THEN 'delivered' WHEN f.kind = ${K.failed} THEN 'failed' ELSE 'deferred' END AS outcome,
              NOT (f.kind = ${K.deferred} AND ${NOT_MADE}) AS made,
              f.kind, f.host_id, f.ip_id, ${known('port')} AS port, f.local_ip_id, ${known('local_port')} AS local_port,
              f.router_id, f.transport_id, f.tls_id, f.dsn_id, f.reply_id, f.errno, f.code, f.flags,
              ${['bytes', 'queue_ms', 'delivery_ms', 'before_ms', 'active_ms', 'connect_ms', 'transmit_ms'].map((c) => `${known(c)} AS ${c}`).join(', ')},
              f.source_id, f.line
       FROM mail_facts f JOIN mail_of o ON o.rid = f.rowid JOIN reply_texts y ON y.id = f.reply_id
       WHERE f.kind IN (${TRIES}))`,
  );
}

async function recipients(store: Case): Promise<void> {
  await store.run(
    `INSERT INTO recipient_facts
     WITH tried AS (
       SELECT message_no, address_id, max(original_id) AS original_id,
              CASE WHEN bool_or(outcome = 'delivered') THEN 'delivered' WHEN bool_or(outcome = 'failed') THEN 'failed'
                   ELSE 'waiting' END AS outcome,
              count(*) FILTER (made) AS attempts, count(*) FILTER (made AND outcome = 'deferred') AS deferrals,
              count(*) FILTER (NOT made) AS put_offs, min(attempted_at) FILTER (NOT made) AS first_put_off_at,
              min(attempted_at) FILTER (made) AS first_attempt_at,
              max(attempted_at) FILTER (made AND outcome = 'deferred') AS last_refusal_at,
              min(attempted_at) FILTER (outcome = 'delivered') AS delivered_at,
              min(attempted_at) FILTER (outcome = 'failed') AS failed_at,
              max(attempted_at) AS last_seen_at,
              coalesce(arg_max(host_id, (attempted_at, line)) FILTER (host_id <> 0), 0) AS host_id,
              coalesce(arg_max(ip_id, (attempted_at, line)) FILTER (ip_id <> 0), 0) AS ip_id,
              coalesce(arg_max(transport_id, (attempted_at, line)) FILTER (transport_id <> 0), 0) AS transport_id,
              arg_max(source_id, (attempted_at, line)) AS source_id, arg_max(line, (attempted_at, line)) AS line
       FROM attempt_facts GROUP BY message_no, address_id),
     never AS (
       SELECT DISTINCT o.message_no, f.address_id, f.source_id, f.line, f.logged_at
       FROM mail_facts f JOIN mail_of o ON o.rid = f.rowid JOIN message_facts m ON m.message_no = o.message_no
       WHERE f.kind = ${K.arrivalFor} AND m.completed_at IS NULL AND f.address_id <> 0
         AND NOT EXISTS (SELECT 1 FROM attempt_facts a WHERE a.message_no = o.message_no
                         AND (a.address_id = f.address_id OR a.original_id = f.address_id)))
     SELECT t.message_no, t.address_id, t.original_id,
            CASE WHEN t.outcome = 'waiting' AND m.removed THEN 'removed' ELSE t.outcome END,
            t.attempts, t.deferrals, t.put_offs, t.first_put_off_at, m.arrived_at, t.first_attempt_at, t.last_refusal_at,
            coalesce(t.delivered_at, t.failed_at), t.last_seen_at, t.host_id, t.ip_id, t.transport_id, t.source_id, t.line
     FROM tried t JOIN message_facts m USING (message_no)
     UNION ALL
     SELECT n.message_no, n.address_id, 0, CASE WHEN m.removed THEN 'removed' ELSE 'waiting' END, 0, 0, 0, NULL, m.arrived_at,
            NULL, NULL, NULL, m.last_at, 0, 0, 0, n.source_id, n.line
     FROM never n JOIN message_facts m USING (message_no)`,
  );
}
