import { headLines, linesOf } from '../text-lines.js';

/** One TCP socket at the moment of a dump. Numbers that were not shown are null. */
export interface Socket {
  /** Wall time of the dump, where a line above it gives one. */
  seen_at: string | null;
  state: string;
  recv_q: number;
  send_q: number;
  local_ip: string;
  local_port: string;
  peer_ip: string;
  peer_port: string;
  /** `exim4` of `users:(("exim4",pid=1,fd=2))`. */
  process: string | null;
  pid: number | null;
  /** `on` is the retransmission timer; `persist` waits for a window; `keepalive`, `timewait`. */
  timer: string | null;
  /** Tries made under this timer. */
  timer_tries: number | null;
  /** Fast Open carried data in the SYN, or a cookie was asked for and got. */
  fast_open: boolean;
  /** Window scale that the peer uses, and this side's. */
  peer_wscale: number | null;
  own_wscale: number | null;
  numbers: Partial<Record<SocketNumber, number>>;
  /** The whole of what ss said about it, cut where it is very long. */
  info: string;
  line: number;
}

/** Numbers of the info line by ss's names; times in milliseconds. */
export const SOCKET_NUMBERS = [
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
  'lost',
  'sacked',
  'notsent',
  'rcv_space',
  'snd_wnd',
  'lastsnd',
  'lastrcv',
  'lastack',
] as const;
export type SocketNumber = (typeof SOCKET_NUMBERS)[number] | 'retrans' | 'retrans_total';

export interface SocketDump {
  sockets: Socket[];
  lines: number;
  unread: number[];
}

const STATES =
  'ESTAB|SYN-SENT|SYN-RECV|FIN-WAIT-1|FIN-WAIT-2|TIME-WAIT|UNCONN|CLOSE-WAIT|LAST-ACK|LISTEN|CLOSING|CLOSED|UNKNOWN';
const HEADER = /^(?:Netid\s+)?State\s+Recv-Q\s+Send-Q\s+Local Address:Port\s+Peer Address:Port/;
const SOCKET = new RegExp(
  String.raw`^(?:(tcp|mptcp|udp|u_str|u_dgr|u_seq|nl|raw|icmp6?|p_raw|p_dgr|v_str|v_dgr|sctp|xdp|tipc|dccp)\s+)?(${STATES})\s+(\d{1,12})\s+(\d{1,12})\s+(\S{1,300})\s+(\S{1,300})(?:\s+(.*))?$`,
);
const STAMP = /(?:^|\s)(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/;
const OTHER =
  /^(?:Failed to find cgroup2 mount|Cannot open netlink socket|RTNETLINK answers|Total: \d|TCP:\s+\d|Transport )/;
const PROCESS = /users:\(\("([^"]{1,64})",pid=(\d{1,10})/;
const TIMER = /\btimer:\((\w+),([^,)]{1,20})(?:,(\d{1,6}))?\)/;
const MOST_INFO = 2_000;

/** Whether a text is what `ss` prints of TCP sockets, once or again and again. */
export function detectSocketDump(head: Uint8Array): boolean {
  const lines = headLines(head);
  if (!lines) return false;
  const isSocket = (l: string) => SOCKET.test(l) && addressOf(SOCKET.exec(l)![5]!) !== null;
  return (
    lines.some((l) => HEADER.test(l)) ||
    lines.some((l, i) => isSocket(l) && /^\s+\S*.*\bcwnd:\d/.test(lines[i + 1] ?? ''))
  );
}

/**
 * socket-dump: the state of TCP connections as ss saw it.
 *
 * Shape:  one row per socket and dump. A line that holds a date (as of a loop with `date`) gives the time of what
 *         follows; it is taken for wall time.
 * Units:  queues and byte counts in bytes, times in milliseconds, cwnd in segments, windows in bytes.
 * Errors: a line of no known form is counted in `unread`. Sockets of other kinds than TCP are read over.
 * Source: ss(8); tcp_show_info and tcp_timer_print in iproute2's misc/ss.c. Tried on iproute2 6.1.
 */
export function readSocketDump(text: string): SocketDump {
  const out: SocketDump = { sockets: [], lines: 0, unread: [] };
  let at: string | null = null;
  let current: Socket | null = null;
  let read = false;
  for (const [index, whole] of linesOf(text).entries()) {
    out.lines++;
    const line = whole.trimEnd();
    if (line === '') continue;
    const socket = /^\s/.test(line) ? null : SOCKET.exec(line);
    if (socket) {
      const made = socketOf(socket, at, index + 1);
      if (made) out.sockets.push(made);
      [current, read] = [made, true];
    } else if (/^\s/.test(line) && read) {
      if (current) tell(current, line.trim());
    } else if (HEADER.test(line)) [current, read] = [null, false];
    else if (STAMP.test(line) && line.length < 200) {
      const [, day, time] = STAMP.exec(line)!;
      at = `${day}T${time}`;
      [current, read] = [null, false];
    } else if (!OTHER.test(line)) out.unread.push(index + 1);
  }
  return out;
}

function socketOf(m: RegExpExecArray, at: string | null, line: number): Socket | null {
  const [, kind, state, recv, send, local, peer, rest = ''] = m;
  if (kind !== undefined && kind !== 'tcp') return null;
  const [here, there] = [addressOf(local!), addressOf(peer!)];
  if (!here || !there) return null;
  const socket: Socket = {
    seen_at: at,
    state: state!,
    recv_q: Number(recv),
    send_q: Number(send),
    local_ip: here.ip,
    local_port: here.port,
    peer_ip: there.ip,
    peer_port: there.port,
    process: null,
    pid: null,
    timer: null,
    timer_tries: null,
    fast_open: false,
    peer_wscale: null,
    own_wscale: null,
    numbers: {},
    info: '',
    line,
  };
  tell(socket, rest.trim());
  return socket;
}

/** Address and port as ss prints them: `[fd80::2]:25`, `10.80.0.2:25`, `10.0.0.1%eth0:25`, `*:smtp`. */
function addressOf(text: string): { ip: string; port: string } | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|(.*?))(?:%[\w.-]+)?:([\w*-]+)$/.exec(text) ?? [];
  const ip = bracketed ?? plain;
  if (ip === undefined || port === undefined) return null;
  return { ip: ip.replace(/%[\w.-]+$/, '').replace(/^::ffff:(?=\d+\.)/, ''), port };
}

/** Adds what a part of the dump says about a socket. */
function tell(s: Socket, part: string): void {
  if (part === '') return;
  const text = part.slice(0, MOST_INFO);
  if (s.info.length < MOST_INFO) s.info = `${s.info} ${text}`.trim().slice(0, MOST_INFO);
  const user = PROCESS.exec(text);
  if (user) [s.process, s.pid] = [user[1]!, Number(user[2])];
  const timer = TIMER.exec(text);
  if (timer) [s.timer, s.timer_tries] = [timer[1]!, timer[3] === undefined ? null : Number(timer[3])];
  for (const word of text.split(/\s+/)) {
    if (word === 'fastopen') s.fast_open = true;
    const colon = word.indexOf(':');
    if (colon < 0) continue;
    const [name, value] = [word.slice(0, colon), word.slice(colon + 1)];
    if (name === 'wscale') {
      const [peer, own] = value.split(',').map(Number);
      if (Number.isInteger(peer)) s.peer_wscale = peer!;
      if (Number.isInteger(own)) s.own_wscale = own!;
    } else if (name === 'retrans') {
      const [now, total] = value.split('/').map(Number);
      if (Number.isInteger(now)) s.numbers.retrans = now!;
      if (Number.isInteger(total)) s.numbers.retrans_total = total!;
    } else if (isNumber(name)) {
      const number = Number.parseFloat(value);
      if (/^\d{1,18}(?:\.\d{1,9})?(?:\/[\d.]+)?$/.test(value)) s.numbers[name] = number;
    }
  }
}

const KNOWN = new Set<string>(SOCKET_NUMBERS);
const isNumber = (name: string): name is (typeof SOCKET_NUMBERS)[number] => KNOWN.has(name);
