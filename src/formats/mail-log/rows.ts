import { BATCH_ROWS, type StoredColumn, words } from '../bulk.js';
import { ByteRows } from '../byte-rows.js';
import { MAIL_TEXTS, type MailText } from './columns.js';

const UNZONED = -32_768;

/** Everything of a row but time, zone, kind and flags: 32-bit integers, in the order of the table. */
const INTS = [
  'pid',
  'message',
  'related',
  'address',
  'original',
  'host',
  'ip',
  'port',
  'localIp',
  'localPort',
  'router',
  'transport',
  'protocol',
  'tls',
  'dsn',
  'header',
  'reply',
  'errno',
] as const;
const MORE_INTS = [
  'bytes',
  'recipients',
  'queue',
  'delivery',
  'receive',
  'before',
  'active',
  'connect',
  'transmit',
] as const;

const emptyInts = <K extends string>(names: readonly K[], rows: number) =>
  Object.fromEntries(names.map((name) => [name, new Int32Array(rows)])) as Record<K, Int32Array<ArrayBuffer>>;

/** The row of a mail log being filled, and its batch. -1 is "not logged" for numbers, 0 for texts (columns.ts). */
export class MailRows extends ByteRows<MailText> {
  private capacity = BATCH_ROWS;
  private line = new Uint32Array(BATCH_ROWS);
  private at = new Float64Array(BATCH_ROWS);
  private zones = new Int16Array(BATCH_ROWS);
  private kinds = new Uint8Array(BATCH_ROWS);
  private flagBits = new Uint16Array(BATCH_ROWS);
  private codes = new Int16Array(BATCH_ROWS);
  private ints = emptyInts([...INTS, ...MORE_INTS], BATCH_ROWS);

  /** Seconds since 1970: UTC, or wall time where the line has no zone. */
  seconds = 0;
  zone: number = UNZONED;
  kind = 0;
  flags = 0;
  pid = -1;
  message = 0;
  related = 0;
  address = 0;
  original = 0;
  host = 0;
  ip = 0;
  port = -1;
  localIp = 0;
  localPort = -1;
  router = 0;
  transport = 0;
  protocol = 0;
  tls = 0;
  dsn = 0;
  header = 0;
  reply = 0;
  errno = 0;
  code = 0;
  bytes = -1;
  recipients = -1;
  /** Milliseconds. */
  queue = -1;
  delivery = -1;
  receive = -1;
  before = -1;
  active = -1;
  connect = -1;
  transmit = -1;

  constructor(seedA: number, seedB: number) {
    const none = new Uint8Array(8);
    super(none, new DataView(none.buffer), seedA, seedB, MAIL_TEXTS, 'log');
  }

  clear(): void {
    this.seconds = 0;
    this.zone = UNZONED;
    this.kind = 0;
    this.flags = 0;
    this.pid = -1;
    this.message = 0;
    this.related = 0;
    this.address = 0;
    this.original = 0;
    this.host = 0;
    this.ip = 0;
    this.port = -1;
    this.localIp = 0;
    this.localPort = -1;
    this.router = 0;
    this.transport = 0;
    this.protocol = 0;
    this.tls = 0;
    this.dsn = 0;
    this.header = 0;
    this.reply = 0;
    this.errno = 0;
    this.code = 0;
    this.bytes = -1;
    this.recipients = -1;
    this.queue = -1;
    this.delivery = -1;
    this.receive = -1;
    this.before = -1;
    this.active = -1;
    this.connect = -1;
    this.transmit = -1;
  }

  get full(): boolean {
    return this.count >= BATCH_ROWS;
  }

  /** Puts the row into the batch; the row keeps its values, for lines that give several. */
  commit(line: number): void {
    const n = this.count;
    if (n === this.capacity) this.widen();
    const { ints } = this;
    this.line[n] = line;
    this.at[n] = this.seconds;
    this.zones[n] = this.zone;
    this.kinds[n] = this.kind;
    this.flagBits[n] = this.flags;
    this.codes[n] = this.code;
    ints.pid[n] = this.pid;
    ints.message[n] = this.message;
    ints.related[n] = this.related;
    ints.address[n] = this.address;
    ints.original[n] = this.original;
    ints.host[n] = this.host;
    ints.ip[n] = this.ip;
    ints.port[n] = this.port;
    ints.localIp[n] = this.localIp;
    ints.localPort[n] = this.localPort;
    ints.router[n] = this.router;
    ints.transport[n] = this.transport;
    ints.protocol[n] = this.protocol;
    ints.tls[n] = this.tls;
    ints.dsn[n] = this.dsn;
    ints.header[n] = this.header;
    ints.reply[n] = this.reply;
    ints.errno[n] = this.errno;
    ints.bytes[n] = this.bytes;
    ints.recipients[n] = this.recipients;
    ints.queue[n] = this.queue;
    ints.delivery[n] = this.delivery;
    ints.receive[n] = this.receive;
    ints.before[n] = this.before;
    ints.active[n] = this.active;
    ints.connect[n] = this.connect;
    ints.transmit[n] = this.transmit;
    this.count = n + 1;
    this.met(this.zone === UNZONED ? this.seconds : this.seconds + this.zone * 60);
  }

  /** One line may name more recipients than a batch has rows. */
  private widen(): void {
    const old = this.capacity;
    this.capacity *= 2;
    const wider = <T extends { set(from: T): void }>(make: new (n: number) => T, from: T): T => {
      const to = new make(this.capacity);
      to.set(from);
      return to;
    };
    this.line = wider(Uint32Array, this.line) as Uint32Array<ArrayBuffer>;
    this.at = wider(Float64Array, this.at) as Float64Array<ArrayBuffer>;
    this.zones = wider(Int16Array, this.zones) as Int16Array<ArrayBuffer>;
    this.kinds = wider(Uint8Array, this.kinds) as Uint8Array<ArrayBuffer>;
    this.flagBits = wider(Uint16Array, this.flagBits) as Uint16Array<ArrayBuffer>;
    this.codes = wider(Int16Array, this.codes) as Int16Array<ArrayBuffer>;
    const ints = emptyInts([...INTS, ...MORE_INTS], this.capacity);
    for (const name of [...INTS, ...MORE_INTS]) ints[name].set(this.ints[name].subarray(0, old));
    this.ints = ints;
  }

  take(): StoredColumn[] {
    const { line, at, zones, kinds, flagBits, codes, ints, count } = this;
    const column = (name: (typeof INTS)[number] | (typeof MORE_INTS)[number]): StoredColumn => ({
      numbers: ints[name],
      width: 4,
    });
    const taken: StoredColumn[] = [
      { numbers: line, width: 4 },
      words(at, count, 1e6, Number.NaN),
      { numbers: zones, width: 2 },
      { numbers: kinds, width: 1 },
      { numbers: flagBits, width: 2 },
      ...INTS.map(column),
      { numbers: codes, width: 2 },
      ...MORE_INTS.map(column),
    ];
    this.capacity = BATCH_ROWS;
    this.line = new Uint32Array(BATCH_ROWS);
    this.at = new Float64Array(BATCH_ROWS);
    this.zones = new Int16Array(BATCH_ROWS);
    this.kinds = new Uint8Array(BATCH_ROWS);
    this.flagBits = new Uint16Array(BATCH_ROWS);
    this.codes = new Int16Array(BATCH_ROWS);
    this.ints = emptyInts([...INTS, ...MORE_INTS], BATCH_ROWS);
    return taken;
  }
}
