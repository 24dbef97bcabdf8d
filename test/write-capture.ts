/** Captures written for tests: headers from numbers, records from frames. Nothing is corrected: lies are kept. */

type Bytes = Uint8Array;

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const join = (...parts: Bytes[]): Buffer => Buffer.concat(parts);
const be16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255]);
const be32 = (value: number) =>
  Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const le = (bytes: Buffer) => Buffer.from(bytes).reverse();

export interface Tcp {
  from?: number;
  to?: number;
  seq?: number;
  ack?: number;
  flags?: number;
  window?: number;
  options?: string;
  payload?: Bytes | string;
  /** In bytes, instead of the true one. */
  header?: number;
}

export function tcp(t: Tcp = {}): Buffer {
  const options = hex(t.options ?? '');
  const padded = join(options, Buffer.alloc((4 - (options.length % 4)) % 4));
  const header = t.header ?? 20 + padded.length;
  const payload = typeof t.payload === 'string' ? Buffer.from(t.payload) : (t.payload ?? Buffer.alloc(0));
  return join(
    be16(t.from ?? 40_000),
    be16(t.to ?? 25),
    be32(t.seq ?? 1),
    be32(t.ack ?? 0),
    Buffer.from([(header / 4) << 4, t.flags ?? 16]),
    be16(t.window ?? 502),
    be32(0),
    padded,
    payload,
  );
}

const udp = (from: number, to: number, payload: Bytes): Buffer =>
  join(be16(from), be16(to), be16(8 + payload.length), be16(0), payload);

export interface Ipv4 {
  from?: string;
  to?: string;
  protocol?: number;
  /** Flags and fragment offset, as in the header. */
  fragment?: number;
  /** Multiple of four bytes. */
  options?: string;
  /** Instead of the true one. */
  total?: number;
}

const quad = (text: string) => Buffer.from(text.split('.').map(Number));

export function ipv4(payload: Bytes, i: Ipv4 = {}): Buffer {
  const options = hex(i.options ?? '');
  const header = 20 + options.length;
  return join(
    Buffer.from([0x40 | (header / 4), 0]),
    be16(i.total ?? header + payload.length),
    be16(7),
    be16(i.fragment ?? 0x4000),
    Buffer.from([61, i.protocol ?? 6]),
    be16(0),
    quad(i.from ?? '192.0.2.1'),
    quad(i.to ?? '198.51.100.25'),
    options,
    payload,
  );
}

export interface Ipv6 {
  /** 32 hexadecimal digits. */
  from?: string;
  to?: string;
  next?: number;
  /** Instead of the true one. */
  length?: number;
}

export function ipv6(payload: Bytes, i: Ipv6 = {}): Buffer {
  return join(
    be32(0x60000000),
    be16(i.length ?? payload.length),
    Buffer.from([i.next ?? 6, 57]),
    hex(i.from ?? '20010db8000000000000000000000001'),
    hex(i.to ?? '20010db8001000000000000000000019'),
    payload,
  );
}

const MACS = '0200 0000 0002 0200 0000 0001';
export const ethernet = (
  payload: Bytes,
  type = payload[0]! >> 4 === 6 ? '86dd' : '0800',
  tags = '',
): Buffer => join(hex(MACS + tags + type), payload);
export const cooked = (payload: Bytes): Buffer =>
  join(hex(`0000 0001 0006 020000000001 0000 ${payload[0]! >> 4 === 6 ? '86dd' : '0800'}`), payload);
export const cooked2 = (payload: Bytes): Buffer =>
  join(
    hex(`${payload[0]! >> 4 === 6 ? '86dd' : '0800'} 0000 00000003 0001 04 06 020000000001 0000`),
    payload,
  );

export interface Frame {
  bytes: Bytes;
  /** On the wire, where it is more than was captured. */
  wire?: number;
  /** Microseconds since the capture’s begin. */
  at?: number;
  /** Number of its interface. */
  face?: number;
}

const BEGIN = 1_792_000_000;

export interface PcapKind {
  big?: boolean;
  nanoseconds?: boolean;
  modified?: boolean;
  link?: number;
  snaplen?: number;
}

export function pcap(frames: readonly (Bytes | Frame)[], kind: PcapKind = {}): Buffer {
  const order = kind.big ? (bytes: Buffer) => bytes : le;
  const magic = kind.modified ? 0xa1b2cd34 : kind.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const u32 = (value: number) => order(be32(value));
  const parts = [
    u32(magic),
    order(be16(2)),
    order(be16(4)),
    u32(0),
    u32(0),
    u32(kind.snaplen ?? 262_144),
    u32(kind.link ?? 1),
  ];
  for (const [n, given] of frames.entries()) {
    const { bytes, wire, at } = frameOf(given);
    const time = at ?? n * 1_000_500;
    const fraction = kind.nanoseconds ? (time % 1e6) * 1000 + 999 : time % 1e6;
    parts.push(
      u32(BEGIN + Math.floor(time / 1e6)),
      u32(fraction),
      u32(bytes.length),
      u32(wire ?? bytes.length),
    );
    if (kind.modified) parts.push(u32(2), Buffer.alloc(4));
    parts.push(Buffer.from(bytes));
  }
  return Buffer.concat(parts);
}

const frameOf = (given: Bytes | Frame): Frame => ('bytes' in given ? given : { bytes: given });

/** pcapng blocks in one byte order. */
export class Blocks {
  private readonly order: (bytes: Buffer) => Buffer;

  constructor(big: boolean) {
    this.order = big ? (bytes) => bytes : le;
  }

  u16 = (value: number): Buffer => this.order(be16(value));
  u32 = (value: number): Buffer => this.order(be32(value));

  block(type: number, body: Bytes, said?: number): Buffer {
    const padded = join(body, Buffer.alloc((4 - (body.length % 4)) % 4));
    const length = this.u32(said ?? padded.length + 12);
    return join(this.u32(type), length, padded, length);
  }

  option(code: number, value: Bytes): Buffer {
    return join(this.u16(code), this.u16(value.length), value, Buffer.alloc((4 - (value.length % 4)) % 4));
  }

  section(): Buffer {
    const length = Buffer.alloc(8, 255);
    return this.block(
      0x0a0d0d0a,
      join(
        this.u32(0x1a2b3c4d),
        this.u16(1),
        this.u16(0),
        length,
        this.option(4, hex('61')),
        this.option(0, hex('')),
      ),
    );
  }

  /** @param resolution  if_tsresol; undefined: not said */
  face(link: number, resolution?: number, offset?: number, snaplen = 262_144): Buffer {
    const parts = [this.u16(link), this.u16(0), this.u32(snaplen), this.option(2, Buffer.from('eth0'))];
    if (resolution !== undefined) parts.push(this.option(9, Buffer.from([resolution])));
    if (offset !== undefined)
      parts.push(this.option(14, this.order(join(be32(offset < 0 ? -1 : 0), be32(offset)))));
    return this.block(1, join(...parts, this.option(0, hex(''))));
  }

  /** @param ticks  since 1970, in units of the interface */
  enhanced(frame: Frame, ticks: bigint, comment = ''): Buffer {
    const { bytes, wire, face } = frame;
    const options = comment ? join(this.option(1, Buffer.from(comment)), this.option(0, hex(''))) : hex('');
    const padding = Buffer.alloc((4 - (bytes.length % 4)) % 4);
    return this.block(
      6,
      join(this.u32(face ?? 0), ...this.packet(frame, ticks, wire), bytes, padding, options),
    );
  }

  obsolete(frame: Frame, ticks: bigint): Buffer {
    const { bytes, wire, face } = frame;
    return this.block(
      2,
      join(this.u16(face ?? 0), this.u16(0xffff), ...this.packet(frame, ticks, wire), bytes),
    );
  }

  simple(frame: Frame): Buffer {
    return this.block(3, join(this.u32(frame.wire ?? frame.bytes.length), frame.bytes));
  }

  private packet({ bytes }: Frame, ticks: bigint, wire = bytes.length): Buffer[] {
    const [high, low] = [Number(ticks >> 32n), Number(ticks & 0xffffffffn)];
    return [this.u32(high), this.u32(low), this.u32(bytes.length), this.u32(wire)];
  }
}

/** Frames that show all that is read of a packet, on Ethernet. */
export const FRAMES: Record<string, Bytes | Frame> = {
  syn: ethernet(ipv4(tcp({ flags: 2, options: '020405b4 0402 080a00bc614e00000000 01 030307' }))),
  'SYN with Fast Open request': ethernet(ipv4(tcp({ flags: 2, options: '020405b4 2202 0000' }))),
  'SYN with Fast Open cookie': ethernet(
    ipv4(tcp({ flags: 2, options: '020405b4 220a0102030405060708 0101', payload: 'EHLO a\r\n' })),
  ),
  'SYN with experimental Fast Open request': ethernet(ipv4(tcp({ flags: 2, options: 'fe04f989' }))),
  'SYN with experimental Fast Open cookie': ethernet(
    ipv4(tcp({ flags: 2, options: 'fe0cf9890102030405060708' })),
  ),
  'another experiment': ethernet(ipv4(tcp({ flags: 2, options: 'fe041234' }))),
  'SYN with MPTCP': ethernet(ipv4(tcp({ flags: 2, options: '1e0c0081 0102030405060708' }))),
  'all flags': ethernet(ipv4(tcp({ flags: 255, seq: 0xffffffff, ack: 0xfffffffe, window: 0xffff }))),
  'one SACK block': ethernet(ipv4(tcp({ options: '0101 080a0000000100000002 0101 050a 80000000 ffffffff' }))),
  'three SACK blocks': ethernet(
    ipv4(
      tcp({
        options: '0101 080affffffff00000002 0101 051a 00000001 00000002 00000005 00000009 7fffffff 80000001',
      }),
    ),
  ),
  'four SACK blocks': ethernet(
    ipv4(
      tcp({ options: '0101 0522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008' }),
    ),
  ),
  'window scale of 14 and none': ethernet(ipv4(tcp({ flags: 18, options: '03030e 00' }))),
  payload: ethernet(ipv4(tcp({ payload: '220 mx.example.com ESMTP\r\n' }))),
  'padded ACK': ethernet(Buffer.concat([ipv4(tcp()), Buffer.alloc(6)])),
  'snapped in the payload': {
    bytes: ethernet(ipv4(tcp({ payload: Buffer.alloc(40) }), { total: 1500 })),
    wire: 1514,
  },
  'super-segment without a length': {
    bytes: ethernet(ipv4(tcp({ payload: Buffer.alloc(40) }), { total: 0 })),
    wire: 20_054,
  },
  'IPv4 options': ethernet(ipv4(tcp({ payload: 'a' }), { options: '94040000 01010100' })),
  'first fragment': ethernet(ipv4(tcp({ payload: 'abcd' }), { fragment: 0x2000 })),
  'later fragment': ethernet(ipv4(tcp({ payload: 'abcd' }), { fragment: 0x2003 })),
  'last fragment': ethernet(ipv4(tcp({ payload: 'abcd' }), { fragment: 0x0006 })),
  IPv6: ethernet(ipv6(tcp({ payload: 'abc' }))),
  'IPv6, hop-by-hop and destination options': ethernet(
    ipv6(Buffer.concat([hex('3c00 0502 0000 0100 0600 0104 00000000'), tcp({ payload: 'a' })]), { next: 0 }),
  ),
  'IPv6, segment routing': ethernet(
    ipv6(Buffer.concat([hex('0602 0400 0000 0000 20010db8001000000000000000000019'), tcp()]), { next: 43 }),
  ),
  'IPv6, first fragment': ethernet(
    ipv6(Buffer.concat([hex('0600 0001 00000007'), tcp({ payload: 'a' })]), { next: 44 }),
  ),
  'IPv6, later fragment': ethernet(
    ipv6(Buffer.concat([hex('0600 0041 00000007'), tcp({ payload: 'a' })]), { next: 44 }),
  ),
  'IPv6, authentication header': ethernet(
    ipv6(Buffer.concat([hex('0604 0000 00000001 00000001 000000000000000000000000'), tcp()]), { next: 51 }),
  ),
  'IPv4-mapped IPv6': ethernet(
    ipv6(tcp(), { from: '00000000000000000000ffffc0000201', to: `${'0'.repeat(31)}1` }),
  ),
  'IPv6 of two runs of zeros': ethernet(
    ipv6(tcp(), { from: '20010db8000000000001000000000001', to: '0'.repeat(32) }),
  ),
  'IPv6 without zeros': ethernet(
    ipv6(tcp(), { from: 'fedcba98765432100123456789abcdef', to: '00010002000300040005000600070000' }),
  ),
  'IPv6 with one group of zeros': ethernet(
    ipv6(tcp(), { from: '20010db80000000100010001000100ff', to: 'ff020000000000000000000000000000' }),
  ),
  VLAN: ethernet(ipv4(tcp()), '0800', '8100 0064'),
  QinQ: ethernet(ipv6(tcp()), '86dd', '88a8 0064 8100 00c8'),
  UDP: ethernet(ipv4(udp(53, 40_001, hex('00018180 0000 0000 0000 0000')), { protocol: 17 })),
  'fragmentation needed': ethernet(
    ipv4(Buffer.concat([hex('0304 0000 0000 05dc'), ipv4(tcp()).subarray(0, 28)]), { protocol: 1 }),
  ),
  'host unreachable': ethernet(
    ipv4(Buffer.concat([hex('0301 0000 0000 0000'), ipv4(tcp()).subarray(0, 28)]), { protocol: 1 }),
  ),
  'packet too big': ethernet(ipv6(Buffer.concat([hex('0200 0000 00000500'), ipv6(tcp())]), { next: 58 })),
  'neighbour solicitation': ethernet(
    ipv6(hex('8700 0000 00000000 20010db8001000000000000000000019'), { next: 58 }),
  ),
  '6in4': ethernet(ipv4(ipv6(tcp({ payload: 'abc' })), { protocol: 41 })),
  'IPv4 in IPv4': ethernet(
    ipv4(ipv4(tcp({ payload: 'abc' }), { from: '10.0.0.1', to: '10.0.0.2' }), { protocol: 4 }),
  ),
  GRE: ethernet(
    ipv4(Buffer.concat([hex('2000 0800 00000007'), ipv4(tcp({ payload: 'a' }), { from: '10.0.0.1' })]), {
      protocol: 47,
    }),
  ),
  ARP: ethernet(hex('0001 0800 0604 0001 020000000001 c0000201 000000000000 c0000202'), '0806'),
};
