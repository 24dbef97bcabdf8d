/** The tables that `deriveMail` fills (mail.ts), and readable views over them. */
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
