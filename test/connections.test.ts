import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveCaptures, packetsOf } from '../src/store/capture.js';
import type { Case, Row } from '../src/store/case.js';
import { captureCase } from './capture-case.js';
import { canCapture, kernelCapture, reusedPorts, stoppedReader, transfer } from './kernel-capture.js';

const folder = mkdtempSync(join(tmpdir(), 'culprit-connections-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!canCapture)('connections of captures', () => {
  const files = ['deaf', 'stopped', 'reused'].map((name) => join(folder, `${name}.pcap`)) as [
    string,
    string,
    string,
  ];
  let store: Case;
  beforeAll(async () => {
    // From 60 kB on, the sender gets no ACK any more: they are dropped after they were captured.
    kernelCapture(files[0], {
      incoming: ['tcp sport 2525 ct original bytes > 60000 tcp flags & (syn|fin|rst) == 0 drop'],
      talk: transfer(200_000, 1, 4000),
    });
    kernelCapture(files[1], { talk: stoppedReader });
    kernelCapture(files[2], { talk: reusedPorts });
    store = await captureCase(files);
    await deriveCaptures(store);
  });
  afterAll(() => store.close());
  const of = (path: string) =>
    store.rows<Row & Record<string, number>>(
      'SELECT * FROM connections WHERE source = $1 ORDER BY connection',
      [path],
    );

  it('show where a sender stands still that gets no ACKs', async () => {
    const [deaf] = await of(files[0]);
    expect(deaf).toMatchObject({
      connection: 1,
      originator_ip: '127.0.0.1',
      responder_port: 2525,
      syn_line: 1,
      syn_ack_line: 2,
      third_line: 3,
      fast_open: 'none',
      originator_sack: true,
      responder_timestamps: true,
      reply_before_third_line: null,
    });
    expect(deaf!.history).toMatch(/^ShA[dD]/);
    expect(deaf!.originator_resent_after_ack).toBeGreaterThan(2);
    // What the receiver acknowledged again and again lies beyond what the sender keeps sending.
    expect(Number(deaf!.responder_repeated_ack)).toBeGreaterThan(Number(deaf!.originator_resent_seq));
    expect(deaf!.originator_resent_times).toBeGreaterThan(1);
    expect(Number(deaf!.originator_bytes)).toBeGreaterThan(Number(deaf!.originator_acked));
  });

  it('show how long a window was closed, and that all bytes arrived in the end', async () => {
    const [stopped] = await of(files[1]);
    expect(Number(stopped!.responder_zero_window_us)).toBeGreaterThan(2e6);
    expect(Number(stopped!.responder_zero_window_us)).toBeLessThan(4e6);
    expect(stopped).toMatchObject({ originator_unacked: 0n, originator_sent: BigInt(2 ** 20 + 2) });
    expect(Number(stopped!.originator_window_full)).toBeGreaterThan(0);
    expect(stopped!.originator_largest_unacked).toBeNull();
  });

  it('are told apart on the same ports, and by who ended them', async () => {
    const reused = await of(files[2]);
    expect(reused.map((c) => [c.ended, c.originator_port, c.history])).toEqual(
      Array.from({ length: 3 }, () => [
        ['reset by originator', 40_000, expect.stringMatching(/^ShAda?Da?R/)],
        ['refused', 40_001, 'Sr'],
      ]).flat(),
    );
  });

  it('account for every packet and byte', async () => {
    for (const connection of await of(files[0])) {
      const packets = await packetsOf(store, Number(connection.source_id), Number(connection.connection));
      const sums = [0, 0];
      for (const { from_responder, payload_bytes } of packets) sums[from_responder]! += payload_bytes;
      expect(sums).toEqual([Number(connection.originator_bytes), Number(connection.responder_bytes)]);
      expect(packets[0]).toMatchObject({ line: 1, seq: 0, seq_end: 1, ack: null, from_responder: 0 });
      expect(packets[2]).toMatchObject({ line: 3, seq: 1, ack: 1 });
      expect(Math.max(...packets.filter((p) => !p.from_responder).map((p) => p.seq_end))).toBe(
        Number(connection.originator_sent),
      );
    }
  });

  it('are the same when they are made again', async () => {
    const before = await store.rows('SELECT * FROM connections ORDER BY source, connection');
    await deriveCaptures(store);
    expect(await store.rows('SELECT * FROM connections ORDER BY source, connection')).toEqual(before);
  });

  it('have packets that say what they are', async () => {
    const rows = await store.rows(
      "SELECT flags, analysis FROM packets WHERE source = $1 AND (line < 4 OR contains(analysis, 'resent after ack')) ORDER BY line",
      [files[0]],
    );
    expect(rows.slice(0, 3)).toEqual([
      { flags: 'SYN', analysis: 'opens' },
      { flags: 'SYN ACK', analysis: '' },
      { flags: 'ACK', analysis: '' },
    ]);
    expect(rows.slice(3).map((row) => row.analysis)).toContain('spurious retransmission resent after ack');
  });
});
