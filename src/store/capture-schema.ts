import { Analysis, FastOpen, PACKET_FACTS, SmtpStep, TcpFlag } from '../formats/capture/columns.js';

/** The tables that `deriveCaptures` fills (capture.ts), and readable views over them. */

export const A = Analysis;
export const { fin: FIN, syn: SYN, rst: RST, ack: ACK } = TcpFlag;
export const SIDES = ['originator', 'responder'] as const;
export type Side = (typeof SIDES)[number];

export const has = (bit: number, column = 'analysis') => `${column} & ${bit} <> 0`;
export const hasNot = (bit: number, column = 'analysis') => `${column} & ${bit} = 0`;
export const ANY_RESENT = A.retransmission | A.fastRetransmission | A.spuriousRetransmission;

/** A column of connection_facts: its type, and the aggregate over the packets of the connection that makes it. */
type Made = readonly [name: string, type: string, sql: string];

const count = (where: string) => `count(*) FILTER (${where})`;
export const first = (where: string) => `min(line) FILTER (${where})`;
const firstTime = (where: string) => `arg_min(captured_at, line) FILTER (${where})`;
export const is = (side: Side) => `from_responder = ${SIDES.indexOf(side)}`;
const SYN_ONLY = `${is('originator')} AND ${has(SYN, 'tcp_flags')} AND ${hasNot(ACK, 'tcp_flags')}`;
const SYN_ACK = `${is('responder')} AND tcp_flags & ${SYN | ACK} = ${SYN | ACK}`;
/** The originator's first packet after its SYNs: it ends the handshake. */
const THIRD = `${is('originator')} AND ${hasNot(SYN | RST, 'tcp_flags')} AND ${has(ACK, 'tcp_flags')}`;

/** What one pass over the packets gives. */
export const OF_PACKETS: Made[] = [
  ['first_line', 'UINTEGER NOT NULL', 'min(line)'],
  ['last_line', 'UINTEGER NOT NULL', 'max(line)'],
  ['first_at', 'TIMESTAMP', 'min(captured_at)'],
  ['last_at', 'TIMESTAMP', 'max(captured_at)'],
  ['captured_twice', 'INTEGER NOT NULL', count(has(A.duplicatePacket))],
  ['syns', 'INTEGER NOT NULL', count(`${SYN_ONLY} AND ${hasNot(A.duplicatePacket)}`)],
  ['syn_line', 'UINTEGER', first(SYN_ONLY)],
  ['syn_at', 'TIMESTAMP', firstTime(SYN_ONLY)],
  ['last_syn_at', 'TIMESTAMP', `arg_max(captured_at, line) FILTER (${SYN_ONLY})`],
  ['syn_ack_line', 'UINTEGER', first(SYN_ACK)],
  ['syn_ack_at', 'TIMESTAMP', firstTime(SYN_ACK)],
  ['third_line', 'UINTEGER', first(THIRD)],
  ['third_at', 'TIMESTAMP', firstTime(THIRD)],
  ['fast_open', 'UTINYINT', `max(fast_open) FILTER (${SYN_ONLY})`],
  [
    'cookie_granted',
    'BOOLEAN',
    `coalesce(bool_or(fast_open = ${FastOpen.cookie}) FILTER (${SYN_ACK}), false)`,
  ],
  ['syn_bytes', 'INTEGER', `max(payload_bytes) FILTER (${SYN_ONLY})`],
  ['syn_bytes_acked', 'BIGINT', `arg_min(ack, line) FILTER (${SYN_ACK}) - 1`],
  ['first_reply_line', 'UINTEGER', first(`${is('responder')} AND payload_bytes > 0`)],
  ['smtp', 'UTINYINT', `max(smtp) FILTER (smtp <= ${SmtpStep.quit})`],
  ['tls', 'BOOLEAN', `coalesce(bool_or(smtp = ${SmtpStep.tls}), false)`],
  ['rst_line', 'UINTEGER', first(has(RST, 'tcp_flags'))],
  ['resets_by_responder', 'UTINYINT', `arg_min(from_responder, line) FILTER (${has(RST, 'tcp_flags')})`],
  ['longest_gap_us', 'BIGINT', 'max(gap_us)'],
  ['longest_gap_line', 'UINTEGER', 'arg_max(line, gap_us)'],
  ...SIDES.flatMap((side): Made[] => {
    const from = (where: string) => `${is(side)} AND ${where}`;
    const once = (where: string) => count(from(`${hasNot(A.duplicatePacket)} AND ${where}`));
    const syn = side === 'originator' ? SYN_ONLY : SYN_ACK;
    return [
      [`${side}_mss`, 'INTEGER', `arg_min(mss, line) FILTER (${syn} AND mss >= 0)`],
      [
        `${side}_window_scale`,
        'SMALLINT',
        `arg_min(window_scale, line) FILTER (${syn} AND window_scale >= 0)`,
      ],
      [`${side}_sack`, 'BOOLEAN', `bool_or(sack_permitted = 1) FILTER (${syn})`],
      [`${side}_timestamps`, 'BOOLEAN', `bool_or(ts_value <> 0) FILTER (${syn})`],
      [`${side}_packets`, 'INTEGER NOT NULL', once('true')],
      [
        `${side}_bytes`,
        'BIGINT NOT NULL',
        `coalesce(sum(payload_bytes) FILTER (${from(hasNot(A.duplicatePacket))}), 0)`,
      ],
      [`${side}_sent`, 'BIGINT', `max(seq_end) FILTER (${from(hasNot(RST, 'tcp_flags'))})`],
      [
        `${side}_acked`,
        'BIGINT',
        `max(ack) FILTER (${is(side === 'originator' ? 'responder' : 'originator')})`,
      ],
      [`${side}_in_flight`, 'BIGINT', `max(seq_end - acked_before) FILTER (${from('payload_bytes > 0')})`],
      [`${side}_retransmissions`, 'INTEGER NOT NULL', once(has(A.retransmission))],
      [`${side}_fast_retransmissions`, 'INTEGER NOT NULL', once(has(A.fastRetransmission))],
      [`${side}_spurious_retransmissions`, 'INTEGER NOT NULL', once(has(A.spuriousRetransmission))],
      [`${side}_resent_after_ack`, 'INTEGER NOT NULL', once(has(A.resentAfterAck))],
      [`${side}_resent_after_ack_line`, 'UINTEGER', first(from(has(A.resentAfterAck)))],
      [`${side}_out_of_order`, 'INTEGER NOT NULL', once(has(A.outOfOrder))],
      [`${side}_lost_segments`, 'INTEGER NOT NULL', once(has(A.lostSegment))],
      [`${side}_duplicate_acks`, 'INTEGER NOT NULL', once(has(A.duplicateAck))],
      [`${side}_zero_windows`, 'INTEGER NOT NULL', once(has(A.zeroWindow))],
      [`${side}_zero_window_line`, 'UINTEGER', first(from(has(A.zeroWindow)))],
      [`${side}_window_full`, 'INTEGER NOT NULL', once(has(A.windowFull))],
      [`${side}_fins`, 'INTEGER NOT NULL', once(has(FIN, 'tcp_flags'))],
      [`${side}_resets`, 'INTEGER NOT NULL', once(has(RST, 'tcp_flags'))],
    ];
  }),
];

/** What needs a second look, at some connections only or with what the first found. */
const LATER: (readonly [name: string, type: string])[] = [
  ['history', 'VARCHAR'],
  ['ended', 'VARCHAR'],
  ...SIDES.flatMap((side): (readonly [string, string])[] => [
    [`${side}_largest_acked`, 'INTEGER'],
    [`${side}_largest_unacked`, 'INTEGER'],
    [`${side}_zero_window_us`, 'BIGINT'],
    [`${side}_repeated_ack`, 'BIGINT'],
    [`${side}_repeats`, 'INTEGER'],
    [`${side}_resent_seq`, 'BIGINT'],
    [`${side}_resent_times`, 'INTEGER'],
  ]),
];

const bit = (names: Record<string, number>, column: string) =>
  `concat_ws(' ', ${Object.entries(names)
    .map(([name, value]) => `CASE WHEN ${column} & ${value} <> 0 THEN '${words(name)}' END`)
    .join(', ')})`;
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const step = (column: string) =>
  `CASE ${column} ${Object.entries(SmtpStep)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `WHEN ${value} THEN '${words(name)}'`)
    .join(' ')} END`;
export const microseconds = (from: string, to: string) => `date_diff('microsecond', ${from}, ${to})`;

/** Packets whose columns are shown as they are in the view. */
const SHOWN = PACKET_FACTS.columns
  .map(({ name }) => name)
  .filter((name) =>
    /^(line|captured_at|interface|\w+_bytes|ip_protocol|\w+_port|ttl|connection|seq|ack)$/.test(name),
  );

export const CAPTURE_SCHEMA = `
-- One row a TCP connection of a capture. Sequence numbers are relative: 1 is the first byte of data.
CREATE TABLE connection_facts (
  source_id INTEGER NOT NULL,
  connection INTEGER NOT NULL,
  originator_ip_id INTEGER NOT NULL,
  originator_port INTEGER NOT NULL,
  responder_ip_id INTEGER NOT NULL,
  responder_port INTEGER NOT NULL,
  ${[...OF_PACKETS, ...LATER].map(([name, type]) => `${name} ${type}`).join(',\n  ')});

CREATE VIEW packets AS
SELECT s.host, s.path AS source, ${SHOWN.map((name) => `p.${name}`).join(', ')}, a.text AS src_ip, b.text AS dst_ip,
       p.from_responder = 1 AS from_responder,
       ${bit({ FIN, SYN, RST, PSH: TcpFlag.psh, ACK }, 'p.tcp_flags').replace(/ ([a-z])/g, ' $1')} AS flags,
       p.sack_blocks, p.fast_open, ${bit(Analysis, 'p.analysis')} AS analysis, ${step('p.smtp')} AS smtp, p.decode,
       nullif(p.icmp_type, -1) AS icmp_type, nullif(p.icmp_code, -1) AS icmp_code, nullif(p.icmp_mtu, -1) AS icmp_mtu,
       p.source_id
FROM packet_facts p
JOIN sources s USING (source_id)
JOIN mail_ip_texts a ON a.id = p.src_ip_id
JOIN mail_ip_texts b ON b.id = p.dst_ip_id;

CREATE VIEW connections AS
SELECT s.host, s.path AS source, c.connection, o.text AS originator_ip, c.originator_port, r.text AS responder_ip,
       c.responder_port, c.first_line, c.last_line, c.first_at, c.last_at,
       ${microseconds('c.first_at', 'c.last_at')} AS duration_us,
       CASE WHEN c.last_syn_at <= c.syn_ack_at THEN ${microseconds('c.last_syn_at', 'c.syn_ack_at')} END AS responder_rtt_us,
       CASE WHEN c.syn_ack_at <= c.third_at THEN ${microseconds('c.syn_ack_at', 'c.third_at')} END AS originator_rtt_us,
       CASE c.fast_open WHEN ${FastOpen.cookie} THEN 'cookie'
         WHEN ${FastOpen.request} THEN CASE WHEN c.cookie_granted THEN 'granted' ELSE 'asked' END ELSE 'none' END AS fast_open,
       CASE WHEN c.syn_bytes > 0 AND c.syn_ack_line IS NOT NULL THEN c.syn_bytes_acked >= c.syn_bytes END AS syn_data_taken,
       CASE WHEN c.first_reply_line < coalesce(c.third_line, c.last_line + 1) AND c.syn_ack_line IS NOT NULL
         THEN c.first_reply_line END AS reply_before_third_line,
       CASE WHEN c.tls THEN 'tls' ELSE ${step('c.smtp')} END AS smtp_reached,
       ${SIDES.map((side) => `greatest(c.${side}_sent - coalesce(c.${side}_acked, 0), 0) AS ${side}_unacked`).join(', ')},
       ${[...OF_PACKETS, ...LATER]
         .map(([name]) => name)
         .filter(
           (name) =>
             !['first_line', 'last_line', 'first_at', 'last_at', 'fast_open', 'tls', 'smtp'].includes(name),
         )
         .map((name) => `c.${name}`)
         .join(', ')},
       c.source_id
FROM connection_facts c
JOIN sources s USING (source_id)
JOIN mail_ip_texts o ON o.id = c.originator_ip_id
JOIN mail_ip_texts r ON r.id = c.responder_ip_id;
`;
