import { NETSTAT_PHRASES } from '../../knowledge/netstat-phrases.js';
import { headLines, linesOf } from '../text-lines.js';

/** One counter of the kernel's network code, since boot (`nstat` without -a: since it was last run). */
export interface NetCounter {
  program: 'nstat' | 'proc' | 'netstat' | 'conntrack';
  /** As nstat has it, whoever printed it: `TcpRetransSegs`, `TcpExtTCPTimeouts`; of the tracker `nf_conntrack.invalid`. */
  name: string;
  value: number;
  /** Of this processor alone; null: of all. */
  cpu: number | null;
  line: number;
}

export interface NetCounters {
  counters: NetCounter[];
  lines: number;
  unread: number[];
}

const NAME = String.raw`[A-Za-z]\w{1,80}`;
const NSTAT = new RegExp(String.raw`^(${NAME})[ \t]+(-?\d{1,20})(?:[ \t]+-?\d+(?:\.\d+)?)?$`);
const PROC_NAMES = new RegExp(`^(Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|MPTcpExt):((?: ${NAME})+)$`);
const PROC_VALUES = /^(\w+):((?: -?\d{1,20})+)$/;
const CONNTRACK = /^cpu=(\d{1,5})\s+((?:[a-z_]+=\d{1,20}\s*)+)$/;
const TRACKER_HEAD = /^entries\s+(?:clashres\s+|searched\s+)?found\s/;
const TRACKER_ROW = /^[0-9a-f]{8}(?:\s+[0-9a-f]{8}){5,30}$/;
const SECTION = /^([A-Z]\w{1,20}):$/;
const BY_NAME = new RegExp(String.raw`^(${NAME}): (-?\d{1,20})$`);
const HISTOGRAM = /^ICMP (input|output) histogram:$/;
const OTHER = /^(?:#|nstat: |error parsing |conntrack v)/;
/** The phrases of `netstat -s` have one number each; a line that is longer is none. */
const LONGEST = 300;

/** Whether a text holds counters: nstat, /proc/net/snmp or netstat, `netstat -s`, `conntrack -S`, nf_conntrack's own. */
export function detectNetCounters(head: Uint8Array): boolean {
  const lines = headLines(head)?.map((l) => l.trimEnd());
  const first = lines?.findIndex((l) => l !== '' && !OTHER.test(l)) ?? -1;
  if (!lines || first < 0) return false;
  const [one, two] = [lines[first]!, lines[first + 1] ?? ''];
  if (lines[0]!.startsWith('#kernel') || lines[0]!.startsWith('#extra')) return NSTAT.test(one);
  if (PROC_NAMES.test(one)) return PROC_VALUES.test(two);
  if (TRACKER_HEAD.test(one)) return TRACKER_ROW.test(two);
  if (CONNTRACK.test(one)) return /\bfound=\d/.test(one);
  const reader = new Reader();
  if (!SECTION.test(one) || !two.startsWith('    ')) return false;
  for (const [i, line] of lines.slice(0, 40).entries()) reader.line(line, i + 1);
  return reader.counters.length >= 3 && reader.unread.length * 4 < reader.counters.length;
}

/**
 * net-counters: what the kernel's network code has counted.
 *
 * Shape:  one row per counter; nf_conntrack's one per counter and processor. `entries` of /proc/net/stat/nf_conntrack is
 *         the whole table's number in every row.
 * Units:  as counted: packets, segments, connections. Negative numbers are the kernel's (`MaxConn -1`: no limit).
 * Errors: a line of no known form is counted in `unread`; so is a phrase of `netstat -s` that no table knows.
 * Source: nstat(8), netstat(8), conntrack(8); the kernel's net/ipv4/proc.c and
 *         net/netfilter/nf_conntrack_standalone.c (ct_cpu_seq_show). Tried on Debian 12.
 */
export function readNetCounters(text: string): NetCounters {
  const reader = new Reader();
  const lines = linesOf(text);
  for (const [index, line] of lines.entries()) reader.line(line.trimEnd(), index + 1);
  return { counters: reader.counters, lines: lines.length, unread: reader.unread };
}

class Reader {
  readonly counters: NetCounter[] = [];
  readonly unread: number[] = [];
  /** The line of names before a line of values. */
  private names: { of: string; names: string[] } | null = null;
  private section: string | null = null;
  private histogram = '';
  private tracker: { names: string[]; cpu: number } | null = null;

  line(line: string, number: number): void {
    if (line.trim() === '' || OTHER.test(line)) return;
    if (!this.proc(line, number) && !this.conntrack(line, number) && !this.netstat(line, number)) {
      const nstat = NSTAT.exec(line);
      if (nstat) this.add('nstat', nstat[1]!, Number(nstat[2]), null, number);
      else this.unread.push(number);
    }
  }

  private add(program: NetCounter['program'], name: string, value: number, cpu: number | null, line: number) {
    this.counters.push({ program, name, value, cpu, line });
  }

  private proc(line: string, number: number): boolean {
    const names = PROC_NAMES.exec(line);
    if (names) {
      this.names = { of: names[1]!, names: names[2]!.trim().split(' ') };
      return true;
    }
    const values = this.names && PROC_VALUES.exec(line);
    if (!this.names || values?.[1] !== this.names.of) return false;
    const numbers = values[2]!.trim().split(' ');
    const { of, names: known } = this.names;
    this.names = null;
    if (numbers.length !== known.length) return false;
    for (const [i, name] of known.entries()) this.add('proc', of + name, Number(numbers[i]), null, number);
    return true;
  }

  private conntrack(line: string, number: number): boolean {
    const cpu = CONNTRACK.exec(line);
    if (cpu) {
      for (const [, name, value] of cpu[2]!.matchAll(/([a-z_]+)=(\d+)/g))
        this.add('conntrack', `nf_conntrack.${name}`, Number(value), Number(cpu[1]), number);
      return true;
    }
    if (TRACKER_HEAD.test(line)) {
      this.tracker = { names: line.split(/\s+/), cpu: 0 };
      return true;
    }
    if (!this.tracker || !TRACKER_ROW.test(line)) return false;
    const numbers = line.split(/\s+/);
    if (numbers.length !== this.tracker.names.length) return false;
    for (const [i, name] of this.tracker.names.entries())
      this.add(
        'conntrack',
        `nf_conntrack.${name}`,
        Number.parseInt(numbers[i]!, 16),
        this.tracker.cpu,
        number,
      );
    this.tracker.cpu++;
    return true;
  }

  private netstat(whole: string, number: number): boolean {
    const section = SECTION.exec(whole);
    if (section) {
      [this.section, this.histogram] = [section[1]!, ''];
      return true;
    }
    if (this.section === null || !whole.startsWith('    ') || whole.length > LONGEST) return false;
    const line = whole.trim();
    const histogram = HISTOGRAM.exec(line);
    if (histogram) {
      this.histogram = ` ${histogram[1]}`;
      return true;
    }
    // Below a histogram's head the lines are set in further.
    if (!whole.startsWith('        ')) this.histogram = '';
    const phrases = NETSTAT_PHRASES[this.section + this.histogram];
    const value = /(?<![\w-])\d{1,20}(?!\w)/.exec(line)?.[0];
    const name = value === undefined ? undefined : phrases?.[line.replace(value, 'N')];
    const named = BY_NAME.exec(line);
    if (name !== undefined) this.add('netstat', name, Number(value), null, number);
    else if (named) this.add('netstat', this.section + named[1]!, Number(named[2]), null, number);
    else return false;
    return true;
  }
}
