import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCapture } from '../../../bench/capture-data.js';
import { readCapture } from '../../../test/read-capture.js';
import { differences, hasTshark, tshark } from '../../../test/tshark.js';
import {
  Blocks,
  cooked,
  cooked2,
  ethernet,
  FRAMES,
  hex,
  ipv4,
  ipv6,
  pcap,
  tcp,
} from '../../../test/write-capture.js';
import { detectCapture } from './detect.js';

/** tshark says what is right: of every packet of these captures both must say the same. */

if (!hasTshark)
  console.warn('tshark is not installed: what culprit reads in captures is not compared with it');

const folder = mkdtempSync(join(tmpdir(), 'culprit-capture-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const little = new Blocks(false);
const big = new Blocks(true);
const frames = Object.values(FRAMES);
const ipPackets = [
  ipv4(tcp({ flags: 2, options: '020405b4 030307 00' })),
  ipv6(tcp({ payload: 'abc' })),
  ipv4(tcp({ payload: 'EHLO mail.example.com\r\n' }), { options: '01010100' }),
];
const frame = { bytes: ethernet(ipPackets[0]!) };
const MICROSECONDS = 1_792_000_000_123_456n;

const CAPTURES: Record<string, Buffer> = {
  'little-endian, microseconds': pcap(frames),
  'big-endian, microseconds': pcap(frames, { big: true }),
  'little-endian, nanoseconds': pcap(frames, { nanoseconds: true }),
  'big-endian, nanoseconds': pcap(frames, { big: true, nanoseconds: true }),
  'modified pcap': pcap(frames, { modified: true }),
  'cut at 96 bytes': pcap(
    frames.map((f) => {
      const { bytes, wire } = 'bytes' in f ? f : { bytes: f, wire: f.length };
      return { bytes: bytes.subarray(0, 96), wire: wire ?? bytes.length };
    }),
  ),
  'Linux cooked': pcap(ipPackets.map(cooked), { link: 113 }),
  'Linux cooked v2': pcap(ipPackets.map(cooked2), { link: 276 }),
  'raw IP': pcap(ipPackets, { link: 101 }),
  'raw IP, 12': pcap(ipPackets, { link: 12 }),
  'raw IPv4': pcap(ipPackets.slice(0, 1), { link: 228 }),
  'raw IPv6': pcap(ipPackets.slice(1, 2), { link: 229 }),
  'BSD loopback': pcap(
    [
      Buffer.concat([hex('02000000'), ipPackets[0]!]),
      Buffer.concat([hex('1e000000'), ipPackets[1]!]),
      Buffer.concat([hex('00000002'), ipPackets[0]!]),
    ],
    { link: 0 },
  ),
  'OpenBSD loopback': pcap(
    [Buffer.concat([hex('00000002'), ipPackets[0]!]), Buffer.concat([hex('00000018'), ipPackets[1]!])],
    { link: 108 },
  ),
  PPP: pcap([Buffer.concat([hex('0021'), ipPackets[0]!]), Buffer.concat([hex('ff030057'), ipPackets[1]!])], {
    link: 9,
  }),
  'PPP in HDLC framing': pcap(
    [Buffer.concat([hex('ff030021'), ipPackets[0]!]), Buffer.concat([hex('ff030057'), ipPackets[1]!])],
    { link: 50 },
  ),
  'pcapng with every block': Buffer.concat([
    little.section(),
    little.face(1),
    little.face(113, 9),
    little.face(101, 3, 100),
    little.face(1, 0x94),
    little.block(4, hex('01000f00 c0000201 6d782e6578616d706c6500 00 00000000')),
    little.enhanced(frame, MICROSECONDS, 'a comment'),
    little.enhanced({ bytes: cooked(ipPackets[1]!), face: 1 }, MICROSECONDS * 1000n + 999n),
    little.enhanced({ bytes: ipPackets[2]!, face: 2 }, MICROSECONDS / 1000n),
    little.enhanced({ bytes: frame.bytes, face: 3 }, (MICROSECONDS << 20n) / 1_000_000n),
    little.block(10, hex('4b534c54 03000000 61626300')),
    little.obsolete({ ...frame, wire: 1514 }, MICROSECONDS),
    little.block(5, hex('00000000 00000000 00000000')),
    little.simple(frame),
  ]),
  'pcapng in sections of both byte orders': Buffer.concat([
    little.section(),
    little.face(1),
    little.enhanced(frame, MICROSECONDS),
    big.section(),
    big.face(113),
    big.face(1, 6, -3600),
    big.enhanced({ bytes: cooked(ipPackets[1]!) }, MICROSECONDS),
    big.enhanced({ ...frame, face: 1 }, MICROSECONDS),
    big.obsolete({ ...frame, face: 1 }, MICROSECONDS),
    little.section(),
    little.face(101),
    little.enhanced({ bytes: ipPackets[0]! }, MICROSECONDS),
  ]),
};

describe.skipIf(!hasTshark)('captures are read as tshark reads them', () => {
  function compare(path: string): number {
    const bytes = readFileSync(path);
    const theirs = tshark(path);
    const ours = readCapture(detectCapture(bytes, path)!.how, [bytes]);
    expect(ours.counts).toEqual({});
    expect(ours.packets.length).toBe(theirs.length);
    expect(
      ours.packets.flatMap((packet, n) => differences(packet, theirs[n]!, path.includes('sections'))),
    ).toEqual([]);
    return theirs.length;
  }

  it.each(Object.entries(CAPTURES))('%s', (name, bytes) => {
    const path = join(folder, `${name}.pcap`);
    writeFileSync(path, bytes);
    expect(compare(path)).toBeGreaterThan(0);
  });

  it('thousands of packets of SMTP', async () => {
    const path = join(folder, 'many.pcap');
    const { packets } = await makeCapture(path, 5000);
    expect(compare(path)).toBe(packets);
  });
});
