import type { Place } from '../../findings/finding.js';
import type { Case } from '../../store/case.js';
import { ANALYSIS } from '../mail/connection-bits.js';
import { KERNELS, type KernelModel, type Replay, replay, type TrackedPacket } from './conntrack.js';
import { type Agreement, compareWithSender } from './conntrack-evidence.js';

/** What a replay of connection tracking says of the broken connections, in numbers. */
export interface Mechanism {
  says: string;
  from: Place[];
}

const MOST_CONNECTIONS = 6;
const MOST_PACKETS = 20_000;
/** Part of the packets that a sender did not see, or should not have seen, on which tracker and sender agree. */
const AGREES = 0.8;

/** The trackers that are tried: the bug itself first; then ones that lost a scale for whatever reason. */
const TRACKERS: { model: KernelModel; bug: boolean }[] = [
  { model: KERNELS.unfixed, bug: true },
  { model: { ...KERNELS.current, forgetScaleOf: 'responder' }, bug: false },
  { model: { ...KERNELS.current, forgetScaleOf: 'both' }, bug: false },
  { model: { ...KERNELS.unfixed, forgetScaleOf: 'both' }, bug: false },
];

/**
 * Replays connection tracking over broken connections, and counts how far the packets that it would have called INVALID
 * are those that this host's TCP acted as if it had never seen. Null where no tracker explains them.
 *
 * The bug itself is named only where a replay of the tracker that has it agrees; else no more is said than that the
 * drops are those of a tracker that had lost the window scale.
 */
export async function mechanismOf(
  store: Case,
  connections: { source: number; connection: number; path: string }[],
): Promise<Mechanism | null> {
  const lists: { path: string; packets: TrackedPacket[] }[] = [];
  for (const { source, connection, path } of connections.slice(0, MOST_CONNECTIONS))
    lists.push({ path, packets: await trackedPackets(store, source, connection) });
  const tried = TRACKERS.map(({ model, bug }) => {
    const runs = lists.map(({ path, packets }) => {
      const run = replay(packets, model);
      return { path, run, agreement: compareWithSender(packets, run) };
    });
    return { bug, runs, score: scoreOf(runs.map((r) => r.agreement)) };
  });
  const best = tried.reduce((a, b) => (b.score > a.score + 0.02 ? b : a));
  if (best.score < AGREES) return null;
  const sum = (of: (a: Agreement) => number) => best.runs.reduce((n, r) => n + of(r.agreement), 0);
  const agreed = sum((a) => a.invalidAndUnseen.count);
  const against = sum((a) => a.invalidButSeen.count + a.unseenButValid.count);
  const lost = best.runs.flatMap(({ path, run }) => lossOf(run).map((packet) => ({ path, packet })));
  const counted = `of the packets that such a tracker calls INVALID, ${agreed.toLocaleString('en-GB')} are packets that this host’s TCP never saw, and ${against.toLocaleString('en-GB')} speak against it (${best.runs.length} connections replayed)`;
  return {
    says: best.bug
      ? `Replayed, the connection tracking of kernels before commit c7aab4f17021 loses the receiver’s window scale at the receiver’s data before the third packet of the handshake; ${counted}`
      : `Replayed, a connection tracker that holds the window scale for 0 explains the drops: ${counted}; what made it lose the scale is not in this capture`,
    from: (lost.length > 0
      ? lost
      : best.runs.flatMap(({ path, agreement }) =>
          agreement.invalidAndUnseen.packets.map((packet) => ({ path, packet })),
        )
    ).slice(0, 4),
  };
}

/** Agreement over all that bears on the question. */
function scoreOf(agreements: Agreement[]): number {
  const sum = (of: (a: Agreement) => number) => agreements.reduce((n, a) => n + of(a), 0);
  const agreed = sum((a) => a.invalidAndUnseen.count);
  const against = sum((a) => a.invalidButSeen.count + a.unseenButValid.count);
  return agreed === 0 ? 0 : agreed / (agreed + against);
}

const lossOf = (run: Replay): number[] =>
  run.scaleChanges.filter((c) => c.side === 'responder' && c.to === 0 && c.from > 0).map((c) => c.number);

async function trackedPackets(store: Case, source: number, connection: number): Promise<TrackedPacket[]> {
  const rows = await store.rows<Record<string, number>>(
    `SELECT line, epoch(captured_at) AS at, from_responder, tcp_flags, seq, ack, window_raw, payload_bytes, window_scale,
            sack_permitted, sack_blocks, sack_left_1, sack_right_1, sack_left_2, sack_right_2, sack_left_3, sack_right_3,
            sack_left_4, sack_right_4, ts_value, ts_echo, mss, fast_open
     FROM packet_facts WHERE source_id = $1 AND connection = $2 AND analysis & ${ANALYSIS.duplicatePacket} = 0
     ORDER BY line LIMIT ${MOST_PACKETS}`,
    [source, connection],
  );
  return rows.map((r) => ({
    number: r.line!,
    at: r.at!,
    fromOriginator: r.from_responder === 0,
    flags: r.tcp_flags!,
    seq: r.seq!,
    ack: r.ack!,
    window: r.window_raw!,
    payload: r.payload_bytes!,
    windowScale: r.window_scale! >= 0 ? r.window_scale! : null,
    sackPermitted: r.sack_permitted === 1,
    sacks: [1, 2, 3, 4]
      .slice(0, r.sack_blocks!)
      .map((n) => [r[`sack_left_${n}`]!, r[`sack_right_${n}`]!] as const),
    hasOptions:
      r.ts_value !== 0 ||
      r.mss! >= 0 ||
      r.window_scale! >= 0 ||
      r.sack_blocks! > 0 ||
      r.sack_permitted === 1 ||
      r.fast_open !== 0,
    timestamp: r.ts_value === 0 && r.ts_echo === 0 ? null : { value: r.ts_value!, echo: r.ts_echo! },
  }));
}
