/**
 * What netfilter's connection tracking makes of a TCP segment, by state and direction. Facts only; the machine that
 * uses them is conntrack.ts.
 *
 * Source: net/netfilter/nf_conntrack_proto_tcp.c of Debian's linux 5.10.262-1 and 6.1.192-2 (the transitions are the
 *         same in both); the kernel's Documentation/networking/nf_conntrack-sysctl.rst for the timeouts.
 */

/** The kernel's names, as `conntrack -L` shows them; their order there is this order. */
export const STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const;

export type TrackerState = (typeof STATES)[number];

/** What a segment is to the tracker: the first of RST, SYN, FIN, ACK that is set. In the kernel's order. */
export const KINDS = ['syn', 'syn-ack', 'fin', 'ack', 'rst', 'none'] as const;

export type SegmentKind = (typeof KINDS)[number];

/** The states a segment leads to, by the state it meets. A state that is not named: the segment is INVALID there. */
type Transitions = Partial<Record<TrackerState, TrackerState | 'ignored'>>;

const FIN: Transitions = {
  SYN_RECV: 'FIN_WAIT',
  ESTABLISHED: 'FIN_WAIT',
  FIN_WAIT: 'LAST_ACK',
  CLOSE_WAIT: 'LAST_ACK',
  LAST_ACK: 'LAST_ACK',
  TIME_WAIT: 'TIME_WAIT',
  CLOSE: 'CLOSE',
};

const ACK: Transitions = {
  ESTABLISHED: 'ESTABLISHED',
  FIN_WAIT: 'CLOSE_WAIT',
  CLOSE_WAIT: 'CLOSE_WAIT',
  LAST_ACK: 'TIME_WAIT',
  TIME_WAIT: 'TIME_WAIT',
  CLOSE: 'CLOSE',
};

const RST: Transitions = Object.fromEntries(
  STATES.filter((state) => state !== 'NONE').map((state) => [state, 'CLOSE']),
);

export const TRANSITIONS: Record<'originator' | 'responder', Record<SegmentKind, Transitions>> = {
  originator: {
    syn: {
      NONE: 'SYN_SENT',
      SYN_SENT: 'SYN_SENT',
      SYN_RECV: 'ignored',
      ESTABLISHED: 'ignored',
      FIN_WAIT: 'ignored',
      CLOSE_WAIT: 'ignored',
      LAST_ACK: 'ignored',
      TIME_WAIT: 'SYN_SENT',
      CLOSE: 'SYN_SENT',
      SYN_SENT2: 'SYN_SENT2',
    },
    'syn-ack': { SYN_RECV: 'SYN_RECV', SYN_SENT2: 'SYN_RECV' },
    fin: FIN,
    ack: { ...ACK, NONE: 'ESTABLISHED', SYN_RECV: 'ESTABLISHED' },
    rst: RST,
    none: {},
  },
  responder: {
    syn: { SYN_SENT: 'SYN_SENT2', SYN_SENT2: 'SYN_SENT2', TIME_WAIT: 'SYN_SENT' },
    'syn-ack': {
      SYN_SENT: 'SYN_RECV',
      SYN_RECV: 'ignored',
      ESTABLISHED: 'ignored',
      FIN_WAIT: 'ignored',
      CLOSE_WAIT: 'ignored',
      LAST_ACK: 'ignored',
      TIME_WAIT: 'ignored',
      CLOSE: 'ignored',
      SYN_SENT2: 'SYN_RECV',
    },
    fin: FIN,
    ack: { ...ACK, SYN_SENT: 'ignored', SYN_RECV: 'SYN_RECV', SYN_SENT2: 'ignored' },
    rst: RST,
    none: {},
  },
};

/** Flags of a header that may stand together, of FIN 1, SYN 2, RST 4, ACK 16, URG 32; any other set is INVALID. */
export const FLAGS_TOGETHER: ReadonlySet<number> = new Set([
  ...[2, 2 | 32, 2 | 16],
  ...[4, 4 | 16],
  ...[1 | 16, 1 | 16 | 32],
  ...[16, 16 | 32],
]);

/** Seconds that an entry lives after its last packet: net.netfilter.nf_conntrack_tcp_timeout_*. */
export const TIMEOUTS: Record<TrackerState | 'retransmitting' | 'unacknowledged', number> = {
  NONE: 0,
  SYN_SENT: 120,
  SYN_RECV: 60,
  ESTABLISHED: 432_000,
  FIN_WAIT: 120,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  TIME_WAIT: 120,
  CLOSE: 10,
  SYN_SENT2: 120,
  retransmitting: 300,
  unacknowledged: 300,
};

/**
 * Why a packet is INVALID, or passed over, in the kernel's words (net.netfilter.nf_conntrack_log_invalid): those of
 * 5.10, and those of 6.1 where they differ. `N` and `S` stand for what the kernel fills in.
 */
export const REASONS = {
  flags: ['invalid tcp flag combination'],
  new: ['', 'invalid new'],
  state: ['invalid state', 'packet (index N) in dir N invalid, state S'],
  ignored: ['invalid packet ignored in state S', 'packet (index N) in dir N ignored, state S'],
  challenge: ['challenge-ack ignored'],
  reset: ['invalid rst'],
  overshot: ['', 'N bytes more than expected'],
  seqOver: [
    'SEQ is over the upper bound (over the window of the receiver)',
    'SEQ is over upper bound N (over the window of the receiver)',
  ],
  ackOver: [
    'ACK is over the upper bound (ACKed data not seen yet)',
    'ACK is over upper bound N (ACKed data not seen yet)',
  ],
  seqUnder: [
    'SEQ is under the lower bound (already ACKed data retransmitted)',
    'SEQ is under lower bound N (already ACKed data retransmitted)',
  ],
  ackUnder: [
    'ACK is under the lower bound (possible overly delayed ACK)',
    'ignored ACK under lower bound N (possible overly delayed)',
  ],
} as const satisfies Record<string, readonly [string, string?]>;

export type Reason = keyof typeof REASONS;
