import type { Batch, BulkReader, Pending, Tally } from '../bulk.js';
import { READ_BUFFER } from '../line-feed.js';
import { Unread } from '../unread.js';
import { Decode } from './columns.js';
import { readFrame } from './link.js';
import { Packet } from './packet.js';
import { type PcapHow, PcapRecords } from './pcap.js';
import { PcapngBlocks } from './pcapng.js';
import type { PacketSink, Records } from './records.js';
import { PacketRows } from './rows.js';

/** How a capture is read: what its first bytes say. Plain JSON. */
export type CaptureHow = PcapHow | { kind: 'pcapng' };

/** Looks at each packet before it becomes a row, and adds what it finds (connection, analysis …). */
export interface PacketAnalysis {
  see(packet: Packet, buffer: Uint8Array): void;
  /** Another capture begins. */
  restart(): void;
}

const MOST_SAMPLES = 100;
/** A batch ends here though few of its packets were read. */
const MOST_LINES = 1 << 18;
const HIGHEST_INT = 0x7fffffff;

const emptyTally = (): Tally => ({
  lines: 0,
  records: 0,
  unread: {},
  samples: [],
  first: Number.NaN,
  last: Number.NaN,
});

/**
 * capture: what a packet capture (pcap, pcapng) shows of each packet's headers.
 *
 * Shape:  one row a packet (columns.ts), of Ethernet, Linux cooked, PPP, loopback and raw IP captures; `line` is the
 *         number that Wireshark gives the packet, as long as nothing before it was unread for damage.
 * Units:  see columns.ts. `upTo` is the end of the last whole record. A pcap can be read on from there; a pcapng
 *         cannot, as its interfaces are described before, and neither can connections be continued: a capture that
 *         grew is best read anew.
 * Errors: what cannot be read is `unread`, with the place in bytes and its first bytes. `records` + the sum of
 *         `unread` is the number of packets and other blocks met, always.
 * Memory: the buffer, twice the longest block; no length that a file claims is waited for beyond that.
 * Source: pcap.ts, pcapng.ts, link.ts, ip.ts, tcp-header.ts name theirs. Tried against tshark 4.0.17.
 */
export class CaptureReader implements BulkReader, PacketSink {
  private buffer: Uint8Array<ArrayBuffer>;
  private held = 0;
  /** Bytes still to come that belong to nothing of interest. */
  private skip = 0;
  private upTo = 0;
  /** Bytes of this job before the buffer's first. */
  private before = 0;
  private number = 0;
  private samplesLeft = MOST_SAMPLES;
  private tally = emptyTally();
  private readonly packetRead = new Packet();
  private readonly rows: PacketRows;
  private readonly records: Records;

  /**
   * @param seeds     hash key of the case
   * @param onBatch   gets each full batch; its buffers are its own from then on
   * @param analysis  of this reader alone
   */
  constructor(
    how: CaptureHow,
    seeds: [number, number],
    private readonly onBatch: (batch: Batch) => void,
    capacity = READ_BUFFER,
    private readonly analysis: PacketAnalysis | null = null,
  ) {
    this.buffer = new Uint8Array(capacity);
    this.rows = new PacketRows(seeds);
    this.records = how.kind === 'pcap' ? new PcapRecords(how, this) : new PcapngBlocks(this);
  }

  restart(): void {
    this.held = 0;
    this.skip = 0;
    this.upTo = 0;
    this.before = 0;
    this.number = 0;
    this.samplesLeft = MOST_SAMPLES;
    this.tally = emptyTally();
    this.packetRead.at = 0;
    this.records.restart();
    this.analysis?.restart();
  }

  announceRestart(): void {
    this.rows.dictionaries.mail_ip.restart();
    this.rows.addresses.forget();
  }

  space(least: number): Uint8Array<ArrayBuffer> {
    if (this.held + least > this.buffer.length) {
      const wider = new Uint8Array(Math.max(this.held + least, this.buffer.length * 2));
      wider.set(this.buffer.subarray(0, this.held));
      this.buffer = wider;
    }
    return this.buffer.subarray(this.held);
  }

  feed(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 1 << 20) {
      const part = bytes.subarray(i, i + (1 << 20));
      this.space(part.length).set(part);
      this.filled(part.length);
    }
  }

  /** Reads the records that are complete once `count` more bytes are there. */
  filled(count: number): void {
    this.held += count;
    this.readHeld(false);
  }

  /** @param last  no more bytes will come */
  private readHeld(last: boolean): void {
    const { buffer, records, rows, held: end } = this;
    let start = 0;
    while (start < end) {
      if (this.skip > 0) {
        const passed = Math.min(this.skip, end - start);
        this.skip -= passed;
        start += passed;
      } else {
        const length = records.next(buffer, start, end, last);
        if (length === 0) break;
        this.skip = Math.max(0, start + length - end);
        start = Math.min(start + length, end);
      }
      if (this.skip === 0 && !records.lost) this.upTo = this.before + start;
      if (rows.full || this.tally.lines >= MOST_LINES) this.flush('no');
    }
    this.held = end - start;
    this.before += start;
    if (start > 0) buffer.copyWithin(0, start, end);
  }

  /** Ends the job with a last batch, be it empty. */
  finish(_broken: boolean): void {
    let pending: Pending = 'no';
    if (this.records.lost) this.readHeld(true);
    if (this.skip > 0 || (this.held > 0 && !this.records.lost)) {
      pending = Unread.captureCut;
      // Of a block that is passed over, nothing is held.
      this.before = this.upTo;
      this.unread(pending, 0, this.held);
    }
    this.held = 0;
    this.skip = 0;
    this.flush(pending);
  }

  packet(link: number, at: number, face: number, start: number, captured: number, wire: number): void {
    const { packetRead: p, tally, rows, buffer } = this;
    p.clear();
    p.number = ++this.number;
    if (Number.isNaN(at)) p.decode = Decode.untimed;
    else p.at = at;
    p.interface = face;
    p.wireBytes = Math.min(wire, HIGHEST_INT);
    p.capturedBytes = captured;
    if (captured < wire) p.decode |= Decode.snapped;
    else if (captured > wire) p.decode |= Decode.malformed;
    const length = captured > wire ? captured : p.wireBytes;
    if (!readFrame(p, buffer, link, start, start + captured, length, rows.addresses)) {
      this.number--;
      this.unread(Unread.captureLink, start, Math.min(captured, 16));
      return;
    }
    this.analysis?.see(p, buffer);
    rows.put(p, tally.lines);
    tally.lines++;
    tally.records++;
  }

  unread(reason: Exclude<Unread, 0>, start: number, bytes: number): void {
    const { tally } = this;
    if (this.samplesLeft > 0) {
      this.samplesLeft--;
      const first = this.buffer.subarray(start, start + Math.min(bytes, 16));
      const text = `at byte ${this.before + start}: ${Buffer.from(first).toString('hex')}`;
      tally.samples.push({ line: tally.lines, reason, excerpt: Buffer.from(text, 'latin1') });
    }
    tally.unread[reason] = (tally.unread[reason] ?? 0) + 1;
    tally.lines++;
    this.number++;
  }

  private flush(pending: Pending): void {
    const { tally, rows } = this;
    const { count } = rows;
    const added = rows.dictionaries.mail_ip.take();
    tally.first = rows.first;
    tally.last = rows.last;
    this.onBatch({
      count,
      columns: rows.take(),
      additions: added ? { mail_ip: added } : {},
      tally,
      upTo: this.upTo,
      pending,
    });
    rows.count = 0;
    rows.first = Number.NaN;
    rows.last = Number.NaN;
    this.tally = emptyTally();
    // Only here do no rows hold ids.
    if (rows.dictionaries.mail_ip.nearlyFull) this.announceRestart();
  }
}
