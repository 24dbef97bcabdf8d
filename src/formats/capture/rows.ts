import { BATCH_ROWS, type StoredColumn, words } from '../bulk.js';
import { ByteRows } from '../byte-rows.js';
import { Addresses, LONGEST_ADDRESS } from './addresses.js';
import { Decode, PACKET_FACTS } from './columns.js';
import type { Packet } from './packet.js';

const ABSENT = -1;

/** The columns of a batch, named as in PACKET_FACTS. */
class Columns {
  readonly line = new Uint32Array(BATCH_ROWS);
  readonly captured_at = new Float64Array(BATCH_ROWS);
  readonly interface = new Int16Array(BATCH_ROWS);
  readonly wire_bytes = new Int32Array(BATCH_ROWS);
  readonly captured_bytes = new Int32Array(BATCH_ROWS);
  readonly decode = new Uint16Array(BATCH_ROWS);
  readonly ip_protocol = new Int16Array(BATCH_ROWS);
  readonly src_ip_id = new Int32Array(BATCH_ROWS);
  readonly dst_ip_id = new Int32Array(BATCH_ROWS);
  readonly src_port = new Int32Array(BATCH_ROWS);
  readonly dst_port = new Int32Array(BATCH_ROWS);
  readonly ttl = new Int16Array(BATCH_ROWS);
  readonly connection = new Int32Array(BATCH_ROWS);
  readonly from_responder = new Uint8Array(BATCH_ROWS);
  readonly tcp_flags = new Uint16Array(BATCH_ROWS);
  readonly seq = new Uint32Array(BATCH_ROWS);
  readonly ack = new Uint32Array(BATCH_ROWS);
  readonly window_raw = new Int32Array(BATCH_ROWS);
  readonly window_bytes = new Int32Array(BATCH_ROWS);
  readonly payload_bytes = new Int32Array(BATCH_ROWS);
  readonly mss = new Int32Array(BATCH_ROWS);
  readonly window_scale = new Int16Array(BATCH_ROWS);
  readonly sack_permitted = new Uint8Array(BATCH_ROWS);
  readonly sack_blocks = new Uint8Array(BATCH_ROWS);
  readonly sack_left_1 = new Uint32Array(BATCH_ROWS);
  readonly sack_right_1 = new Uint32Array(BATCH_ROWS);
  readonly sack_left_2 = new Uint32Array(BATCH_ROWS);
  readonly sack_right_2 = new Uint32Array(BATCH_ROWS);
  readonly sack_left_3 = new Uint32Array(BATCH_ROWS);
  readonly sack_right_3 = new Uint32Array(BATCH_ROWS);
  readonly sack_left_4 = new Uint32Array(BATCH_ROWS);
  readonly sack_right_4 = new Uint32Array(BATCH_ROWS);
  readonly ts_value = new Uint32Array(BATCH_ROWS);
  readonly ts_echo = new Uint32Array(BATCH_ROWS);
  readonly fast_open = new Uint8Array(BATCH_ROWS);
  readonly analysis = new Int32Array(BATCH_ROWS);
  readonly icmp_type = new Int16Array(BATCH_ROWS);
  readonly icmp_code = new Int16Array(BATCH_ROWS);
  readonly icmp_mtu = new Int32Array(BATCH_ROWS);
  readonly smtp = new Uint8Array(BATCH_ROWS);
}

const ORDER = PACKET_FACTS.columns.map((column) => column.name as keyof Columns);

/** The rows of captures. What `intern` cuts from is one address in text; packets are read where they lie. */
export class PacketRows extends ByteRows<'mail_ip'> {
  readonly addresses: Addresses;
  private columns = new Columns();

  constructor(seeds: [number, number]) {
    const text = new Uint8Array(LONGEST_ADDRESS + 9);
    super(text, new DataView(text.buffer), seeds[0], seeds[1], ['mail_ip']);
    this.addresses = new Addresses(this, this.dictionaries.mail_ip, seeds[0], seeds[1]);
  }

  get full(): boolean {
    return this.count === BATCH_ROWS;
  }

  /** @param line  within the batch, from 0 */
  put(p: Packet, line: number): void {
    const { columns: c, count: i } = this;
    this.count++;
    c.line[i] = line;
    if ((p.decode & Decode.untimed) === 0) {
      c.captured_at[i] = Math.floor(p.at);
      this.met(p.at / 1e6);
    } else c.captured_at[i] = ABSENT;
    c.interface[i] = p.interface;
    c.wire_bytes[i] = p.wireBytes;
    c.captured_bytes[i] = p.capturedBytes;
    c.decode[i] = p.decode;
    c.ip_protocol[i] = p.ipProtocol;
    c.src_ip_id[i] = p.srcIpId;
    c.dst_ip_id[i] = p.dstIpId;
    c.src_port[i] = p.srcPort;
    c.dst_port[i] = p.dstPort;
    c.ttl[i] = p.ttl;
    c.connection[i] = p.connection;
    c.from_responder[i] = p.fromResponder;
    c.tcp_flags[i] = p.tcpFlags;
    c.seq[i] = p.seq;
    c.ack[i] = p.ack;
    c.window_raw[i] = p.windowRaw;
    c.window_bytes[i] = p.windowBytes;
    c.payload_bytes[i] = p.payloadBytes;
    c.mss[i] = p.mss;
    c.window_scale[i] = p.windowScale;
    c.sack_permitted[i] = p.sackPermitted;
    if (p.sackBlocks > 0) this.putSacks(p, i);
    c.ts_value[i] = p.tsValue;
    c.ts_echo[i] = p.tsEcho;
    c.fast_open[i] = p.fastOpen;
    c.analysis[i] = p.analysis;
    c.icmp_type[i] = p.icmpType;
    c.icmp_code[i] = p.icmpCode;
    c.icmp_mtu[i] = p.icmpMtu;
    c.smtp[i] = p.smtp;
  }

  private putSacks({ sacks, sackBlocks }: Packet, i: number): void {
    const c = this.columns;
    c.sack_blocks[i] = sackBlocks;
    c.sack_left_1[i] = sacks[0]!;
    c.sack_right_1[i] = sacks[1]!;
    if (sackBlocks < 2) return;
    c.sack_left_2[i] = sacks[2]!;
    c.sack_right_2[i] = sacks[3]!;
    if (sackBlocks < 3) return;
    c.sack_left_3[i] = sacks[4]!;
    c.sack_right_3[i] = sacks[5]!;
    if (sackBlocks < 4) return;
    c.sack_left_4[i] = sacks[6]!;
    c.sack_right_4[i] = sacks[7]!;
  }

  take(): StoredColumn[] {
    const { columns, count } = this;
    this.columns = new Columns();
    return ORDER.map((name) => {
      const numbers = columns[name];
      if (numbers instanceof Float64Array) return words(numbers, count, 1, ABSENT);
      return { numbers, width: numbers.BYTES_PER_ELEMENT as 1 | 2 | 4 };
    });
  }
}
