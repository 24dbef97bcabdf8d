import {
  A,
  ACK,
  ANY_RESENT,
  FIN,
  first,
  has,
  hasNot,
  is,
  microseconds,
  OF_PACKETS,
  RST,
  SIDES,
  type Side,
  SYN,
} from './capture-schema.js';
import type { Case, Row } from './case.js';

const TEMPORARY = ['connection_begins', 'connection_packets', 'connection_firsts'];

/**
 * From the packets of captures to TCP connections: what became of each, as far as the capture shows.
 *
 * Everything is made anew from the packets whenever these have changed, in one transaction. Sequence numbers are
 * relative to the side's first (its SYN), so that 1 is the first byte of data; of a connection of more than 4 GB they
 * begin again. Packets that were captured twice count once.
 */
export async function deriveCaptures(store: Case): Promise<void> {
  await store.run('BEGIN');
  await store.run('DELETE FROM connection_facts');
  const any = await store.row('SELECT 1 AS yes FROM packet_facts WHERE connection > 0 LIMIT 1');
  if (any) {
    await begins(store);
    await relativePackets(store);
    await connections(store);
    await largest(store);
    await closedWindows(store);
    await repeats(store);
    await history(store);
    await endings(store);
    for (const table of TEMPORARY) await store.run(`DROP TABLE IF EXISTS ${table}`);
  }
  await store.run('COMMIT');
}

/** Ends of each connection, and the number that each side's sequence counts from. */
async function begins(store: Case): Promise<void> {
  const isn = (side: Side) => {
    const from = is(side);
    const own = `arg_min(CAST(seq AS BIGINT), line) FILTER (${from} AND ${has(SYN, 'tcp_flags')})`;
    const first = `arg_min(CAST(seq AS BIGINT), line) FILTER (${from} AND ${hasNot(RST, 'tcp_flags')}) - 1`;
    const other = `arg_min(CAST(ack AS BIGINT), line) FILTER (NOT ${from} AND ${has(ACK, 'tcp_flags')}) - 1`;
    return `coalesce(${own}, ${first}, ${other}, 0) AS isn_${side}`;
  };
  const end = (name: string, src: string, dst: string) =>
    `arg_min(CASE WHEN from_responder = 0 THEN ${src} ELSE ${dst} END, line) AS ${name}`;
  await store.run(
    `CREATE OR REPLACE TEMP TABLE connection_begins AS
     SELECT source_id, connection, ${SIDES.map(isn).join(', ')},
            ${end('originator_ip_id', 'src_ip_id', 'dst_ip_id')}, ${end('originator_port', 'src_port', 'dst_port')},
            ${end('responder_ip_id', 'dst_ip_id', 'src_ip_id')}, ${end('responder_port', 'dst_port', 'src_port')}
     FROM packet_facts WHERE connection > 0 GROUP BY source_id, connection`,
  );
}

/** The packets of connections with relative numbers, the gap before each, and what was acknowledged before it. */
async function relativePackets(store: Case): Promise<void> {
  // Modulo 2^32; a little less than the first is less, not 4 GB more.
  const relative = (number: string, isn: string) =>
    `((CAST(${number} AS BIGINT) - ${isn} + 8590983168) % 4294967296 - 1048576)`;
  await store.run(
    `CREATE OR REPLACE TEMP TABLE connection_packets AS
     WITH numbered AS (
       SELECT p.source_id, p.connection, p.line, p.captured_at, p.from_responder, p.tcp_flags, p.payload_bytes,
              p.window_raw, p.analysis, p.smtp, p.mss, p.window_scale, p.sack_permitted, p.ts_value, p.fast_open,
              ${relative('p.seq', 'CASE WHEN p.from_responder = 0 THEN b.isn_originator ELSE b.isn_responder END')} AS seq,
              CASE WHEN ${has(ACK, 'p.tcp_flags')} THEN
                ${relative('p.ack', 'CASE WHEN p.from_responder = 0 THEN b.isn_responder ELSE b.isn_originator END')} END AS ack
       FROM packet_facts p JOIN connection_begins b ON b.source_id = p.source_id AND b.connection = p.connection
       WHERE p.connection > 0)
     SELECT *, seq + payload_bytes + CASE WHEN ${has(SYN | FIN, 'tcp_flags')} THEN 1 ELSE 0 END AS seq_end,
            ${microseconds('lag(captured_at) OVER w', 'captured_at')} AS gap_us,
            CASE WHEN from_responder = 0 THEN max(CASE WHEN from_responder = 1 THEN ack END) OVER w
                 ELSE max(CASE WHEN from_responder = 0 THEN ack END) OVER w END AS acked_before
     FROM numbered
     WINDOW w AS (PARTITION BY source_id, connection ORDER BY line ROWS UNBOUNDED PRECEDING)`,
  );
}

async function connections(store: Case): Promise<void> {
  const names = OF_PACKETS.map(([name]) => name);
  await store.run(
    `INSERT INTO connection_facts (source_id, connection, originator_ip_id, originator_port, responder_ip_id, responder_port,
                                   ${names.join(', ')})
     SELECT source_id, connection, b.originator_ip_id, b.originator_port, b.responder_ip_id, b.responder_port, ${names.join(', ')}
     FROM (SELECT source_id, connection, ${OF_PACKETS.map(([name, , sql]) => `${sql} AS ${name}`).join(', ')}
           FROM connection_packets GROUP BY source_id, connection)
     JOIN connection_begins b USING (source_id, connection)`,
  );
}

/** Sets columns of connection_facts from rows of the same connection. */
const update = (store: Case, columns: string[], rows: string) =>
  store.run(
    `UPDATE connection_facts AS c SET ${columns.map((name) => `${name} = v.${name}`).join(', ')}
     FROM (${rows}) v WHERE v.source_id = c.source_id AND v.connection = c.connection`,
  );

/** The largest payload that got through, and the largest that never did. */
async function largest(store: Case): Promise<void> {
  const columns = SIDES.flatMap((side) => [
    [
      `${side}_largest_acked`,
      `max(p.payload_bytes) FILTER (p.${is(side)} AND p.payload_bytes > 0 AND p.seq_end <= c.${side}_acked)`,
    ],
    [
      `${side}_largest_unacked`,
      `max(p.payload_bytes) FILTER (p.${is(side)} AND p.payload_bytes > 0 AND p.seq_end > coalesce(c.${side}_acked, 0))`,
    ],
  ]);
  await update(
    store,
    columns.map(([name]) => name!),
    `SELECT p.source_id, p.connection, ${columns.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}
     FROM connection_packets p JOIN connection_facts c ON c.source_id = p.source_id AND c.connection = p.connection
     WHERE p.payload_bytes > 0 GROUP BY p.source_id, p.connection`,
  );
}

/** How long each side kept its window closed: from a packet that closes it to the next of the same side. */
async function closedWindows(store: Case): Promise<void> {
  await update(
    store,
    SIDES.map((side) => `${side}_zero_window_us`),
    `SELECT source_id, connection, ${SIDES.map((side) => `sum(closed_us) FILTER (${is(side)}) AS ${side}_zero_window_us`).join(', ')}
     FROM (
       SELECT p.source_id, p.connection, p.from_responder, p.analysis,
              ${microseconds('p.captured_at', 'lead(p.captured_at, 1, c.last_at) OVER w')} AS closed_us
       FROM connection_packets p JOIN connection_facts c ON c.source_id = p.source_id AND c.connection = p.connection
       WHERE c.originator_zero_windows + c.responder_zero_windows > 0
       WINDOW w AS (PARTITION BY p.source_id, p.connection, p.from_responder ORDER BY p.line))
     WHERE ${has(A.zeroWindow)} GROUP BY source_id, connection`,
  );
}

/** The ACK that was repeated most, and the segment that was sent again most: where a transfer stands still. */
async function repeats(store: Case): Promise<void> {
  const most = async (column: string, number: string, times: string, where: string) => {
    await update(
      store,
      SIDES.flatMap((side) => [`${side}_${number}`, `${side}_${times}`]),
      `SELECT source_id, connection, ${SIDES.map(
        (side) =>
          `arg_max(number, times) FILTER (${is(side)}) AS ${side}_${number}, max(times) FILTER (${is(side)}) AS ${side}_${times}`,
      ).join(', ')}
       FROM (SELECT source_id, connection, from_responder, ${column} AS number, count(*) AS times FROM connection_packets
             WHERE ${where} GROUP BY source_id, connection, from_responder, ${column})
       GROUP BY source_id, connection`,
    );
  };
  await most('ack', 'repeated_ack', 'repeats', has(A.duplicateAck));
  await most('seq', 'resent_seq', 'resent_times', has(ANY_RESENT));
}

/**
 * Which kinds of packets came, in order of the first of each: S SYN, H SYN-ACK, A bare ACK, D data, F FIN, R reset,
 * T retransmission, W closed window; capitals from the originator (after Zeek's conn.log, field history).
 */
async function history(store: Case): Promise<void> {
  const kinds: [string, string][] = [
    ['s', `tcp_flags & ${SYN | ACK} = ${SYN}`],
    ['h', `tcp_flags & ${SYN | ACK} = ${SYN | ACK}`],
    ['a', `tcp_flags & ${SYN | FIN | RST | ACK} = ${ACK} AND payload_bytes = 0`],
    ['d', 'payload_bytes > 0'],
    ['f', has(FIN, 'tcp_flags')],
    ['r', has(RST, 'tcp_flags')],
    ['t', has(ANY_RESENT)],
    ['w', has(A.zeroWindow)],
  ];
  const letters = kinds.flatMap(([letter, where]) =>
    SIDES.map((side) => ({
      letter: side === 'originator' ? letter.toUpperCase() : letter,
      sql: first(`${is(side)} AND ${where}`),
    })),
  );
  // One packet may be of several kinds: they come in the order above.
  await store.run(
    `CREATE OR REPLACE TEMP TABLE connection_firsts AS
     SELECT source_id, connection, ${letters.map(({ sql }, i) => `${sql} AS n${i}`).join(', ')}
     FROM connection_packets GROUP BY source_id, connection`,
  );
  await update(
    store,
    ['history'],
    `SELECT source_id, connection, string_agg(letter, '' ORDER BY line, place) AS history
     FROM (${letters
       .map(
         ({ letter }, i) =>
           `SELECT source_id, connection, n${i} AS line, ${i} AS place, '${letter}' AS letter FROM connection_firsts WHERE n${i} IS NOT NULL`,
       )
       .join(' UNION ALL ')})
     GROUP BY source_id, connection`,
  );
}

/**
 * How each ended. Given up: bytes are unacknowledged though they were sent again, and the capture went on for more
 * than twice the longest silence, within which a retransmission timer that doubles would have run out once more.
 */
async function endings(store: Case): Promise<void> {
  const pending = SIDES.map(
    (side) =>
      `(c.${side}_sent > coalesce(c.${side}_acked, 0) AND c.${side}_retransmissions + c.${side}_fast_retransmissions
        + c.${side}_spurious_retransmissions > 0)`,
  ).join(' OR ');
  await update(
    store,
    ['ended'],
    `SELECT c.source_id, c.connection,
            CASE WHEN c.originator_fins > 0 AND c.responder_fins > 0 THEN 'closed'
                 WHEN c.resets_by_responder = 1 AND c.responder_packets = c.responder_resets THEN 'refused'
                 WHEN c.resets_by_responder = 1 THEN 'reset by responder'
                 WHEN c.resets_by_responder = 0 THEN 'reset by originator'
                 WHEN c.responder_packets = 0 THEN 'no answer'
                 WHEN (${pending}) AND ${microseconds('c.last_at', 'e.last_at')} > 2 * c.longest_gap_us THEN 'given up'
                 WHEN c.originator_fins + c.responder_fins > 0 THEN 'half closed'
                 ELSE 'open' END AS ended
     FROM connection_facts c
     JOIN (SELECT source_id, max(captured_at) AS last_at FROM packet_facts GROUP BY source_id) e ON e.source_id = c.source_id`,
  );
}

/** The most packets of one connection that are looked at one by one. */
const MOST_PACKETS = 100_000;

/** A packet of a connection; numbers are relative, `acked` is the highest ACK of the other side before it. */
export interface ConnectionPacket {
  line: number;
  at_us: number;
  from_responder: number;
  tcp_flags: number;
  seq: number;
  seq_end: number;
  ack: number | null;
  payload_bytes: number;
  window_bytes: number;
  analysis: number;
  smtp: number;
  sack_blocks: number;
}

/**
 * The packets of one connection in order, for those who look at each: at most the first 100,000.
 * Sequence numbers are relative as in connection_facts, times in microseconds since 1970 (UTC).
 */
export async function packetsOf(
  store: Case,
  sourceId: number,
  connection: number,
): Promise<ConnectionPacket[]> {
  const rows = await store.rows<Row & Record<keyof ConnectionPacket, number>>(
    `SELECT line, epoch_us(captured_at) AS at_us, from_responder, tcp_flags, CAST(seq AS BIGINT) AS seq,
            CASE WHEN ${has(ACK, 'tcp_flags')} THEN CAST(ack AS BIGINT) END AS ack, payload_bytes, window_bytes, analysis,
            smtp, sack_blocks
     FROM packet_facts WHERE source_id = $1 AND connection = $2 ORDER BY line LIMIT ${MOST_PACKETS}`,
    [sourceId, connection],
  );
  const syn = (side: number) => rows.find((row) => row.from_responder === side && row.tcp_flags & SYN);
  const isnOf = (side: number) => {
    const own = syn(side)?.seq;
    if (own !== undefined) return Number(own);
    const first = rows.find((row) => row.from_responder === side && !(row.tcp_flags & RST));
    if (first) return Number(first.seq) - 1;
    const other = rows.find((row) => row.from_responder !== side && row.ack !== null);
    return other ? Number(other.ack) - 1 : 0;
  };
  const isns = [isnOf(0), isnOf(1)];
  const relative = (number: number, isn: number) =>
    ((Number(number) - isn + 8590983168) % 4294967296) - 1048576;
  return rows.map((row) => {
    const seq = relative(row.seq, isns[row.from_responder]!);
    return {
      ...row,
      at_us: Number(row.at_us),
      seq,
      seq_end: seq + row.payload_bytes + (row.tcp_flags & (SYN | FIN) ? 1 : 0),
      ack: row.ack === null ? null : relative(row.ack, isns[1 - row.from_responder]!),
    };
  });
}
