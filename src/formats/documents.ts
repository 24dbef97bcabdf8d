import { detectEximConfig, readEximConfig } from './exim-config/exim-config.js';
import { detectEximDebug, readEximDebug } from './exim-debug/exim-debug.js';
import { detectEximQueue, readEximQueue } from './exim-queue/exim-queue.js';
import { detectRetryData, readRetryData } from './exim-queue/retry-data.js';
import { detectNetCounters, readNetCounters } from './net-counters/net-counters.js';
import { detectNetfilter, readNetfilter } from './netfilter/netfilter.js';
import { readKernelBoots } from './package-history/kernel-boots.js';
import { detectPackageHistory, readPackageHistory } from './package-history/package-history.js';
import { detectPostfixConfig, readPostfixConfig } from './postfix-config/postfix-config.js';
import { detectPostfixQueue, readPostfixQueue } from './postfix-queue/postfix-queue.js';
import { detectSocketDump, readSocketDump, type SocketNumber } from './socket-dump/socket-dump.js';
import { detectSysctl, readSysctl } from './sysctl/sysctl.js';
import { detectKernelLog } from './system-facts/kernel-log.js';
import { detectPackageList, readPackageList } from './system-facts/package-list.js';
import { detectSystemFacts, readSystemFacts } from './system-facts/system-facts.js';
import { linesOf } from './text-lines.js';

/**
 * The small formats: configuration, package history, what a program printed. A document is read whole, as text, and
 * gives rows; it is never so large that columns would pay. Configuration is read together, since one file includes
 * another; everything else file by file.
 */
export type DocumentFormat =
  | 'exim-config'
  | 'exim-debug'
  | 'exim-queue'
  | 'exim-retry-data'
  | 'kernel-log'
  | 'net-counters'
  | 'netfilter'
  | 'package-history'
  | 'package-list'
  | 'postfix-config'
  | 'postfix-queue'
  | 'socket-dump'
  | 'sysctl'
  | 'system-facts';

export interface DocumentFile {
  path: string;
  text: string;
}

type Cell = string | number | boolean | null;

/** A row for a table of the case, without `source_id`, which the store puts before it. */
export interface DocumentRow {
  table: DocumentTable;
  /** Which of the files it is from. */
  file: number;
  cells: Cell[];
}

export interface DocumentRead {
  rows: DocumentRow[];
  /** Of each file: its lines, and which of them could not be read. */
  files: { lines: number; unread: { line: number; reason: string }[] }[];
}

/** Numbers of a socket that are columns; times get their unit. */
const SOCKET_COLUMNS: SocketNumber[] = [
  'rto',
  'rtt',
  'backoff',
  'mss',
  'pmtu',
  'rcvmss',
  'advmss',
  'cwnd',
  'ssthresh',
  'bytes_sent',
  'bytes_acked',
  'bytes_retrans',
  'bytes_received',
  'unacked',
  'retrans',
  'retrans_total',
  'lost',
  'sacked',
  'notsent',
  'rcv_space',
  'snd_wnd',
  'lastsnd',
  'lastrcv',
  'lastack',
];
const COLUMN_OF: Partial<Record<SocketNumber, string>> = {
  rto: 'rto_ms',
  rtt: 'rtt_ms',
  lastsnd: 'lastsnd_ms',
  lastrcv: 'lastrcv_ms',
  lastack: 'lastack_ms',
};

/** Tables that documents fill; the columns behind `source_id`. */
export const DOCUMENT_TABLES = {
  settings:
    'line INTEGER NOT NULL, seq INTEGER NOT NULL, program VARCHAR NOT NULL, section VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL',
  queued:
    'line INTEGER NOT NULL, program VARCHAR NOT NULL, message VARCHAR NOT NULL, sender VARCHAR, bytes BIGINT, age_s DOUBLE, arrived_at TIMESTAMP, state VARCHAR, recipient VARCHAR, delivered BOOLEAN NOT NULL, reason VARCHAR',
  retry_records:
    'line INTEGER NOT NULL, kind VARCHAR NOT NULL, about VARCHAR NOT NULL, mail_host VARCHAR, ip VARCHAR, message VARCHAR, address VARCHAR, errno INTEGER NOT NULL, reply VARCHAR NOT NULL, first_failed_at TIMESTAMP, last_tried_at TIMESTAMP, next_try_at TIMESTAMP, expired BOOLEAN NOT NULL',
  package_changes:
    'line INTEGER NOT NULL, changed_at TIMESTAMP NOT NULL, action VARCHAR NOT NULL, package VARCHAR NOT NULL, arch VARCHAR, old_version VARCHAR, new_version VARCHAR',
  filter_rules:
    'line INTEGER NOT NULL, family VARCHAR NOT NULL, table_name VARCHAR, chain VARCHAR NOT NULL, hook VARCHAR, priority INTEGER, rule VARCHAR NOT NULL, matches_invalid BOOLEAN NOT NULL, verdict VARCHAR, effect VARCHAR, packets BIGINT, bytes BIGINT',
  counters:
    'line INTEGER NOT NULL, program VARCHAR NOT NULL, name VARCHAR NOT NULL, value DOUBLE NOT NULL, cpu INTEGER',
  sockets: `line INTEGER NOT NULL, seen_at TIMESTAMP, state VARCHAR NOT NULL, recv_q BIGINT NOT NULL, send_q BIGINT NOT NULL, local_ip VARCHAR NOT NULL, local_port INTEGER, peer_ip VARCHAR NOT NULL, peer_port INTEGER, process VARCHAR, pid BIGINT, timer VARCHAR, timer_tries INTEGER, fast_open BOOLEAN NOT NULL, peer_wscale INTEGER, own_wscale INTEGER, ${SOCKET_COLUMNS.map((c) => `${COLUMN_OF[c] ?? c} DOUBLE`).join(', ')}, info VARCHAR NOT NULL`,
  facts:
    'line INTEGER NOT NULL, name VARCHAR NOT NULL, subject VARCHAR, value VARCHAR NOT NULL, happened_at TIMESTAMP',
  packages: 'line INTEGER NOT NULL, package VARCHAR NOT NULL, version VARCHAR NOT NULL, arch VARCHAR',
  debug_events:
    'line INTEGER NOT NULL, pid BIGINT, clock_s DOUBLE, kind VARCHAR NOT NULL, mail_host VARCHAR, ip VARCHAR, code INTEGER, text VARCHAR NOT NULL',
} as const;
export type DocumentTable = keyof typeof DOCUMENT_TABLES;

/** Which document this is, by its first 64 kB; null for none that is known. */
export function detectDocument(head: Uint8Array, path: string): DocumentFormat | null {
  const history = detectPackageHistory(head);
  if (history === 'dpkg-log' || history === 'apt-history') return 'package-history';
  if (detectSysctl(head, path)) return 'sysctl';
  if (detectNetfilter(head)) return 'netfilter';
  if (detectNetCounters(head)) return 'net-counters';
  if (detectSocketDump(head)) return 'socket-dump';
  if (detectEximDebug(head)) return 'exim-debug';
  if (detectPackageList(head)) return 'package-list';
  if (detectKernelLog(head)) return 'kernel-log';
  if (detectSystemFacts(head, path)) return 'system-facts';
  if (detectRetryData(head)) return 'exim-retry-data';
  if (detectEximQueue(head)) return 'exim-queue';
  if (detectPostfixQueue(head)) return 'postfix-queue';
  if (detectEximConfig(head, path)) return 'exim-config';
  return detectPostfixConfig(head) ? 'postfix-config' : null;
}

/** Whether the files of this format are to be read together. */
export const readTogether = (format: DocumentFormat): boolean => READERS[format].together;

/** Reads documents of one format: all that belong together, or one. */
export function readDocuments(format: DocumentFormat, files: DocumentFile[]): DocumentRead {
  return READERS[format].read(files);
}

interface Reader {
  together: boolean;
  read(files: DocumentFile[]): DocumentRead;
}

const row = (table: DocumentTable, cells: Cell[]): DocumentRow => ({ table, file: 0, cells });

/** Ports that matter to mail, by the names that /etc/services gives them. */
const PORTS: Record<string, number> = { smtp: 25, submissions: 465, urd: 465, submission: 587 };
const portOf = (text: string): number | null =>
  /^\d{1,5}$/.test(text) ? Number(text) : (PORTS[text] ?? null);

function one(
  read: (text: string) => { lines: number; unread: number[]; rows: DocumentRow[] },
  reason: string,
): Reader {
  return {
    together: false,
    read: ([file]) => {
      const { lines, unread, rows } = read(file!.text);
      return { rows, files: [{ lines, unread: unread.map((line) => ({ line, reason })) }] };
    },
  };
}

const NOT_OF_IT = 'is no line that this program prints';

const READERS: Record<DocumentFormat, Reader> = {
  'exim-config': { together: true, read: eximSettings },
  'postfix-config': { together: true, read: postfixSettings },
  'package-history': one((text) => {
    const { lines, unread, changes } = readPackageHistory(text);
    const rows = changes.map(
      (c): DocumentRow => ({
        table: 'package_changes',
        file: 0,
        cells: [c.line, c.changed_at, c.action, c.package, c.arch, c.old_version, c.new_version],
      }),
    );
    return { lines, unread, rows };
  }, 'is of no kind that dpkg or apt writes'),
  sysctl: { together: true, read: kernelSettings },
  netfilter: one((text) => {
    const { lines, unread, rules } = readNetfilter(text);
    const rows = rules.map(
      (r): DocumentRow => ({
        table: 'filter_rules',
        file: 0,
        cells: [
          r.line,
          r.family,
          r.table,
          r.chain,
          r.hook,
          r.priority,
          r.rule,
          r.matches_invalid,
          r.verdict,
          r.effect,
          r.packets,
          r.bytes,
        ],
      }),
    );
    return { lines, unread, rows };
  }, NOT_OF_IT),
  'net-counters': one((text) => {
    const { lines, unread, counters } = readNetCounters(text);
    return {
      lines,
      unread,
      rows: counters.map((c) => row('counters', [c.line, c.program, c.name, c.value, c.cpu])),
    };
  }, NOT_OF_IT),
  'socket-dump': one((text) => {
    const { lines, unread, sockets } = readSocketDump(text);
    const rows = sockets.map((s) =>
      row('sockets', [
        s.line,
        s.seen_at,
        s.state,
        s.recv_q,
        s.send_q,
        s.local_ip,
        portOf(s.local_port),
        s.peer_ip,
        portOf(s.peer_port),
        s.process,
        s.pid,
        s.timer,
        s.timer_tries,
        s.fast_open,
        s.peer_wscale,
        s.own_wscale,
        ...SOCKET_COLUMNS.map((c) => s.numbers[c] ?? null),
        s.info,
      ]),
    );
    return { lines, unread, rows };
  }, NOT_OF_IT),
  'system-facts': one((text) => {
    const { lines, unread, facts } = readSystemFacts(text);
    return {
      lines,
      unread,
      rows: facts.map((f) => row('facts', [f.line, f.name, f.subject, f.value, null])),
    };
  }, NOT_OF_IT),
  'kernel-log': one((text) => {
    const rows = readKernelBoots(text).map((b) =>
      row('facts', [b.line, 'kernel-boot', b.build, b.kernel, b.at?.slice(0, 19) ?? null]),
    );
    return { lines: linesOf(text).length, unread: [], rows };
  }, NOT_OF_IT),
  'package-list': one((text) => {
    const { lines, unread, packages } = readPackageList(text);
    return {
      lines,
      unread,
      rows: packages.map((p) => row('packages', [p.line, p.package, p.version, p.arch])),
    };
  }, NOT_OF_IT),
  'exim-debug': one((text) => {
    const { lines, version, events } = readEximDebug(text);
    const rows = events.map((e) =>
      row('debug_events', [e.line, e.pid, e.clock_s, e.kind, e.mail_host, e.ip, e.code, e.text]),
    );
    if (version !== null) rows.push(row('facts', [1, 'exim-version', null, version, null]));
    return { lines, unread: [], rows };
  }, NOT_OF_IT),
  'exim-queue': one((text) => {
    const { lines, unread, messages } = readEximQueue(text);
    const rows = messages.flatMap((m) =>
      (m.recipients.length > 0 ? m.recipients : [null]).map(
        (r): DocumentRow => ({
          table: 'queued',
          file: 0,
          cells: [
            m.line,
            'exim',
            m.id,
            m.sender,
            m.size_bytes,
            m.age_s,
            null,
            m.frozen ? 'frozen' : null,
            r?.address ?? null,
            r?.delivered ?? false,
            m.spoolError,
          ],
        }),
      ),
    );
    return { lines, unread, rows };
  }, NOT_OF_IT),
  'postfix-queue': one((text) => {
    const { lines, unread, messages } = readPostfixQueue(text);
    const rows = messages.flatMap((m) =>
      (m.recipients.length > 0 ? m.recipients : [null]).map(
        (r): DocumentRow => ({
          table: 'queued',
          file: 0,
          cells: [
            m.line,
            'postfix',
            m.id,
            m.sender,
            m.size_bytes,
            null,
            m.arrived_epoch_s === null ? null : new Date(m.arrived_epoch_s * 1000).toISOString().slice(0, 19),
            m.queue,
            r?.address ?? null,
            false,
            r?.reason ?? null,
          ],
        }),
      ),
    );
    return { lines, unread, rows };
  }, NOT_OF_IT),
  'exim-retry-data': one((text) => {
    const { lines, unread, records } = readRetryData(text);
    const rows = records.map(
      (r): DocumentRow => ({
        table: 'retry_records',
        file: 0,
        cells: [
          r.line,
          r.kind,
          r.about,
          r.host,
          r.ip,
          r.messageId,
          r.address,
          r.errno,
          r.message,
          r.first_failed,
          r.last_tried,
          r.next_try,
          r.expired,
        ],
      }),
    );
    return { lines, unread, rows };
  }, NOT_OF_IT),
};

/** Rows of `settings` in the order in which the program reads them. */
class Settings {
  readonly rows: DocumentRow[] = [];
  private readonly index: Map<string, number>;

  constructor(
    private readonly files: DocumentFile[],
    private readonly program: string,
  ) {
    this.index = new Map(files.map((f, i) => [f.path, i]));
  }

  add(section: string, name: string, value: string, path: string, line: number): void {
    const file = this.index.get(path) ?? 0;
    this.rows.push({
      table: 'settings',
      file,
      cells: [line, this.rows.length + 1, this.program, section, name, value],
    });
  }

  read(problems: { path: string; line: number; says: string }[]): DocumentRead {
    const files = this.files.map((f, i) => ({
      lines: linesOf(f.text).length,
      unread: problems
        .filter((p) => (this.index.get(p.path) ?? 0) === i)
        .map(({ line, says }) => ({ line, reason: `would be refused: ${says}`.slice(0, 200) })),
    }));
    return { rows: this.rows, files };
  }
}

function eximSettings(files: DocumentFile[]): DocumentRead {
  const settings = new Settings(files, 'exim');
  const config = readEximConfig(files);
  if (!config) return settings.read([]);
  for (const s of config.main) settings.add('main', s.name, s.value, s.path, s.line);
  for (const m of config.macros) settings.add('macro', m.name, m.value, m.path, m.line);
  for (const [section, drivers] of [
    ['router', config.routers],
    ['transport', config.transports],
    ['authenticator', config.authenticators],
  ] as const)
    for (const d of drivers) {
      settings.add(`${section} ${d.name}`, 'driver', d.driver ?? '', d.path, d.line);
      for (const s of d.options)
        if (s.name !== 'driver') settings.add(`${section} ${d.name}`, s.name, s.value, s.path, s.line);
    }
  for (const r of config.retry)
    settings.add(
      'retry',
      `${r.pattern} ${r.error}${r.senders === null ? '' : ` senders=${r.senders}`}`,
      r.parameters.join('; '),
      r.path,
      r.line,
    );
  for (const o of config.open) settings.add('open', 'left open', o.says, o.path, o.line);
  return settings.read(config.problems);
}

function postfixSettings(files: DocumentFile[]): DocumentRead {
  const settings = new Settings(files, 'postfix');
  const config = readPostfixConfig(files);
  for (const s of config.settings) settings.add('main', s.name, s.expanded, s.path, s.line);
  for (const s of config.services) {
    settings.add(`service ${s.name} ${s.type}`, 'command', s.command, s.path, s.line);
    for (const o of s.overrides) settings.add(`service ${s.name} ${s.type}`, o.name, o.value, s.path, s.line);
  }
  return settings.read(config.problems);
}

function kernelSettings(files: DocumentFile[]): DocumentRead {
  const read = readSysctl(files);
  const settings = new Settings(files, 'sysctl');
  for (const s of read.settings) settings.add(s.is, s.name, s.value, s.path, s.line);
  const unread = read.files.map((f) => ({
    lines: f.lines,
    unread: f.unread.map((line) => ({ line, reason: 'assigns nothing' })),
  }));
  return { rows: settings.rows, files: unread };
}
