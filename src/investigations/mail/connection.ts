import type { ConnectionStory, FoundConnection } from '../../findings/connection-story.js';
import type { Case, Value } from '../../store/case.js';
import type { StoryPacket } from './connection-packets.js';
import { storyOf } from './connection-walk.js';

/** Which connection is meant: by an end of it, by both, or by a packet. */
export interface ConnectionQuery {
  /** One end, and the other; an end without a port is any port of that address. */
  ends?: readonly [QueryEnd] | readonly [QueryEnd, QueryEnd];
  packet?: number;
  /** Part of the capture's path. */
  capture?: string;
}

export interface QueryEnd {
  ip: string;
  port?: number;
}

/** Packets of a connection that are read: so many from its beginning, so many from its end. */
const MOST_FIRST = 150_000;
const MOST_LAST = 50_000;
/** ICMP that asks for smaller packets: type 3 code 4 (RFC 1191), and type 2 of ICMPv6 (RFC 4443, section 3.2). */
const TOO_BIG = `((ip_protocol = 1 AND icmp_type = 3 AND icmp_code = 4) OR (ip_protocol = 58 AND icmp_type = 2))`;
const MOST_ICMP = 100;

/** The connections that a query means, in order of time: the newest `most` of them, and how many there are. */
export async function findConnections(
  store: Case,
  query: ConnectionQuery,
  most = 50,
): Promise<{ total: number; found: FoundConnection[] }> {
  const values: Value[] = [];
  const given = (value: Value) => `$${values.push(value)}`;
  const at = (end: QueryEnd, side: 'src' | 'dst') =>
    `${side}_ip_id IN (SELECT id FROM mail_ip_texts WHERE text = ${given(end.ip)})${
      end.port === undefined ? '' : ` AND ${side}_port = ${given(end.port)}`
    }`;
  const conditions = ['connection > 0'];
  if (query.packet !== undefined) conditions.push(`line = ${given(query.packet)}`);
  if (query.ends) {
    const [a, b] = query.ends;
    conditions.push(
      b === undefined
        ? `((${at(a, 'src')}) OR (${at(a, 'dst')}))`
        : `((${at(a, 'src')} AND ${at(b, 'dst')}) OR (${at(b, 'src')} AND ${at(a, 'dst')}))`,
    );
  }
  if (query.capture !== undefined)
    conditions.push(
      `source_id IN (SELECT source_id FROM sources WHERE contains(path, ${given(query.capture)}))`,
    );
  const rows = await store.rows<Omit<FoundConnection, 'originator' | 'responder'> & Ends & { total: number }>(
    `WITH hit AS (SELECT DISTINCT source_id, connection FROM packet_facts WHERE ${conditions.join(' AND ')}),
     c AS (
       SELECT source_id, connection, min(line) AS first_line, max(line) AS last_line, count(*) AS n,
              min(captured_at) AS began, max(captured_at) AS ended,
              any_value(CASE WHEN from_responder = 0 THEN src_ip_id ELSE dst_ip_id END) AS a_ip,
              any_value(CASE WHEN from_responder = 0 THEN src_port ELSE dst_port END) AS a_port,
              any_value(CASE WHEN from_responder = 0 THEN dst_ip_id ELSE src_ip_id END) AS b_ip,
              any_value(CASE WHEN from_responder = 0 THEN dst_port ELSE src_port END) AS b_port,
              sum(CASE WHEN from_responder = 0 AND payload_bytes > 0 THEN payload_bytes ELSE 0 END) AS a_bytes,
              sum(CASE WHEN from_responder = 1 AND payload_bytes > 0 THEN payload_bytes ELSE 0 END) AS b_bytes,
              sum(CASE WHEN analysis & 8 <> 0 THEN 1 ELSE 0 END) AS resent
       FROM packet_facts JOIN hit USING (source_id, connection) GROUP BY source_id, connection)
     SELECT c.source_id AS source, s.path AS capture, c.connection, CAST(c.first_line AS INTEGER) AS "firstPacket",
            CAST(c.last_line AS INTEGER) AS "lastPacket", CAST(c.n AS INTEGER) AS packets,
            strftime(c.began, '%Y-%m-%dT%H:%M:%S.%fZ') AS "beganAt",
            coalesce(CAST(epoch_us(c.ended) - epoch_us(c.began) AS DOUBLE) / 1e6, 0) AS seconds,
            CAST(c.a_bytes AS DOUBLE) AS "originatorBytes", CAST(c.b_bytes AS DOUBLE) AS "responderBytes",
            CAST(c.resent AS INTEGER) AS "resentAfterAck",
            a.text AS a_ip, c.a_port, b.text AS b_ip, c.b_port, CAST(count(*) OVER () AS INTEGER) AS total
     FROM c JOIN sources s USING (source_id) JOIN mail_ip_texts a ON a.id = c.a_ip JOIN mail_ip_texts b ON b.id = c.b_ip
     ORDER BY c.began DESC, c.source_id DESC, c.connection DESC LIMIT ${most}`,
    values,
  );
  return {
    total: rows[0]?.total ?? 0,
    found: rows.toReversed().map(({ total, a_ip, a_port, b_ip, b_port, ...rest }) => ({
      ...rest,
      originator: { ip: a_ip, port: a_port },
      responder: { ip: b_ip, port: b_port },
    })),
  };
}

interface Ends {
  a_ip: string;
  a_port: number;
  b_ip: string;
  b_port: number;
}

/** Whether any capture was read that has TCP in it. */
export async function hasConnections(store: Case): Promise<boolean> {
  return (await store.rows('SELECT 1 FROM packet_facts WHERE connection > 0 LIMIT 1')).length > 0;
}

/**
 * A connection in words and points, as `storyOf` tells it.
 *
 * Of one longer than 200,000 packets the first 150,000 and the last 50,000 are read.
 */
export async function connectionStory(store: Case, found: FoundConnection): Promise<ConnectionStory> {
  const { source, connection } = found;
  const columns = `line, CAST(epoch_us(captured_at) AS DOUBLE) AS us, from_responder AS responder, tcp_flags AS flags,
    seq, ack, window_raw AS raw, window_bytes AS win, payload_bytes AS payload, mss, window_scale AS scale,
    sack_permitted AS sack, sack_blocks AS blocks, sack_left_1 AS l1, sack_right_1 AS r1, sack_left_2 AS l2,
    sack_right_2 AS r2, sack_left_3 AS l3, sack_right_3 AS r3, sack_left_4 AS l4, sack_right_4 AS r4,
    ts_value AS stamp, ts_echo AS echo, fast_open AS fast, analysis, smtp`;
  const of = 'FROM packet_facts WHERE source_id = $1 AND connection = $2';
  const first = await store.rows<StoryPacket>(`SELECT ${columns} ${of} ORDER BY line LIMIT ${MOST_FIRST}`, [
    source,
    connection,
  ]);
  const after = first.at(-1)?.line ?? 0;
  const last =
    first.length < MOST_FIRST
      ? []
      : await store.rows<StoryPacket>(
          `SELECT ${columns} ${of} AND line > $3 ORDER BY line DESC LIMIT ${MOST_LAST}`,
          [source, connection, after],
        );
  const icmp = await store.rows<{ line: number; mtu: number }>(
    `SELECT line, icmp_mtu AS mtu FROM packet_facts
     WHERE source_id = $1 AND line BETWEEN $2 AND $3 AND ${TOO_BIG}
       AND dst_ip_id IN (SELECT id FROM mail_ip_texts WHERE text IN ($4, $5)) ORDER BY line LIMIT ${MOST_ICMP}`,
    [source, found.firstPacket, found.lastPacket, found.originator.ip, found.responder.ip],
  );
  return storyOf(found, [...first, ...last.toReversed()], icmp);
}
