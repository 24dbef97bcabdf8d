import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectionQuery } from '../src/cli/why-connection.js';
import type { ConnectionStory, FoundConnection } from '../src/findings/connection-story.js';
import { culprit, scratch } from './culprit.js';

const folder = scratch();
const state = join(folder, 'state');

const CLIENT = 'fd800000000000000000000000000002';
const SERVER = 'fd800000000000000000000000000001';

/** An Ethernet frame with TCP over IPv6 (RFC 8200, RFC 9293), as a record of a pcap file. */
function record(
  at: number,
  fromServer: boolean,
  client: number,
  fields: { flags: number; seq: number; ack?: number; options?: string; payload?: string; window?: number },
): Buffer {
  const options = Buffer.from(fields.options ?? '', 'hex');
  const payload = Buffer.from(fields.payload ?? '');
  const tcp = Buffer.alloc(20);
  const ports = fromServer ? [25, client] : [client, 25];
  tcp.writeUInt16BE(ports[0]!, 0);
  tcp.writeUInt16BE(ports[1]!, 2);
  tcp.writeUInt32BE(fields.seq, 4);
  tcp.writeUInt32BE(fields.ack ?? 0, 8);
  tcp[12] = ((20 + options.length) / 4) << 4;
  tcp[13] = fields.flags;
  tcp.writeUInt16BE(fields.window ?? 500, 14);
  const segment = Buffer.concat([tcp, options, payload]);
  const ip = Buffer.alloc(8);
  ip[0] = 0x60;
  ip.writeUInt16BE(segment.length, 4);
  ip[6] = 6;
  ip[7] = 64;
  const ends = Buffer.from(fromServer ? SERVER + CLIENT : CLIENT + SERVER, 'hex');
  const frame = Buffer.concat([Buffer.alloc(12), Buffer.from('86dd', 'hex'), ip, ends, segment]);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(1_700_000_000 + Math.floor(at), 0);
  head.writeUInt32LE(Math.round((at % 1) * 1e6), 4);
  head.writeUInt32LE(frame.length, 8);
  head.writeUInt32LE(frame.length, 12);
  return Buffer.concat([head, frame]);
}

/** MSS 1440, window scale 7, SACK permitted. */
const OPTIONS = '020405a001030307' + '01010402';
const [FIN, SYN, PSH, ACK] = [1, 2, 8, 16];

/** One that greets and then repeats a message that is never acknowledged, and one on other ports that is well. */
function capture(): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(1, 20);
  const mail = { flags: PSH | ACK, seq: 113, ack: 213, payload: 'x'.repeat(1000) };
  return Buffer.concat([
    head,
    record(0, false, 40_112, { flags: SYN, seq: 100, options: OPTIONS }),
    record(0.02, true, 40_112, { flags: SYN | ACK, seq: 200, ack: 101, options: OPTIONS }),
    record(0.021, false, 40_112, { flags: ACK, seq: 101, ack: 201 }),
    record(0.03, true, 40_112, { flags: PSH | ACK, seq: 201, ack: 101, payload: '220 mx ESMTP' }),
    record(0.04, false, 40_112, { flags: PSH | ACK, seq: 101, ack: 213, payload: 'EHLO client' + '\n' }),
    record(0.06, true, 40_112, { flags: ACK, seq: 213, ack: 113 }),
    record(0.07, false, 40_112, mail),
    record(1.07, false, 40_112, mail),
    record(4.07, false, 40_112, mail),
    record(5, false, 40_114, { flags: SYN, seq: 1, options: OPTIONS }),
    record(5.02, true, 40_114, { flags: SYN | ACK, seq: 1, ack: 2, options: OPTIONS }),
    record(5.03, false, 40_114, { flags: FIN | ACK, seq: 2, ack: 2 }),
    record(5.05, true, 40_114, { flags: FIN | ACK, seq: 2, ack: 3 }),
    record(5.06, false, 40_114, { flags: ACK, seq: 3, ack: 3 }),
  ]);
}

const why = (...args: string[]) => culprit(['why', 'connection', ...args], { state });

beforeAll(async () => {
  const path = join(folder, 'smtp.pcap');
  writeFileSync(path, capture());
  await culprit([path], { state });
});

describe('why connection', () => {
  it('tells one by an end, by both ends in any order, and by a packet', async () => {
    const one = await why('[fd80::2]:40112');
    expect(one).toMatchObject({ status: 0, stderr: '' });
    for (const part of [
      '[fd80::2]:40112 → [fd80::1]:25  stalled for 4 s',
      'SYN: MSS 1,440, window scale 7 (×128), SACK, no timestamps',
      'round trip 20 ms from the capture to the server, 1 ms to the client',
      'the server greets (220)  server 12 bytes',
      '1,000 bytes were on the way then without an ACK',
      '2 segments of the client (2,000 bytes) sent again after a time without an ACK',
      'smtp.pcap: packet 8, 9',
    ])
      expect(one.stdout).toContain(part);
    for (const same of [
      ['[FD80:0::1]:25-[fd80::2]:40112'],
      ['--packet', '9'],
      ['9'],
      ['9', '--capture', 'smtp.pcap'],
    ])
      expect((await why(...same)).stdout).toBe(one.stdout);
    expect((await why('[fd80::2]:40114')).stdout).toContain('closed by both');
  });

  it('lists several and tells none of them', async () => {
    const run = await why('[fd80::1]:25');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('error: 2 connections fit');
    expect(run.stdout).toContain('[fd80::2]:40112');
    const { total, matches } = JSON.parse((await why('[fd80::1]:25', '--json')).stdout) as {
      total: number;
      matches: FoundConnection[];
    };
    expect([total, matches.map((m) => m.firstPacket)]).toEqual([2, [1, 10]]);
  });

  it('prints JSON, and writes the SVG without harming another file', async () => {
    const svg = join(folder, 'out.svg');
    const run = await why('9', '--json', '--svg', svg);
    const story = JSON.parse(run.stdout) as ConnectionStory & { version: number };
    expect(story).toMatchObject({
      version: 1,
      outcome: 'stalled',
      packets: 9,
      beganAt: '2023-11-14T22:13:20.000000Z',
    });
    expect(story.phases.map((p) => p.phase)).toEqual(['handshake', 'greeting', 'hello']);
    expect(story.drawing.points.filter((p) => p.kind === 'retransmission').map((p) => p.packet)).toEqual([
      8, 9,
    ]);
    expect(readFileSync(svg, 'utf8')).toContain('<title>packet 8: sent again, bytes 13 to 1,013</title>');
    expect((await why('9', '--svg', svg)).status).toBe(0);
    const pcap = join(folder, 'smtp.pcap');
    const before = readFileSync(pcap);
    const refused = await why('9', '--svg', pcap);
    expect([refused.status, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('this file is not overwritten');
    expect(readFileSync(pcap).equals(before)).toBe(true);
    expect((await why('9', '--svg', join(folder, 'none', 'x.svg'))).stderr).toContain('could not be written');
  });

  it('says what is wrong with the question', async () => {
    for (const [args, says] of [
      [[], 'which connection?'],
      [['--packet', '99'], 'no such connection'],
      [['10.0.0.1:25'], 'no such connection'],
      [['9', '--capture', 'other'], 'no such connection'],
      [['10.0.0.1:70000'], 'this is no connection'],
    ] as [string[], string][]) {
      const run = await why(...args);
      expect({ args, status: run.status, stdout: run.stdout }).toEqual({ args, status: 2, stdout: '' });
      expect(run.stderr).toContain(says);
    }
  });

  it('reads ends and packets', () => {
    expect(connectionQuery('10.0.0.2:40112-192.0.2.25:25', {})).toEqual({
      ends: [
        { ip: '10.0.0.2', port: 40_112 },
        { ip: '192.0.2.25', port: 25 },
      ],
    });
    expect(connectionQuery('[2001:DB8:0:0::1]:25', {})).toEqual({ ends: [{ ip: '2001:db8::1', port: 25 }] });
    expect(connectionQuery('fd80::1:25', {})).toEqual({ ends: [{ ip: 'fd80::1:25' }] });
    expect(connectionQuery('705', { capture: 'a' })).toEqual({ packet: 705, capture: 'a' });
    for (const wrong of [
      'x',
      '1.2.3:5',
      '300.1.1.1:25',
      '[::g]:25',
      '1.1.1.1:2-3.3.3.3:4-5',
      "1.1.1.1'",
      '0',
      '-1',
    ])
      expect(() => connectionQuery(wrong, {})).toThrow(/no connection/);
  });
});
