/**
 * The capture the programs are timed on: a mail server's port 25, seeded, as `tcpdump -s 192` writes it.
 *
 * Up to 64 SMTP conversations at a time with some hundreds of providers' hosts, in and out, a quarter on IPv6: the
 * handshake with the usual options, at times with Fast Open; the dialogue in clear up to STARTTLS, then records; the
 * message in full segments, acknowledged every second one; two segments in a hundred are lost and sent again after
 * duplicate ACKs with SACK. About 130 bytes a packet.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Dice } from '../lab/dice.js';

const SNAPLEN = 192;
const LIVE = 64;
const MSS = 1448;
/** 1 November 2026, in microseconds. */
const BEGIN = Date.UTC(2026, 10, 1) * 1000;
const Flag = { fin: 1, syn: 2, psh: 8, ack: 16 } as const;

const DIALOGUE: [fromServer: boolean, text: string][] = [
  [true, '220 mx.example.net ESMTP ready\r\n'],
  [false, 'EHLO mail.example.com\r\n'],
  [true, '250-mx.example.net\r\n250-SIZE 52428800\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 CHUNKING\r\n'],
  [false, 'MAIL FROM:<a@example.com> SIZE=18112\r\nRCPT TO:<b@example.net>\r\nDATA\r\n'],
  [true, '250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n'],
];

/** Writes a pcap of about `packets` packets (never fewer); returns how many, and the bytes of the file. */
export async function makeCapture(
  path: string,
  packets: number,
): Promise<{ packets: number; bytes: number }> {
  const dice = new Dice('capture');
  const file = createWriteStream(path);
  let bytes = 24;
  let written = 0;
  let now = BEGIN;
  file.write(fileHeader());
  const live: Frames[] = [];
  let block: Buffer[] = [];
  while (written < packets || live.length > 0) {
    if (written < packets && live.length < LIVE && (live.length === 0 || dice.chance(0.1)))
      live.push(conversation(dice));
    const at = dice.int(0, live.length - 1);
    const frames = live[at]!;
    now += dice.int(5, 900);
    const frame = frames[frames.sent++]!;
    if (frames.sent === frames.length) live.splice(at, 1);
    block.push(record(frame, now));
    written++;
    bytes += 16 + Math.min(frame.length, SNAPLEN);
    if (block.length === 4096) {
      if (!file.write(Buffer.concat(block))) await once(file, 'drain');
      block = [];
    }
  }
  file.end(Buffer.concat(block));
  await finished(file);
  return { packets: written, bytes };
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAPLEN, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

function record(frame: Buffer, at: number): Buffer {
  const kept = frame.subarray(0, SNAPLEN);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(at / 1e6), 0);
  header.writeUInt32LE(at % 1e6, 4);
  header.writeUInt32LE(kept.length, 8);
  header.writeUInt32LE(frame.length, 12);
  return Buffer.concat([header, kept]);
}

/** The frames of one conversation, in the order in which they pass, and how many of them have. */
type Frames = Buffer[] & { sent: number };

interface Side {
  address: Buffer;
  port: number;
  seq: number;
  clock: number;
}

/** Two sides of one conversation, and the frames between them. */
class Wire {
  readonly frames: Frames = Object.assign([], { sent: 0 });
  private id: number;

  constructor(
    private readonly client: Side,
    private readonly server: Side,
    id: number,
  ) {
    this.id = id;
  }

  /** Sends a segment, which the other side has at once. */
  send(
    fromServer: boolean,
    flags: number,
    payload: Buffer,
    options: number[] = [],
    sack?: [number, number],
  ): void {
    const [from, to] = fromServer ? [this.server, this.client] : [this.client, this.server];
    this.put(from, to, from.seq, flags, payload, options, sack);
    from.seq = (from.seq + payload.length + (flags & (Flag.syn | Flag.fin) ? 1 : 0)) >>> 0;
  }

  /** Sends again what was sent from `seq` on. */
  again(fromServer: boolean, seq: number, payload: Buffer): void {
    const [from, to] = fromServer ? [this.server, this.client] : [this.client, this.server];
    this.put(from, to, seq, Flag.ack, payload, []);
  }

  /** Acknowledges up to `ack`, which is not all that came. */
  duplicate(fromServer: boolean, ack: number, sack: [number, number]): void {
    const [from, to] = fromServer ? [this.server, this.client] : [this.client, this.server];
    const right = to.seq;
    to.seq = ack;
    this.put(from, to, from.seq, Flag.ack, Buffer.alloc(0), [], sack);
    to.seq = right;
  }

  private put(
    from: Side,
    to: Side,
    seq: number,
    flags: number,
    payload: Buffer,
    more: number[],
    sack?: [number, number],
  ): void {
    from.clock = (from.clock + 7) >>> 0;
    const stamps = [...u32(from.clock), ...(flags === Flag.syn ? u32(0) : u32(to.clock))];
    const options = [...more, 1, 1, 8, 10, ...stamps];
    if (sack) options.push(1, 1, 5, 10, ...u32(sack[0]), ...u32(sack[1]));
    while (options.length % 4 !== 0) options.push(1);
    const tcp = Buffer.alloc(20 + options.length);
    tcp.writeUInt16BE(from.port, 0);
    tcp.writeUInt16BE(to.port, 2);
    tcp.writeUInt32BE(seq, 4);
    tcp.writeUInt32BE(flags === Flag.syn ? 0 : to.seq, 8);
    tcp[12] = (tcp.length / 4) << 4;
    tcp[13] = flags;
    tcp.writeUInt16BE(flags & Flag.syn ? 64_240 : 502, 14);
    tcp.set(options, 20);
    const length = tcp.length + payload.length;
    const ip = from.address.length === 4 ? this.ipv4(from, to, length) : ipv6(from, to, length);
    this.frames.push(Buffer.concat([ip, tcp, payload]));
  }

  private ipv4(from: Side, to: Side, length: number): Buffer {
    const header = Buffer.alloc(34, MACS);
    header.writeUInt16BE(0x0800, 12);
    header.writeUInt16BE(0x4500, 14);
    header.writeUInt16BE(20 + length, 16);
    header.writeUInt16BE(this.id, 18);
    this.id = (this.id + 1) & 0xffff;
    header.writeUInt16BE(0x4000, 20);
    header.writeUInt16BE(0x4006, 22);
    header.writeUInt16BE(0, 24);
    header.set(from.address, 26);
    header.set(to.address, 30);
    return header;
  }
}

const MACS = Buffer.from('02000000000102000000000200', 'hex');

function ipv6(from: Side, to: Side, length: number): Buffer {
  const header = Buffer.alloc(54, MACS);
  header.writeUInt16BE(0x86dd, 12);
  header.writeUInt32BE(0x60000000, 14);
  header.writeUInt16BE(length, 18);
  header.writeUInt16BE(0x0640, 20);
  header.set(from.address, 22);
  header.set(to.address, 38);
  return header;
}

const u32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

function sides(dice: Dice): [Side, Side] {
  const six = dice.chance(0.25);
  const host = dice.int(0, 700);
  const here = six ? Buffer.from('20010db8000000010000000000000019', 'hex') : Buffer.from([203, 0, 113, 25]);
  const there = six
    ? Buffer.concat([Buffer.from('20010db8001000000000000000', 'hex'), Buffer.from(u32(host).slice(1))])
    : Buffer.from([198, 18 + (host & 1), host >> 8, host & 255]);
  const side = (address: Buffer, port: number) => ({
    address,
    port,
    seq: dice.int(0, 0xffffffff),
    clock: dice.int(1, 0xffffffff),
  });
  const port = dice.int(32_768, 60_999);
  return dice.chance(0.6) ? [side(here, port), side(there, 25)] : [side(there, port), side(here, 25)];
}

function conversation(dice: Dice): Frames {
  const [client, server] = sides(dice);
  const wire = new Wire(client, server, dice.int(0, 0xffff));
  const none = Buffer.alloc(0);
  const syn = [2, 4, 0x05, 0xb4, 4, 2, 3, 3, 7];
  const fastOpen = dice.chance(0.2) ? [34, 10, ...u32(dice.int(0, 0xffffffff)), ...u32(7)] : [];
  wire.send(false, Flag.syn, none, [...syn, ...fastOpen]);
  wire.send(true, Flag.syn | Flag.ack, none, syn);
  wire.send(false, Flag.ack, none);
  for (const [fromServer, text] of DIALOGUE) {
    wire.send(fromServer, Flag.psh | Flag.ack, Buffer.from(text, 'latin1'));
    wire.send(!fromServer, Flag.ack, none);
  }
  message(dice, wire, client);
  for (const [fromServer, text] of [
    [true, '250 2.0.0 Ok: queued\r\n'],
    [false, 'QUIT\r\n'],
    [true, '221 2.0.0 Bye\r\n'],
  ] as const)
    wire.send(fromServer, Flag.psh | Flag.ack, Buffer.from(text, 'latin1'));
  wire.send(true, Flag.fin | Flag.ack, none);
  wire.send(false, Flag.fin | Flag.ack, none);
  wire.send(true, Flag.ack, none);
  return wire.frames;
}

/** The message: full segments, an ACK for every second one; what is lost is asked for three times and comes again. */
function message(dice: Dice, wire: Wire, client: Side): void {
  const none = Buffer.alloc(0);
  const segments = Math.ceil(dice.lognormal(9, 0.9));
  for (let n = 0; n < segments; n++) {
    const last = n === segments - 1;
    const payload = Buffer.alloc(last ? dice.int(5, MSS) : MSS, 65 + (n % 26));
    if (last) payload.write('\r\n.\r\n', payload.length - 5);
    const { seq } = client;
    if (!last && dice.chance(0.02)) {
      client.seq = (seq + payload.length) >>> 0;
      for (let copy = 0; copy < 3; copy++) {
        wire.send(false, Flag.ack, Buffer.alloc(MSS, 97));
        wire.duplicate(true, seq, [(seq + payload.length) >>> 0, client.seq]);
      }
      wire.again(false, seq, payload);
      wire.send(true, Flag.ack, none);
    } else {
      wire.send(false, last ? Flag.psh | Flag.ack : Flag.ack, payload);
      if (last || n % 2 === 1) wire.send(true, Flag.ack, none);
    }
  }
}
