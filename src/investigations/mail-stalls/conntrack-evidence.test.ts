import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KERNELS, replay, type TrackedPacket } from './conntrack.js';
import { compareWithSender, whatTheSenderSaw } from './conntrack-evidence.js';

const SYN = 2;
const ACK = 16;
const RTT = 0.02;

/**
 * A sender that keeps to TCP and is told which ACKs never reach it: it sends `flight` segments of 1,000 bytes, waits
 * for ACKs, and sends the first unacknowledged one again after 0.3 s, then 0.6 s, … `lost` is asked of each ACK.
 */
function upload(
  bytes: number,
  lost: (ack: number, number: number) => boolean,
  { timestamps = true, flight = 10, until = 1e6 } = {},
): { packets: TrackedPacket[]; lost: Set<number> } {
  const packets: TrackedPacket[] = [];
  const gone = new Set<number>();
  let [at, acknowledged, sent, echo, timer] = [0, 1, 1, 0, 0.3];
  const put = (fromOriginator: boolean, flags: number, more: Partial<TrackedPacket>) => {
    const number = packets.length + 1;
    const value = Math.round(at * 1_000) + (fromOriginator ? 0 : 500_000);
    const packet: TrackedPacket = {
      ...{ number, at, fromOriginator, flags, seq: 1, ack: 1, window: 2_000, payload: 0 },
      ...{ windowScale: flags & SYN ? 8 : null, sackPermitted: false, sacks: [] },
      timestamp: timestamps ? { value, echo: fromOriginator ? echo : 0 } : null,
      ...more,
    };
    packets.push(packet);
    return packet;
  };
  put(true, SYN, { seq: 0, ack: 0, window: 64_000 });
  at += RTT;
  echo = put(false, SYN | ACK, { seq: 0, window: 64_000 }).timestamp?.value ?? 0;
  put(true, ACK, {});
  let received = 1;
  while (acknowledged <= bytes && at < until) {
    const resend = sent > acknowledged;
    const segments: number[] = [];
    if (resend) segments.push(acknowledged);
    else for (let i = 0; i < flight && sent <= bytes; i++, sent += 1_000) segments.push(sent);
    for (const seq of segments) {
      at += 0.001;
      put(true, ACK, { seq, payload: 1_000 });
    }
    at += RTT;
    for (const seq of segments) {
      at += 0.002;
      received = Math.max(received, seq + 1_000);
      const packet = put(false, ACK, { ack: received });
      if (lost(received, packet.number)) gone.add(packet.number);
      else {
        acknowledged = Math.max(acknowledged, packet.ack);
        echo = packet.timestamp?.value ?? 0;
      }
    }
    if (acknowledged < sent) {
      at += timer;
      timer *= 2;
    } else timer = 0.3;
  }
  at += 10;
  put(true, ACK, { seq: sent });
  return { packets, lost: gone };
}

it.each([{ timestamps: true }, { timestamps: false }])(
  'tells lost ACKs from seen ones, $timestamps',
  (options) => {
    const { packets, lost } = upload(60_000, (ack) => ack > 35_000, options);
    expect(lost.size).toBeGreaterThan(10);
    const told = whatTheSenderSaw(packets).filter(({ seen }) => seen !== null);
    expect(told.filter(({ seen }) => seen === false).length).toBeGreaterThan(10);
    for (const { number, seen } of told) expect([number, seen]).toEqual([number, !lost.has(number)]);
  },
);

it('says nothing of an ACK that a later one hides', () => {
  const { packets } = upload(10_000, (ack) => ack === 3_001, { timestamps: false });
  const hidden = packets.find(({ fromOriginator, ack }) => !fromOriginator && ack === 3_001)!;
  expect(whatTheSenderSaw(packets).find(({ number }) => number === hidden.number)).toMatchObject({
    seen: null,
  });
});

it('takes the last ACK for seen when no timer ran out after it', () => {
  const { packets } = upload(10_000, () => false, { timestamps: false });
  const last = packets.filter(({ fromOriginator }) => !fromOriginator).at(-1)!;
  expect(whatTheSenderSaw(packets).at(-1)).toEqual({ number: last.number, seen: true, signs: ['quiet'] });
});

it('takes a probe of a closed window for no resend', () => {
  const { packets } = upload(10_000, () => false);
  const last = packets.at(-1)!;
  packets.push({ ...last, number: last.number + 1, at: last.at + 1, seq: last.seq - 1, payload: 1 });
  expect(whatTheSenderSaw(packets).filter(({ seen }) => seen === false)).toEqual([]);
});

it('counts how far a tracker explains what was lost', () => {
  const { packets, lost } = upload(400_000, (ack) => ack > 100_000, { flight: 60 });
  const clean = compareWithSender(packets, replay(packets, KERNELS.current));
  expect(clean.unseenButValid.count).toBeGreaterThan(20);
  expect(clean.unseenButValid.packets.length).toBeLessThanOrEqual(50);
  expect(clean.invalidAndUnseen.count + clean.invalidButSeen.count).toBe(0);
  const verdicts = packets.map(({ number }) => ({
    number,
    verdict: lost.has(number) ? ('invalid' as const) : ('valid' as const),
    reason: null,
    state: null,
  }));
  const exact = compareWithSender(packets, { verdicts });
  expect(exact.invalidAndUnseen.count).toBe(clean.unseenButValid.count);
  expect(exact.invalidButSeen.count + exact.unseenButValid.count + exact.contradictory.count).toBe(0);
});

it('is never wrong of any ACKs that are lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 50 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 20 }),
      (pattern, timestamps, flight) => {
        const { packets, lost } = upload(50_000, (_, number) => pattern[number % pattern.length]!, {
          timestamps,
          flight,
        });
        for (const { number, seen } of whatTheSenderSaw(packets))
          if (seen !== null) expect([number, seen]).toEqual([number, !lost.has(number)]);
      },
    ),
    { numRuns: 200 },
  );
});

it('stays linear on a hundred thousand packets', () => {
  const { packets } = upload(50_000_000, () => false, { flight: 400 });
  expect(packets.length).toBeGreaterThan(99_000);
  const began = performance.now();
  compareWithSender(packets, replay(packets, KERNELS.current));
  expect(performance.now() - began).toBeLessThan(20_000);
});
