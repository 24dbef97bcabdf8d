import { describe, expect, it } from 'vitest';
import { Dice } from '../../../lab/dice.js';
import { type ReadCapture, readCapture } from '../../../test/read-capture.js';
import { Blocks, ethernet, FRAMES, hex, ipv4, ipv6, pcap, tcp } from '../../../test/write-capture.js';
import { BATCH_ROWS, type Batch } from '../bulk.js';
import { Decode, FastOpen, PACKET_FACTS } from './columns.js';
import { detectCapture } from './detect.js';
import { CaptureReader } from './reader.js';

const little = new Blocks(false);
const big = new Blocks(true);
const AT = 1_792_000_000_000_000n;
const frame = { bytes: ethernet(ipv4(tcp())) };
const head = [little.section(), little.face(1)];
const frames = Object.values(FRAMES);

function read(bytes: Uint8Array, chunks = [bytes]): ReadCapture {
  return readCapture(detectCapture(bytes, 'x')!.how, chunks);
}
/** The only packet of an Ethernet capture. */
function one(bytes: Uint8Array, wire = bytes.length) {
  const { packets } = read(pcap([{ bytes, wire }]));
  expect(packets.length).toBe(1);
  return packets[0]!;
}

describe('a capture is known by its first bytes', () => {
  it.each([
    ['pcap (Ethernet)', pcap([])],
    ['pcap (Ethernet)', pcap([], { big: true, nanoseconds: true })],
    ['pcap (Linux cooked)', pcap([], { modified: true, link: 113 })],
    ['pcap (link type 105)', pcap([], { link: 105 })],
    ['pcapng', little.section()],
    ['pcapng', big.section()],
  ])('%s', (name, bytes) => expect(detectCapture(bytes, 'log')?.name).toBe(name));

  it.each([
    ['nothing', ''],
    ['half a header', pcap([]).subarray(0, 20)],
    ['another version', Buffer.concat([pcap([]).subarray(0, 4), Buffer.alloc(20)])],
    ['a text', 'a mail log that is no capture'],
    ['a damaged byte order', Buffer.concat([little.section().subarray(0, 8), Buffer.alloc(20)])],
  ])('not %s', (_, bytes) => expect(detectCapture(Buffer.from(bytes), 'x.pcap')).toBeNull());
});

describe('what a packet says', () => {
  it('has a column for each fact, of its width', () => {
    const batches: Batch[] = [];
    const { how } = detectCapture(pcap([]), 'x')!;
    new CaptureReader(how, [1, 2], (batch) => batches.push(batch)).finish(false);
    const widths = {
      TIMESTAMP: 8,
      BIGINT: 8,
      INTEGER: 4,
      UINTEGER: 4,
      SMALLINT: 2,
      USMALLINT: 2,
      UTINYINT: 1,
    };
    expect(batches.map(({ columns }) => columns.map(({ width }) => width))).toEqual([
      PACKET_FACTS.columns.map(({ type }) => widths[type]),
    ]);
  });

  it('does not take padding for payload', () =>
    expect(one(ethernet(Buffer.concat([ipv4(tcp()), Buffer.alloc(6)]))).payload_bytes).toBe(0));

  it('counts the payload on the wire where less was captured', () => {
    const packet = one(ethernet(ipv4(tcp({ payload: 'ab' }), { total: 1500 })), 1514);
    expect(packet).toMatchObject({ payload_bytes: 1460, decode: Decode.snapped });
  });

  it('takes a super-segment’s length from the frame', () => {
    const packet = one(ethernet(ipv4(tcp({ payload: 'ab' }), { total: 0 })), 20_054);
    expect(packet).toMatchObject({ payload_bytes: 20_000, decode: Decode.snapped | Decode.offloaded });
  });

  it('reads what is left of a header that is cut', () => {
    const packet = one(ethernet(ipv4(tcp({ seq: 9, flags: 2 }))).subarray(0, 48), 54);
    expect(packet).toMatchObject({
      src_port: 40_000,
      seq: 9,
      tcp_flags: 2,
      window_raw: -1,
      decode: Decode.snapped,
    });
  });

  it('has no ports of a later fragment', () =>
    expect(one(ethernet(ipv4(tcp(), { fragment: 100 })))).toMatchObject({
      src: '192.0.2.1',
      src_port: -1,
      decode: Decode.ipFragment,
    }));

  it('has the innermost addresses of a tunnel', () =>
    expect(one(FRAMES['6in4'] as Buffer)).toMatchObject({
      src: '2001:db8::1',
      ip_protocol: 6,
      payload_bytes: 3,
    }));

  it('marks Multipath TCP, VLANs and what is not IP', () => {
    expect(one(FRAMES['SYN with MPTCP'] as Buffer).decode).toBe(Decode.mptcp);
    expect(one(FRAMES.VLAN as Buffer).decode).toBe(Decode.vlan);
    expect(one(FRAMES.ARP as Buffer)).toMatchObject({ decode: Decode.other, ip_protocol: -1, src: '' });
  });

  it('knows a Fast Open cookie whose end is cut', () =>
    expect(
      one(ethernet(ipv4(tcp({ flags: 2, options: '220a0102030405060708 0101' }))).subarray(0, 60), 66),
    ).toMatchObject({
      fast_open: FastOpen.cookie,
      decode: Decode.snapped,
    }));

  it('tells the whole of a capture’s period', () =>
    expect(read(pcap([frame, { ...frame, at: 5_250_000 }]))).toMatchObject({
      first: 1_792_000_000,
      last: 1_792_000_005.25,
    }));

  it('has no time where the capture has none', () => {
    const { packets } = read(
      Buffer.concat([...head, little.simple(frame), little.enhanced(frame, 2n ** 64n - 1n)]),
    );
    expect(packets.map((p) => [p.captured_at, p.decode])).toEqual([
      [Number.NaN, Decode.untimed],
      [Number.NaN, Decode.untimed],
    ]);
  });

  it('numbers interfaces on from section to section', () => {
    const { packets } = read(
      Buffer.concat([
        ...head,
        little.face(1),
        little.enhanced({ ...frame, face: 1 }, AT),
        big.section(),
        big.face(1),
        big.enhanced(frame, AT),
      ]),
    );
    expect(packets.map((p) => p.interface)).toEqual([1, 2]);
  });
});

describe('what lies is marked, counted and passed over', () => {
  it.each([
    ['option of length 0', ethernet(ipv4(tcp({ options: '02000000 02000000' })))],
    ['option of length 1', ethernet(ipv4(tcp({ options: '01010301' })))],
    ['option beyond the header', ethernet(ipv4(tcp({ options: '080a0000' })))],
    ['timestamps of another length', ethernet(ipv4(tcp({ options: '0804ffff' })))],
    ['SACK of half a block', ethernet(ipv4(tcp({ options: '0506ffff ffff0101' })))],
    ['TCP header of 0 bytes', ethernet(ipv4(tcp({ header: 0 })))],
    ['TCP header longer than the packet', ethernet(ipv4(tcp({ header: 60 })))],
    ['IPv4 longer than the frame', ethernet(ipv4(tcp(), { total: 9000 }))],
    ['IPv4 shorter than its header', ethernet(ipv4(tcp(), { total: 12 }))],
    ['IPv4 header of 0 bytes', ethernet(hex('40'.repeat(40)), '0800')],
    ['IPv6 longer than the frame', ethernet(ipv6(tcp(), { length: 5000 }))],
    ['extension header beyond the packet', ethernet(ipv6(hex('06ff000000000000'), { next: 60 }))],
    ['IP of version 9', ethernet(hex('90'.repeat(40)), '0800')],
    ['one byte', hex('00')],
    ['nothing', hex('')],
  ])('%s', (_, bytes) => expect(one(bytes).decode! & Decode.malformed).toBe(Decode.malformed));

  it('packets in packets end', () => {
    let bytes = ipv4(tcp());
    for (let depth = 0; depth < 100; depth++) bytes = ipv4(bytes, { protocol: 4 });
    expect(one(ethernet(bytes)).src_port).toBe(-1);
  });

  it('a link type that is not read', () => {
    const { lines, unread } = read(pcap([frame], { link: 105 }));
    expect([lines, unread[0]!.reason]).toEqual([1, 'of a link type that culprit does not read']);
  });

  it('a pcap length that cannot be: reading goes on at the next packets', () => {
    const good = pcap(Array(6).fill(frame.bytes));
    good.writeUInt32LE(0xfffffff0, 24 + 70 * 2 + 8);
    const { packets, unread } = read(good);
    expect(packets.map((p) => p.line)).toEqual([0, 1, 3, 4, 5]);
    expect(unread[2]).toMatchObject({ excerpt: expect.stringMatching(/^at byte 164: [0-9a-f]{32}$/) });
  });

  it('a pcapng block that claims 4 GB: reading goes on at the next', () => {
    const liar = little.enhanced(frame, AT);
    liar.writeUInt32LE(0xfffffffc, 4);
    const { packets, counts } = read(Buffer.concat([...head, liar, little.enhanced(frame, AT)]));
    expect(packets.map((p) => p.line)).toEqual([1]);
    expect(Object.values(counts)).toEqual([1]);
  });

  it('a pcapng block whose two lengths differ, or that is no longer than its header', () => {
    const liar = little.enhanced(frame, AT);
    liar.writeUInt32LE(0, liar.length - 4);
    const bytes = Buffer.concat([
      ...head,
      liar,
      little.enhanced(frame, AT),
      little.block(6, hex('00')),
      little.enhanced(frame, AT),
    ]);
    expect(read(bytes)).toMatchObject({ lines: 4, records: 2 });
  });

  it('a captured length beyond its block, an interface that nobody described, an unknown block', () => {
    const liar = little.enhanced(frame, AT);
    liar.writeUInt32LE(90, 20);
    const bytes = Buffer.concat([
      ...head,
      liar,
      little.enhanced({ ...frame, face: 7 }, AT),
      little.block(0xbad, hex('00007ed9 00000000')),
      little.enhanced(frame, AT),
    ]);
    expect(Object.keys(read(bytes).counts)).toEqual([
      'a length that cannot be; reading went on at the next packet that could be found',
      'a pcapng block of a kind that culprit does not read',
      'of an interface that the capture does not describe',
    ]);
  });

  it('interfaces without end', () => {
    const many = Buffer.concat([
      little.section(),
      ...Array<Buffer>(20_000).fill(little.face(1)),
      little.enhanced({ ...frame, face: 19_999 }, AT),
    ]);
    expect(read(many)).toMatchObject({ lines: 1, records: 0 });
  });
});

describe('a capture that ends or goes on', () => {
  it('one that is cut says so, and where the last whole packet ends', () => {
    const bytes = pcap([frame.bytes, frame.bytes]);
    expect(read(bytes.subarray(0, -1))).toMatchObject({ lines: 2, records: 1, pending: 20, upTo: 94 });
    expect(read(bytes)).toMatchObject({ lines: 2, records: 2, pending: 'no', upTo: 164 });
  });

  it('a pcap is read on from there', () => {
    const bytes = pcap(frames);
    const whole = read(bytes);
    const { how } = detectCapture(bytes, 'x')!;
    const begin = readCapture(how, [bytes.subarray(0, 1000)]);
    const rest = readCapture(how, [bytes.subarray(begin.upTo)]);
    expect(begin.records + rest.records).toBe(whole.records);
    expect(rest.packets.map((p) => p.seq)).toEqual(whole.packets.slice(begin.records).map((p) => p.seq));
  });

  it('one behind the other', () => {
    const bytes = Buffer.concat([pcap([frame]), pcap([ipv4(tcp())], { link: 101 })]);
    expect(read(bytes).packets.map((p) => p.src_port)).toEqual([40_000, 40_000]);
  });

  it('the same reader reads another', () => {
    const lines: number[] = [];
    const bytes = pcap(frames);
    const reader = new CaptureReader(detectCapture(bytes, 'x')!.how, [1, 2], (b) =>
      lines.push(b.count, b.upTo),
    );
    for (let i = 0; i < 2; i++) {
      reader.restart();
      reader.feed(bytes.subarray(0, i === 0 ? -1 : bytes.length));
      reader.finish(false);
    }
    expect(lines.slice(2)).toEqual([frames.length, bytes.length]);
  });
});

it('texts start again when there are too many, and addresses keep the number that the analysis knows them by', () => {
  const count = 300_000;
  const packet = Buffer.from(pcap([ethernet(ipv4(tcp()))]).subarray(24));
  const bytes = Buffer.concat([pcap([]), Buffer.alloc(count * packet.length, packet)]);
  for (let n = 0; n < count; n++) bytes.writeUInt32BE(n, 24 + n * packet.length + 16 + 26);
  const numbers = new Set<number>();
  const analysis = { see: (p: { dstIp: number }) => numbers.add(p.dstIp), restart: () => {} };
  let texts: string[] = [];
  let restarts = 0;
  const sources: string[] = [];
  const { how } = detectCapture(bytes, 'x')!;
  const onBatch = ({ additions, columns, count }: Batch) => {
    const { bytes, ends, restarted } = additions.mail_ip!;
    if (restarted) [texts, restarts] = [[], restarts + 1];
    for (const [i, end] of ends.entries())
      texts.push(Buffer.from(bytes.subarray(i > 0 ? ends[i - 1] : 0, end)).toString());
    const ids = columns[7]!.numbers as Int32Array;
    if (count > 0) sources.push(texts[ids[count - 1]! - 1]!);
  };
  const reader = new CaptureReader(how, [1, 2], onBatch, undefined, analysis);
  reader.feed(bytes);
  reader.finish(false);
  expect([restarts, sources[0], sources.at(-1)]).toEqual([1, '0.0.127.255', '0.4.147.223']);
  expect(numbers.size).toBe(1);
});

describe('any bytes, in any chunks', () => {
  const captures = [
    pcap(frames),
    pcap(frames, { big: true, nanoseconds: true }),
    pcap(frames, { modified: true }),
    Buffer.concat([
      ...head,
      ...frames.flatMap((f, n) => {
        const given = 'bytes' in f ? f : { bytes: f };
        return [
          little.enhanced(given, AT + BigInt(n), 'note'),
          little.obsolete(given, AT),
          little.simple(given),
        ];
      }),
      big.section(),
      big.face(1, 9),
      ...frames.map((f) => big.enhanced('bytes' in f ? f : { bytes: f }, AT * 1000n)),
    ]),
  ];

  function damaged(bytes: Buffer, dice: Dice): Buffer {
    const copy = Buffer.from(bytes);
    for (let n = dice.int(0, 12); n > 0; n--) {
      const at = dice.int(24, copy.length - 5);
      if (dice.chance(0.3)) copy.writeUInt32LE(dice.pick([0, 1, 7, 8, 0xffffffff, 0x7fffffff, 0x40000]), at);
      else copy[at] = dice.int(0, 255);
    }
    const cut = dice.chance(0.3) ? dice.int(24, copy.length) : copy.length;
    return copy.subarray(0, cut);
  }

  function batchesOf(bytes: Buffer, chunks: () => number, capacity: number): unknown[] {
    const batches: unknown[] = [];
    const { how } = detectCapture(bytes, 'x')!;
    const reader = new CaptureReader(
      how,
      [1, 2],
      (batch) => {
        const { columns, count, tally } = batch;
        expect(tally.records + Object.values(tally.unread).reduce((a, b) => a + b, 0)).toBe(tally.lines);
        expect(count).toBe(tally.records);
        const filled = columns.map(({ numbers, width, absent }) => [
          Buffer.from(numbers.buffer, 0, count * width).toString('latin1'),
          absent?.subarray(0, count),
        ]);
        batches.push({ ...batch, columns: filled });
      },
      capacity,
    );
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + chunks());
      reader.feed(bytes.subarray(at, end));
      at = end;
    }
    reader.finish(false);
    return batches;
  }

  it.each(captures.map((bytes, n) => [n, bytes] as const))(
    'capture %d gives the same batches',
    (n, bytes) => {
      const dice = new Dice(`captures ${n}`);
      for (let round = 0; round < 60; round++) {
        const given = round === 0 ? bytes : damaged(bytes, dice);
        const whole = batchesOf(given, () => given.length, 1 << 20);
        const most = dice.pick([1, 3, 40, 700, 5000]);
        expect(batchesOf(given, () => dice.int(1, most), 64)).toEqual(whole);
      }
    },
  );

  it('noise behind a header', () => {
    const dice = new Dice('noise');
    for (let round = 0; round < 60; round++) {
      const noise = Buffer.from(
        Array.from({ length: dice.int(0, 4000) }, () => dice.int(0, dice.pick([3, 255]))),
      );
      for (const begin of [pcap([]), Buffer.concat(head)]) {
        const bytes = Buffer.concat([begin, noise]);
        expect(batchesOf(bytes, () => dice.int(1, 300), 64)).toEqual(batchesOf(bytes, () => 4096, 1 << 16));
      }
    }
  });

  it('more packets than a batch holds', () => {
    const bytes = pcap(Array<Buffer>(BATCH_ROWS + 10).fill(ethernet(ipv4(tcp()))));
    const batches: Batch[] = [];
    const reader = new CaptureReader(detectCapture(bytes, 'x')!.how, [1, 2], (b) => batches.push(b));
    reader.feed(bytes);
    reader.finish(false);
    expect(batches.map((b) => [b.count, b.upTo])).toEqual([
      [BATCH_ROWS, 24 + BATCH_ROWS * 70],
      [10, bytes.length],
    ]);
    expect((batches[1]!.columns[0]!.numbers as Uint32Array)[0]).toBe(0);
  });
});
