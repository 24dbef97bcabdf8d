import type { Batch } from '../src/formats/bulk.js';
import { PACKET_FACTS } from '../src/formats/capture/columns.js';
import { type CaptureHow, CaptureReader, type PacketAnalysis } from '../src/formats/capture/reader.js';
import { UNREAD_REASONS, type Unread } from '../src/formats/unread.js';

/** A packet's row: column names as in PACKET_FACTS, `line` from 0 within the capture, addresses as `src`, `dst`. */
export type ReadPacket = Record<string, number> & { src: string; dst: string };

export interface ReadCapture {
  packets: ReadPacket[];
  /** Number and excerpt of each unread packet or block, from 0; the first hundred only. */
  unread: Record<number, { reason: string; excerpt: string }>;
  counts: Record<string, number>;
  lines: number;
  records: number;
  pending: Batch['pending'];
  upTo: number;
  first: number;
  last: number;
}

/** Reads a whole capture, given in chunks; fails when a packet is not accounted for. */
export function readCapture(
  how: CaptureHow,
  chunks: Uint8Array[],
  capacity = 1 << 16,
  analysis: PacketAnalysis | null = null,
): ReadCapture {
  const texts = [''];
  const capture: ReadCapture = {
    packets: [],
    unread: {},
    counts: {},
    lines: 0,
    records: 0,
    pending: 'no',
    upTo: 0,
    first: Number.NaN,
    last: Number.NaN,
  };
  const onBatch = (batch: Batch) => take(batch, texts, capture);
  const reader = new CaptureReader(how, [1, 2], onBatch, capacity, analysis);
  for (const chunk of chunks) reader.feed(chunk);
  reader.finish(false);
  const unread = Object.values(capture.counts).reduce((sum, n) => sum + n, 0);
  if (capture.records + unread !== capture.lines || capture.records !== capture.packets.length)
    throw new Error(`${capture.records} records + ${unread} unread are not ${capture.lines} lines`);
  return capture;
}

function take(batch: Batch, texts: string[], capture: ReadCapture): void {
  const added = batch.additions.mail_ip;
  if (added?.restarted) texts.length = 1;
  for (let i = 0, from = 0; i < (added?.count ?? 0); from = added!.ends[i++]!)
    texts.push(Buffer.from(added!.bytes.subarray(from, added!.ends[i])).toString('latin1'));
  for (let i = 0; i < batch.count; i++) {
    const row: Record<string, number | string> = {};
    PACKET_FACTS.columns.forEach(({ name }, c) => {
      const { numbers, width, absent } = batch.columns[c]!;
      const values = numbers as unknown as ArrayLike<number>;
      const value = width === 8 ? (values[i * 2]! >>> 0) + values[i * 2 + 1]! * 2 ** 32 : values[i]!;
      row[name] = absent?.[i] === 1 ? Number.NaN : value;
    });
    row.line = capture.lines + (row.line as number);
    row.src = textOf(texts, row.src_ip_id as number);
    row.dst = textOf(texts, row.dst_ip_id as number);
    capture.packets.push(row as ReadPacket);
  }
  const { tally } = batch;
  for (const { line, reason, excerpt } of tally.samples)
    capture.unread[capture.lines + line] = {
      reason: UNREAD_REASONS[reason],
      excerpt: Buffer.from(excerpt).toString('latin1'),
    };
  for (const [code, lines] of Object.entries(tally.unread)) {
    const reason = UNREAD_REASONS[Number(code) as Unread];
    capture.counts[reason] = (capture.counts[reason] ?? 0) + lines;
  }
  capture.lines += tally.lines;
  capture.records += tally.records;
  capture.pending = batch.pending;
  capture.upTo = batch.upTo;
  if (!(tally.first >= capture.first)) capture.first = tally.first;
  if (!(tally.last <= capture.last)) capture.last = tally.last;
}

function textOf(texts: string[], id: number): string {
  const text = texts[id];
  if (text === undefined) throw new Error(`no text for id ${id}`);
  return text;
}
