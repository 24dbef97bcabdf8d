import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KERNELS, type KernelModel, replay, saysKernel, type TrackedPacket } from './conntrack.js';

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;

/** Writes a connection down. Sequence numbers count from each side's first SYN, which is 0. */
class Script {
  readonly packets: TrackedPacket[] = [];
  isn: [number, number] = [0xffff_0000, 3_000_000_000];
  timestamps = true;

  packet(
    fromOriginator: boolean,
    flags: number,
    seq: number,
    ack: number,
    more: Partial<TrackedPacket> = {},
  ) {
    const [own, other] = fromOriginator ? this.isn : [this.isn[1], this.isn[0]];
    this.packets.push({
      number: this.packets.length + 1,
      at: this.packets.length / 1_000,
      fromOriginator,
      flags,
      seq: (own + seq) >>> 0,
      ack: flags & ACK ? (other + ack) >>> 0 : 0,
      window: 502,
      payload: 0,
      windowScale: null,
      sackPermitted: false,
      sacks: [],
      timestamp: this.timestamps ? { value: this.packets.length + 1, echo: 0 } : null,
      ...more,
    });
    return this;
  }
  from(flags: number, seq: number, ack: number, more: Partial<TrackedPacket> = {}) {
    return this.packet(true, flags, seq, ack, more);
  }
  to(flags: number, seq: number, ack: number, more: Partial<TrackedPacket> = {}) {
    return this.packet(false, flags, seq, ack, more);
  }
  /** SYN and SYN-ACK, with these scales. */
  open(originator: number | null, responder: number | null) {
    const syn = { window: 64_240, sackPermitted: true };
    this.from(SYN, 0, 0, { ...syn, windowScale: originator });
    return this.to(SYN | ACK, 0, 1, { ...syn, windowScale: responder });
  }
  /** The originator sends so much, more and more ahead of the ACKs, up to `flight` bytes. */
  upload(bytes: number, flight: number, said: number, window: number) {
    for (let [sent, ahead] = [0, 14_480]; sent < bytes; sent += ahead, ahead = Math.min(flight, 2 * ahead)) {
      const until = Math.min(bytes, sent + ahead);
      for (let at = sent; at < until; at += 1_448)
        this.from(ACK | PSH, 1 + at, said, { payload: Math.min(1_448, until - at) });
      for (let at = sent; at < until; at += 2 * 1_448)
        this.to(ACK, said, 1 + Math.min(until, at + 2 * 1_448), { window });
    }
    return this;
  }
}

/** The sequence in the message of commit c7aab4f17021: the server speaks before the third packet. */
function fastOpen(bytes: number, timestamps = true): TrackedPacket[] {
  const script = new Script();
  script.timestamps = timestamps;
  return script
    .open(10, 8)
    .to(ACK | PSH, 1, 1, { payload: 88, window: 502 })
    .from(ACK, 1, 89)
    .upload(bytes, 200_000, 89, 2_000).packets;
}

describe('the bug that c7aab4f17021 mends', () => {
  it("makes the responder's scale 0 at its first data, and what is beyond the unscaled window INVALID", () => {
    const { scaleChanges, scales, invalid, verdicts } = replay(fastOpen(1e6), KERNELS.unfixed);
    expect(scales).toEqual({ originator: 10, responder: 8 });
    expect(scaleChanges).toEqual([{ number: 3, side: 'responder', from: 8, to: 0 }]);
    expect(new Set(invalid.map(({ reason }) => reason))).toEqual(new Set(['seqOver', 'ackOver']));
    expect(verdicts.slice(0, 20).every(({ verdict }) => verdict === 'valid')).toBe(true);
    const { reason } = invalid[0]!;
    expect(saysKernel(reason!, KERNELS.unfixed)).toContain('over the window of the receiver');
    // From where the window ends, 64 kB into the mail, nothing is valid any more: neither data nor ACKs.
    expect(invalid[0]!.number).toBeLessThan(150);
    expect(verdicts.at(-1)!.verdict).toBe('invalid');
  });

  it('leaves small mails alone', () => {
    const { scaleChanges, invalid } = replay(fastOpen(40_000), KERNELS.unfixed);
    expect(scaleChanges).toHaveLength(1);
    expect(invalid).toEqual([]);
  });

  it('needs a segment with some option: without timestamps the scale stays', () => {
    expect(replay(fastOpen(1e6, false), KERNELS.unfixed).scaleChanges).toEqual([]);
  });

  it.each([
    ['the fix', KERNELS.fixed],
    ['a current kernel', KERNELS.current],
  ])('is gone with %s', (_, kernel) => {
    const { scaleChanges, invalid } = replay(fastOpen(2e6), kernel);
    expect(scaleChanges).toEqual([]);
    expect(invalid).toEqual([]);
  });

  it('does no harm where the tracker is liberal, except to a RST', () => {
    const script = new Script().open(10, 8).to(ACK | PSH, 1, 1, { payload: 88 });
    script.from(ACK, 1, 89).upload(1e6, 200_000, 89, 2_000).to(RST, 5, 0);
    const { invalid } = replay(script.packets, { ...KERNELS.unfixed, liberal: true });
    expect(invalid).toEqual([
      { number: script.packets.length, verdict: 'invalid', reason: 'reset', state: 'ESTABLISHED' },
    ]);
  });

  it('cannot happen without window scaling', () => {
    const script = new Script().open(null, null).to(ACK | PSH, 1, 1, { payload: 88, window: 65_000 });
    script.from(ACK, 1, 89).upload(1e6, 60_000, 89, 65_000);
    for (const kernel of Object.values(KERNELS)) expect(replay(script.packets, kernel).invalid).toEqual([]);
  });
});

it('a second SYN before the answer makes both scales 0 without fb366fc7541a', () => {
  const script = new Script().from(SYN, -100_000, 0, { windowScale: 7, window: 62_727 });
  script.open(7, 7).from(ACK, 1, 1).upload(1e6, 200_000, 1, 4_000);
  const without: KernelModel = { ...KERNELS.current, repeatedSynKeepsScales: false };
  expect(replay(script.packets, without).scaleChanges).toContainEqual({
    number: 2,
    side: 'originator',
    from: 7,
    to: 0,
  });
  expect(replay(script.packets, KERNELS.current).scaleChanges).toEqual([]);
});

describe('what if the tracker held a scale for 0', () => {
  const packets = new Script().open(10, 8).from(ACK, 1, 1).upload(1e6, 200_000, 1, 2_000).packets;

  it("the responder's: data and ACKs beyond 64 kB are INVALID", () => {
    const { invalid } = replay(packets, { ...KERNELS.current, forgetScaleOf: 'responder' });
    const numbers = new Set(invalid.map(({ number }) => number));
    const acks = packets.filter(({ number, fromOriginator }) => numbers.has(number) && !fromOriginator);
    expect(acks.length).toBeGreaterThan(100);
  });

  it("the originator's: an upload does not mind", () => {
    expect(replay(packets, { ...KERNELS.current, forgetScaleOf: 'originator' }).invalid).toEqual([]);
  });
});

describe('states', () => {
  it('follow an ordinary connection to its end', () => {
    const script = new Script().open(7, 7).from(ACK, 1, 1);
    script
      .from(FIN | ACK, 1, 1)
      .to(ACK, 1, 2)
      .to(FIN | ACK, 1, 2)
      .from(ACK, 2, 2);
    expect(replay(script.packets, KERNELS.current).verdicts.map(({ state }) => state)).toEqual([
      'SYN_SENT',
      'SYN_RECV',
      'ESTABLISHED',
      'FIN_WAIT',
      'CLOSE_WAIT',
      'LAST_ACK',
      'TIME_WAIT',
    ]);
  });

  it('begin anew when the ports are used again', () => {
    const script = new Script()
      .open(7, 7)
      .from(ACK, 1, 1)
      .from(FIN | ACK, 1, 1)
      .to(ACK, 1, 2);
    script.to(FIN | ACK, 1, 2).from(ACK, 2, 2);
    script.from(SYN, 1e6, 0, { windowScale: 7 }).to(SYN | ACK, 1e6, 1e6 + 1, { windowScale: 7 });
    const { verdicts } = replay(script.packets, KERNELS.current);
    expect(verdicts.slice(-2).map(({ state }) => state)).toEqual(['SYN_SENT', 'SYN_RECV']);
  });

  it('are forgotten after their timeout, and picked up only where that is allowed', () => {
    const script = new Script().open(7, 7).from(ACK, 1, 1);
    script.from(ACK, 1, 1, { at: 500_000, payload: 10 });
    expect(replay(script.packets, KERNELS.current).verdicts.at(-1)).toMatchObject({ verdict: 'valid' });
    const strict = replay(script.packets, { ...KERNELS.current, loose: false });
    expect(strict.verdicts.at(-1)).toMatchObject({ verdict: 'invalid', reason: 'new', state: null });
  });

  it('know no packet with flags that do not go together', () => {
    const script = new Script().from(SYN | FIN, 0, 0);
    expect(replay(script.packets, KERNELS.current).verdicts).toEqual([
      { number: 1, verdict: 'invalid', reason: 'flags', state: null },
    ]);
  });
});

it('passes over a late ACK since 6.1, and calls it INVALID before', () => {
  const script = new Script().open(7, 7).from(ACK, 1, 1).upload(400_000, 60_000, 1, 600);
  script.to(ACK, 1, 2, { window: 600 });
  const last = (kernel: KernelModel) => replay(script.packets, kernel).verdicts.at(-1)!;
  expect(last(KERNELS.unfixed)).toMatchObject({ verdict: 'invalid', reason: 'ackUnder' });
  expect(last(KERNELS.current)).toMatchObject({ verdict: 'ignored', reason: 'ackUnder' });
});

it('never calls an exchange without loss INVALID, of any size, in any version', () => {
  const scale = fc.option(fc.nat(14), { nil: null });
  fc.assert(
    fc.property(
      fc.record({
        isns: fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
        scales: fc.tuple(scale, scale),
        timestamps: fc.boolean(),
        turns: fc.array(
          fc.record({
            up: fc.boolean(),
            bytes: fc.nat(300_000),
            segment: fc.integer({ min: 536, max: 65_000 }),
          }),
          { maxLength: 12 },
        ),
        kernel: fc.constantFrom(...Object.values(KERNELS)),
        closes: fc.boolean(),
      }),
      ({ isns, scales: [one, two], timestamps, turns, kernel, closes }) => {
        const script = new Script();
        script.isn = isns;
        script.timestamps = timestamps;
        script.open(one, two).from(ACK, 1, 1, { window: 60_000 });
        const said: [number, number] = [1, 1];
        const window = 60_000;
        const allowed = (by: number | null) => window * 2 ** (one === null || two === null ? 0 : by!);
        for (const { up, bytes, segment } of turns) {
          const [me, other] = up ? ([0, 1] as const) : ([1, 0] as const);
          // As the receiver allows: a window, then ACKs. The window of a SYN is not scaled.
          let flight = Math.min(window, allowed(up ? two : one));
          for (let left = bytes; left > 0; ) {
            let room = Math.min(left, flight);
            left -= room;
            while (room > 0) {
              const payload = Math.min(segment, room);
              script.packet(up, ACK | PSH, said[me], said[other], { payload, window });
              said[me] += payload;
              room -= payload;
            }
            script.packet(!up, ACK, said[other], said[me], { window });
            flight = Math.min(1e6, allowed(up ? two : one));
          }
        }
        if (closes) {
          script
            .from(FIN | ACK, said[0], said[1], { window })
            .to(FIN | ACK, said[1], said[0] + 1, { window });
          script.from(ACK, said[0] + 1, said[1] + 1, { window });
        }
        expect(replay(script.packets, kernel).invalid).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

it('gives every packet a verdict, whatever the packets are', () => {
  const u32 = fc.nat(0xffffffff);
  const packet = fc.record({
    number: fc.nat(),
    at: fc.double({ noNaN: true }),
    fromOriginator: fc.boolean(),
    flags: fc.nat(255),
    seq: u32,
    ack: u32,
    window: fc.nat(65_535),
    payload: fc.nat(65_535),
    windowScale: fc.option(fc.nat(255), { nil: null }),
    sackPermitted: fc.boolean(),
    sacks: fc.array(fc.tuple(u32, u32), { maxLength: 4 }),
    timestamp: fc.option(fc.record({ value: u32, echo: u32 }), { nil: null }),
  });
  fc.assert(
    fc.property(
      fc.array(packet, { maxLength: 60 }),
      fc.constantFrom(...Object.values(KERNELS)),
      (packets, kernel) => {
        expect(replay(packets, kernel).verdicts).toHaveLength(packets.length);
      },
    ),
  );
});
