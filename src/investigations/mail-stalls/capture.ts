import type { Place, Search } from '../../findings/finding.js';
import type { Case } from '../../store/case.js';
import { ANALYSIS, FAST_OPEN, FLAG } from '../mail/connection-bits.js';
import { mechanismOf } from './mechanism.js';
import type { StallCourse } from './scene.js';

/** What a capture shows of one connection to the receiver. Sizes in bytes, times in seconds. */
export interface ConnectionView {
  source: number;
  connection: number;
  path: string;
  opened: Place;
  /** The SYN carried a Fast Open cookie. */
  cookie: boolean;
  /** Segments that were sent again although the ACK for them stands in the capture before. */
  resentAfterAck: number;
  resentPlaces: Place[];
  zeroWindowSeconds: number;
  endedAtZeroWindow: boolean;
  zeroWindowPlaces: Place[];
  /** Nothing of full size was ever acknowledged, and what was lost is. */
  fullSizeVanishes: boolean;
  largestAcked: number;
  largestLost: number;
  holePlaces: Place[];
  /** The receiver's side sent RST while data was unacknowledged. */
  resetByPeer: boolean;
  resetPlaces: Place[];
  sent: number;
  retransmitted: number;
  stalled: boolean;
}

export interface CaptureView {
  stalled: ConnectionView[];
  healthy: ConnectionView[];
  /** Retransmitted of all data segments: in connections that went through, in those that did not, to other hosts. */
  lossRate: number;
  stalledLossRate: number;
  othersLossRate: number;
  searched: Search;
  /** What a replay of the connection tracker adds; null where it says nothing. */
  mechanism: { says: string; from: Place[] } | null;
}

/** Enough to judge by; a capture may hold millions. */
const MOST_PACKETS = 3_000_000;
const RETRANSMITTED = ANALYSIS.retransmission | ANALYSIS.fastRetransmission;
/** A window that stays closed for less is a receiver that is busy. */
const LEAST_CLOSED_S = 1;
/** A segment of this size fits any path (RFC 8200 section 5, less headers). */
const FITS_ANYWHERE = 1_200;

interface Packet {
  path: string;
  source: number;
  connection: number;
  line: number;
  at: number;
  responder: number;
  flags: number;
  seq: number;
  ack: number;
  win: number;
  payload: number;
  mss: number;
  fast_open: number;
  analysis: number;
}

/** The capture's connections to the hosts of this course; null when no capture has any. */
export async function captureOf(store: Case, course: StallCourse): Promise<CaptureView | null> {
  const addresses = [...new Set(course.tries.map((t) => t.ip).filter((ip) => ip !== null))];
  if (addresses.length === 0) return null;
  const among = addresses.map((_, i) => `$${i + 1}`).join(', ');
  const packets = await store.rows<Packet>(
    `WITH here AS (SELECT id FROM mail_ip_texts WHERE text IN (${among})),
     ours AS (SELECT DISTINCT source_id, connection FROM packet_facts
              WHERE connection > 0 AND from_responder = 0 AND dst_ip_id IN (SELECT id FROM here) AND dst_port IN (25, 465, 587))
     SELECT s.path, p.source_id AS source, p.connection, p.line, epoch(p.captured_at) AS at, p.from_responder AS responder,
            p.tcp_flags AS flags, p.seq, p.ack, p.window_bytes AS win, p.payload_bytes AS payload, p.mss, p.fast_open, p.analysis
     FROM packet_facts p JOIN ours USING (source_id, connection) JOIN sources s USING (source_id)
     ORDER BY p.source_id, p.connection, p.line LIMIT ${MOST_PACKETS}`,
    addresses,
  );
  if (packets.length === 0) return null;
  const views: ConnectionView[] = [];
  for (let from = 0; from < packets.length; ) {
    let to = from;
    while (
      to < packets.length &&
      packets[to]!.connection === packets[from]!.connection &&
      packets[to]!.source === packets[from]!.source
    )
      to++;
    views.push(viewOf(packets.slice(from, to)));
    from = to;
  }
  const stalled = views.filter((v) => v.stalled);
  const dropped = stalled
    .filter((v) => v.resentAfterAck > 0)
    .toSorted((a, b) => b.resentAfterAck - a.resentAfterAck);
  const healthy = views.filter((v) => !v.stalled && v.sent > 0);
  const rate = (list: ConnectionView[]) => {
    const sent = list.reduce((n, v) => n + v.sent, 0);
    return sent === 0 ? 0 : list.reduce((n, v) => n + v.retransmitted, 0) / sent;
  };
  return {
    stalled,
    healthy,
    lossRate: rate(healthy),
    stalledLossRate: rate(stalled),
    othersLossRate: await othersLoss(store, addresses),
    searched: {
      searched: [...new Set(packets.map((p) => p.path))],
      lines: packets.length,
      unread: 0,
    },
    mechanism: dropped.length > 0 ? await mechanismOf(store, dropped) : null,
  };
}

async function othersLoss(store: Case, addresses: string[]): Promise<number> {
  const among = addresses.map((_, i) => `$${i + 1}`).join(', ');
  const row = await store.row<{ rate: number | null }>(
    `SELECT avg(CASE WHEN analysis & ${RETRANSMITTED} <> 0 THEN 1.0 ELSE 0.0 END) AS rate FROM packet_facts
     WHERE connection > 0 AND from_responder = 0 AND payload_bytes > 0 AND dst_port IN (25, 465, 587)
       AND dst_ip_id NOT IN (SELECT id FROM mail_ip_texts WHERE text IN (${among}))`,
    addresses,
  );
  return row?.rate ?? 0;
}

/** Sequence numbers relative to a base, modulo 2^32 (RFC 9293 section 3.4). */
const relative = (seq: number, base: number): number => ((seq - base) | 0) >>> 0;

/** Walks through one connection. */
function viewOf(packets: Packet[]): ConnectionView {
  const first = packets[0]!;
  const place = (p: Packet): Place => ({ path: p.path, packet: p.line });
  const syn = packets.find((p) => p.responder === 0 && p.flags & FLAG.syn);
  const base = (syn ?? packets.find((p) => p.responder === 0) ?? first).seq;
  const mss = packets.find((p) => p.responder === 1 && p.mss > 0)?.mss ?? 1_460;
  let acked = 0;
  let highest = 0;
  let sent = 0;
  let retransmitted = 0;
  let largestAcked = 0;
  let finished = false;
  const resent: Place[] = [];
  let resentAfterAck = 0;
  let closedSince: Packet | null = null;
  let zeroWindowSeconds = 0;
  const zeroWindowPlaces: Place[] = [];
  const resetPlaces: Place[] = [];
  // Segments that wait for their ACK, by where they begin, with how often each was sent.
  const waiting = new Map<number, { end: number; payload: number; times: number; packets: Packet[] }>();
  for (const p of packets) {
    if (p.analysis & ANALYSIS.duplicatePacket) continue;
    if (p.responder === 0) {
      if (p.payload > 0 && !(p.flags & FLAG.syn) && !(p.analysis & ANALYSIS.keepAlive)) {
        sent++;
        const start = relative(p.seq, base);
        if (p.analysis & (RETRANSMITTED | ANALYSIS.spuriousRetransmission)) retransmitted++;
        if (p.analysis & ANALYSIS.resentAfterAck) {
          resentAfterAck++;
          if (resent.length < 4) resent.push(place(p));
        }
        const known = waiting.get(start);
        if (known) {
          known.times++;
          known.payload = Math.max(known.payload, p.payload);
          known.end = Math.max(known.end, start + p.payload);
          if (known.packets.length < 4) known.packets.push(p);
        } else if (start + p.payload > acked)
          waiting.set(start, { end: start + p.payload, payload: p.payload, times: 1, packets: [p] });
        highest = Math.max(highest, start + p.payload);
      }
      if (p.flags & FLAG.fin) finished = true;
      continue;
    }
    if (p.flags & FLAG.rst) {
      if (acked < highest && resetPlaces.length < 3) resetPlaces.push(place(p));
      continue;
    }
    if (p.flags & FLAG.ack && !(p.flags & FLAG.syn)) {
      const ack = relative(p.ack, base);
      if (ack > acked && ack <= highest + 2) {
        for (const [start, segment] of waiting) {
          if (start >= ack) continue;
          // Of an offloaded super-segment a part may be acknowledged: then that much of it got through.
          const through = Math.min(segment.end, ack) - start;
          largestAcked = Math.max(largestAcked, Math.min(through, segment.payload, mss));
          if (segment.end <= ack) waiting.delete(start);
        }
        acked = ack;
      }
    }
    if (p.win === 0) {
      closedSince ??= p;
      if (zeroWindowPlaces.length < 3) zeroWindowPlaces.push(place(p));
    } else if (p.win > 0 && closedSince) {
      zeroWindowSeconds += p.at - closedSince.at;
      closedSince = null;
    }
  }
  const last = packets.at(-1)!;
  if (closedSince) zeroWindowSeconds += last.at - closedSince.at;
  const unacked = highest > acked ? [...waiting.values()].filter((s) => s.end > acked) : [];
  const oldest = unacked.toSorted((a, b) => a.end - a.payload - (b.end - b.payload))[0];
  const largestLost = unacked.length > 0 ? Math.max(...unacked.map((s) => Math.min(s.payload, mss))) : 0;
  const givenUp = oldest !== undefined && oldest.times >= 3;
  // A receiver that gives up at last may open its window again in the packet that ends the connection.
  const endedAtZeroWindow =
    zeroWindowSeconds >= LEAST_CLOSED_S &&
    (closedSince !== null || zeroWindowSeconds > (last.at - first.at) / 2);
  const fullSizeVanishes =
    givenUp &&
    Math.min(oldest.payload, mss) > FITS_ANYWHERE &&
    largestAcked < Math.min(oldest.payload, mss) * 0.97 &&
    resentAfterAck === 0;
  const resetByPeer = resetPlaces.length > 0;
  return {
    source: first.source,
    connection: first.connection,
    path: first.path,
    opened: place(first),
    cookie: packets.some((p) => p.responder === 0 && p.flags & FLAG.syn && p.fast_open === FAST_OPEN.cookie),
    resentAfterAck,
    resentPlaces: resent,
    zeroWindowSeconds,
    endedAtZeroWindow,
    zeroWindowPlaces,
    fullSizeVanishes,
    largestAcked,
    largestLost,
    holePlaces: fullSizeVanishes ? oldest.packets.slice(0, 3).map(place) : [],
    resetByPeer,
    resetPlaces,
    sent,
    retransmitted,
    stalled: givenUp || endedAtZeroWindow || resentAfterAck > 0 || (resetByPeer && !finished),
  };
}
