import { describe, expect, it } from 'vitest';
import type { FoundConnection } from '../../findings/connection-story.js';
import { Analysis, FastOpen, SmtpStep, TcpFlag } from '../../formats/capture/columns.js';
import { ANALYSIS, FAST_OPEN, FLAG, SMTP } from './connection-bits.js';
import type { StoryPacket } from './connection-packets.js';
import { storyOf } from './connection-walk.js';

const CLIENT = 0xffff_ff00; // so that its numbers pass 2^32
const SERVER = 5000;
const { syn: SYN, ack: ACK, rst: RST, fin: FIN } = TcpFlag;

/** A packet; `seq` and `ack` are relative to the SYN of whose they are. */
function packet(line: number, at: number, responder: 0 | 1, over: Partial<StoryPacket> = {}): StoryPacket {
  const [own, other] = responder === 0 ? [CLIENT, SERVER] : [SERVER, CLIENT];
  const { seq = 1, ack = 1, ...rest } = over;
  return {
    line,
    us: 1.7e15 + at * 1e6,
    responder,
    flags: ACK,
    seq: (own + seq) >>> 0,
    ack: (other + ack) >>> 0,
    raw: 500,
    win: 64_000,
    payload: 0,
    mss: -1,
    scale: -1,
    sack: 0,
    blocks: 0,
    ...{ l1: 0, r1: 0, l2: 0, r2: 0, l3: 0, r3: 0, l4: 0, r4: 0 },
    stamp: 0,
    echo: 0,
    fast: 0,
    analysis: 0,
    smtp: 0,
    ...rest,
  };
}

const handshake = (over: Partial<StoryPacket> = {}): StoryPacket[] => [
  packet(1, 0, 0, { flags: SYN, seq: 0, mss: 1460, scale: 10, sack: 1, stamp: 9, ...over }),
  packet(2, 0.02, 1, { flags: SYN | ACK, seq: 0, mss: 1400, scale: 8, sack: 1 }),
  packet(3, 0.021, 0),
];

function tell(packets: StoryPacket[], icmp: { line: number; mtu: number }[] = []) {
  const found: FoundConnection = {
    source: 1,
    capture: 'capture.pcap',
    connection: 1,
    originator: { ip: '10.0.0.2', port: 40_112 },
    responder: { ip: '10.0.0.9', port: 25 },
    beganAt: null,
    seconds: 0,
    packets: packets.length,
    firstPacket: packets[0]!.line,
    lastPacket: packets.at(-1)!.line,
    originatorBytes: 0,
    responderBytes: 0,
    resentAfterAck: 0,
  };
  const story = storyOf(found, packets, icmp);
  const said = [...story.phases.flatMap((p) => p.facts), ...story.facts].map(
    (f) =>
      `${f.says} @${'searched' in f.from ? '' : f.from.map((p) => ('packet' in p ? p.packet : '')).join()}`,
  );
  return { ...story, said };
}

describe('storyOf', () => {
  it('uses the bits that the reader writes', () => {
    for (const [ours, theirs] of [
      [FLAG, TcpFlag],
      [FAST_OPEN, FastOpen],
      [SMTP, SmtpStep],
      [{ ...ANALYSIS, resent: undefined }, Analysis],
    ] as [Record<string, number | undefined>, Record<string, number>][])
      for (const [name, bit] of Object.entries(ours)) if (bit !== undefined) expect(theirs[name]).toBe(bit);
    expect(ANALYSIS.resent).toBe(
      Analysis.retransmission |
        Analysis.fastRetransmission |
        Analysis.spuriousRetransmission |
        Analysis.resentAfterAck,
    );
  });

  it('tells the handshake, and a banner before its third packet', () => {
    const [syn, answer, third] = handshake({ fast: FastOpen.cookie }) as [
      StoryPacket,
      StoryPacket,
      StoryPacket,
    ];
    const banner = packet(4, 0.0205, 1, { payload: 40, smtp: SmtpStep.banner });
    const told = tell([syn, answer, { ...banner, line: 3 }, { ...third, line: 4 }]);
    expect(told.said).toEqual(
      expect.arrayContaining([
        'SYN: MSS 1,460, window scale 10 (×1,024), SACK, timestamps, with a Fast Open cookie @1',
        'SYN-ACK: MSS 1,400, window scale 8 (×256), SACK, no timestamps @2',
        expect.stringMatching(/^the server spoke before the third packet .* @3,4$/),
        'round trip 20 ms from the capture to the server, 1 ms to the client @1,2,4',
      ]),
    );
    expect(told.phases.map((p) => p.phase)).toEqual(['handshake', 'greeting']);
    expect(told.outcome).toBe('open');
    expect(tell(handshake()).said.join()).not.toContain('the server spoke');
  });

  it('finds where data that was acknowledged is sent again and again', () => {
    const again = (line: number, at: number) =>
      packet(line, at, 0, {
        seq: 1,
        payload: 1000,
        analysis: Analysis.resentAfterAck | Analysis.spuriousRetransmission,
      });
    const told = tell([
      ...handshake(),
      packet(4, 0.03, 0, { seq: 1, payload: 1000 }),
      packet(5, 0.05, 1, { ack: 1001 }),
      again(6, 1),
      packet(7, 1.02, 1, { ack: 1001, blocks: 1, l1: (CLIENT + 1) >>> 0, r1: (CLIENT + 1001) >>> 0 }),
      again(8, 3),
      packet(9, 3.02, 1, { ack: 1001 }),
    ]);
    expect(told).toMatchObject({ outcome: 'stalled', says: 'stalled for 3 s' });
    expect(told.traffic.originator).toEqual({
      packets: 5,
      bytes: 1000,
      repeatedBytes: 2000,
      acknowledgedBytes: 1000,
    });
    expect(told.said).toEqual(
      expect.arrayContaining([
        `the server’s last ACK before it is number 1,001 (${(CLIENT + 1001) >>> 0} in the header), repeated 2 times since @5,7,9`,
        'the client sent bytes 1 to 1,001 again 2 times; the ACK for them was in the capture 950 ms before the first of these: the client’s TCP never got it @5,6,8',
        '2 segments of the client (2,000 bytes) sent again although the ACK was in the capture @6,8',
      ]),
    );
    expect(told.drawing.points.filter((p) => p.kind === 'sack')).toMatchObject([
      { from: 1, to: 1001, packet: 7 },
    ]);
    expect(told.drawing.points.filter((p) => p.kind === 'resent-after-ack')).toMatchObject([
      { from: 1, to: 1001, packet: 6 },
      { from: 1, to: 1001, packet: 8 },
    ]);
  });

  it('tells a closed window, its probes, and who reset', () => {
    const told = tell(
      [
        ...handshake(),
        packet(4, 0.03, 0, { seq: 1, payload: 500 }),
        packet(5, 0.05, 1, { ack: 501, win: 0 }),
        packet(6, 5.05, 0, { seq: 500, payload: 1, analysis: Analysis.zeroWindowProbe }),
        packet(7, 5.07, 1, { ack: 501, win: 0 }),
        packet(8, 12.05, 1, { ack: 501, win: 9000 }),
        packet(9, 12.06, 0, { seq: 501, payload: 500 }),
        packet(10, 12.07, 1, { flags: RST | ACK, ack: 501 }),
      ],
      [{ line: 6, mtu: 1280 }],
    );
    expect(told.said).toEqual(
      expect.arrayContaining([
        'the server’s window was 0 for 12 s, from 50 ms on @5,8',
        'the client probed the closed window 1 time @6',
        'the server reset it (RST) at 12 s, with 500 bytes of the client not acknowledged @10',
        '7 s without a packet, from 5.1 s on; then the server sent an ACK @7,8',
        'meanwhile 1 ICMP message to one of the two asked for smaller packets (MTU 1,280), for this connection or another @6',
      ]),
    );
    expect(told.outcome).toBe('stalled');
    expect(told.drawing.points.filter((p) => p.kind === 'zero-window').map((p) => p.packet)).toEqual([5, 7]);
  });

  it('knows a connection that is well, one refused, one unanswered, and one without its beginning', () => {
    const well = tell([
      ...handshake(),
      packet(4, 0.03, 0, { seq: 1, payload: 100 }),
      packet(5, 0.05, 1, { ack: 101 }),
      packet(6, 0.06, 0, { flags: FIN | ACK, seq: 101 }),
      packet(7, 0.08, 1, { flags: FIN | ACK, ack: 102 }),
      packet(8, 0.081, 0, { seq: 102, ack: 2 }),
    ]);
    expect(well).toMatchObject({ outcome: 'closed', says: 'closed by both' });
    expect(well.facts.filter((f) => f.about !== 'end')).toEqual([]);
    const syn = handshake()[0]!;
    expect(tell([syn, packet(2, 0.01, 1, { flags: RST | ACK })]).outcome).toBe('refused');
    expect(tell([syn, { ...syn, line: 2, us: syn.us! + 1e6 }])).toMatchObject({ outcome: 'unanswered' });
    const late = tell([packet(4, 0, 0, { seq: 777, payload: 10 }), packet(5, 0.02, 1, { ack: 787 })]);
    expect(late.said[0]).toContain('the capture has no handshake of it');
    expect(late.traffic.originator).toMatchObject({ bytes: 10, acknowledgedBytes: 10 });
  });

  it('stays bounded and whole on numbers that make no sense', () => {
    let x = 1;
    const random = () => (x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0);
    const wild = Array.from({ length: 20_000 }, (_, i) =>
      packet(i + 1, (random() % 1000) / 10, (random() & 1) as 0 | 1, {
        flags: random() % 256,
        seq: random(),
        ack: random(),
        win: (random() % 70_000) - 1,
        payload: random() % 2000,
        analysis: random() % 65_536,
        blocks: random() % 5,
        l1: random(),
        r1: random(),
        us: random() % 9 === 0 ? null : random(),
      }),
    );
    const told = tell(wild);
    expect(told.drawing.points.length).toBeLessThan(16_000);
    expect(told.drawing.merged).toBeGreaterThan(0);
    for (const p of told.drawing.points) expect(Number.isFinite(p.atS + p.from + p.to)).toBe(true);
    expect(told.facts.every((f) => 'searched' in f.from || f.from.length <= 12)).toBe(true);
  });

  it('takes time in proportion, also where every stall is longer than the one before', () => {
    // Each stall was once held against every closed window: 120,000 packets then take longer than this allows.
    const growing = Array.from({ length: 120_000 }, (_, i) =>
      i % 2
        ? packet(i + 1, i * 2 * (1 + i / 1000), 1, { ack: i * 724 + 1, win: i % 4 === 1 ? 0 : 9 })
        : packet(i + 1, i * 2 * (1 + i / 1000), 0, { seq: i * 724 + 1, payload: 1448 }),
    );
    const begun = performance.now();
    expect(tell(growing).outcome).toBe('open');
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});
