/**
 * What netfilter's connection tracking would make of the packets of one TCP connection: a replay, packet by packet.
 *
 * Shape:  `replay` takes the packets of one pair of addresses and ports, both directions, in the order in which the
 *         tracking host saw them, and gives one verdict each, and what became of the window scales.
 * Units:  sequence numbers and windows as in the header; times in seconds.
 * Errors: none; whatever the packets are, each gets a verdict.
 * Source: net/netfilter/nf_conntrack_proto_tcp.c in Debian's linux 5.10.262-1 (before the fixes) and 6.1.192-2 (after
 *         them), and the commits named at `KernelModel`. Held packet by packet against the kernel that runs the tests
 *         (lab/conntrack). Not modelled: sequence numbers that NAT changes, SYN proxy, checksums, headers cut short,
 *         entries dropped early for want of room, and packets that other rules drop before they are tracked.
 *
 * A replay shows what a tracker of that kind would have said of these packets. It does not show that a tracker was
 * there, nor that a rule dropped what it called INVALID: for that see `compareWithSender` in conntrack-evidence.ts.
 */
import {
  FLAGS_TOGETHER,
  REASONS,
  type Reason,
  type SegmentKind,
  TIMEOUTS,
  TRANSITIONS,
  type TrackerState,
} from './conntrack-states.js';

/** A TCP segment as the tracker sees it. */
export interface TrackedPacket {
  /** In the capture, from 1. */
  number: number;
  /** Seconds, on any clock that does not jump. */
  at: number;
  /** Sent by the side that sent the first SYN. */
  fromOriginator: boolean;
  /** The header's bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32. */
  flags: number;
  seq: number;
  ack: number;
  /** As in the header, not scaled. */
  window: number;
  /** Bytes, on the wire. */
  payload: number;
  /** The option of this packet. */
  windowScale: number | null;
  sackPermitted: boolean;
  sacks: readonly (readonly [left: number, right: number])[];
  /** Timestamps option of this packet. */
  timestamp: { value: number; echo: number } | null;
  /** Any TCP option at all; where it is left out, that follows from the options above. */
  hasOptions?: boolean;
}

export type Side = 'originator' | 'responder';

/**
 * Which tracker it is. `KERNELS` has those that were read or tried.
 */
export interface KernelModel {
  /**
   * c7aab4f17021, in 5.17.6 and 5.18: only a SYN starts a side anew. Before it any segment of the responder with new
   * data did while its SYN-ACK was all the tracker had seen of it, and a segment that has options, but no window
   * scale, made the scale 0.
   */
  reinitOnlySyn: boolean;
  /** fb366fc7541a, in 6.1.77: a second SYN of the originator (with the above) no longer makes both scales 0. */
  repeatedSynKeepsScales: boolean;
  /** 6e250dcbff1d and its series, in 6.1: late ACKs and data a little over the window are passed over, not INVALID. */
  lateAcksValid: boolean;
  /** As in 6.1: a RST is not checked while the connection closes, nor after a SYN that was passed over. */
  lenientResets: boolean;
  /** net.netfilter.nf_conntrack_tcp_be_liberal: out of the window is not INVALID, except for a RST. */
  liberal: boolean;
  /** net.netfilter.nf_conntrack_tcp_loose: connections under way are picked up. */
  loose: boolean;
  /** net.netfilter.nf_conntrack_tcp_ignore_invalid_rst; 6.1 has it, 5.10 has not. */
  ignoreInvalidResets: boolean;
  /** net.netfilter.nf_conntrack_tcp_max_retrans. */
  maxRetransmissions: number;
  /**
   * What if: whose window scale this tracker holds for 0 from the handshake on, for whatever reason. It says nothing
   * about the reason. A tracker that did not see the option of one SYN holds both for 0; the kernel bug that
   * `reinitOnlySyn` cures makes it the responder's.
   */
  forgetScaleOf: Side | 'both' | null;
}

const DEFAULTS = {
  liberal: false,
  loose: true,
  ignoreInvalidResets: false,
  maxRetransmissions: 3,
  forgetScaleOf: null,
} satisfies Partial<KernelModel>;

export const KERNELS = {
  /** Debian 11, read in 5.10.262-1; kernels before 5.17.6 in general. */
  unfixed: {
    ...DEFAULTS,
    reinitOnlySyn: false,
    repeatedSynKeepsScales: true,
    lateAcksValid: false,
    lenientResets: false,
  },
  /** The same with nothing but the fix. */
  fixed: {
    ...DEFAULTS,
    reinitOnlySyn: true,
    repeatedSynKeepsScales: true,
    lateAcksValid: false,
    lenientResets: false,
  },
  /** Debian 12, read in 6.1.192-2; tried on 6.18.44. */
  current: {
    ...DEFAULTS,
    reinitOnlySyn: true,
    repeatedSynKeepsScales: true,
    lateAcksValid: true,
    lenientResets: true,
  },
} satisfies Record<string, KernelModel>;

export interface Verdict {
  number: number;
  /** `ignored`: let through as part of the connection, without being believed; no rule for INVALID matches it. */
  verdict: 'valid' | 'ignored' | 'invalid';
  reason: Reason | null;
  /** After this packet; null where there is no entry. */
  state: TrackerState | null;
}

/** From this packet on the tracker holds a side's window scale for something else than the ends do. */
export interface ScaleChange {
  number: number;
  side: Side;
  from: number;
  to: number;
}

export interface Replay {
  verdicts: Verdict[];
  invalid: Verdict[];
  /** Scales as the handshake settled them, by the packets: what both ends use. Null: no SYN-ACK seen. */
  scales: Record<Side, number> | null;
  scaleChanges: ScaleChange[];
}

/** What the log of such a kernel says of it, without the numbers. */
export function saysKernel(reason: Reason, kernel: KernelModel): string {
  const [before, since] = REASONS[reason] as readonly [string, string?];
  return kernel.lateAcksValid ? (since ?? before) : before;
}

export function replay(packets: Iterable<TrackedPacket>, kernel: KernelModel): Replay {
  const tracker = new Tracker(kernel);
  const verdicts: Verdict[] = [];
  for (const packet of packets) verdicts.push(tracker.see(packet));
  return {
    verdicts,
    invalid: verdicts.filter(({ verdict }) => verdict === 'invalid'),
    scales: tracker.scales,
    scaleChanges: tracker.scaleChanges,
  };
}

/** What the tracker holds of one side: the kernel's struct ip_ct_tcp_state. */
interface Seen {
  /** After the last byte that it sent. */
  end: number;
  /** Up to where the other side lets it send. */
  maxEnd: number;
  /** The largest window that it offered. */
  maxWindow: number;
  /** The highest ACK that it sent; null: none yet. */
  maxAck: number | null;
  scale: number;
  scaleOption: boolean;
  sackPermitted: boolean;
  liberal: boolean;
  unacknowledged: boolean;
  closeInit: boolean;
}

const nothingSeen = (liberal = false): Seen => ({
  end: 0,
  maxEnd: 0,
  maxWindow: 0,
  maxAck: null,
  scale: 0,
  scaleOption: false,
  sackPermitted: false,
  liberal,
  unacknowledged: false,
  closeInit: false,
});

/** One line of the table: the kernel's struct ip_ct_tcp and what of struct nf_conn matters here. */
interface Entry {
  state: TrackerState;
  /** Sides by who opened this entry, which need not be who opened the connection. */
  seen: [Seen, Seen];
  opener: Side;
  lastKind: SegmentKind;
  lastDirection: 0 | 1;
  lastSeq: number;
  lastAck: number;
  lastEnd: number;
  lastWindow: number;
  lastScale: number;
  lastScaleOption: boolean;
  lastSackPermitted: boolean;
  expectChallenge: boolean;
  simultaneousOpen: boolean;
  repeats: number;
  replied: boolean;
  assured: boolean;
  expires: number;
}

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const URG = 32;
/** MAXACKWINCONST: so far back an ACK may lie, at least. */
const MIN_ACK_WINDOW = 66_000;
const MAX_SCALE = 14;

/** Is a before b? Sequence numbers go round. */
export const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;
const u32 = (n: number): number => n >>> 0;
const CLOSING: ReadonlySet<TrackerState> = new Set([
  'FIN_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
]);

class Tracker {
  scales: Record<Side, number> | null = null;
  readonly scaleChanges: ScaleChange[] = [];
  readonly #kernel: KernelModel;
  #entry: Entry | null = null;
  readonly #offered: Record<Side, number | null> = { originator: null, responder: null };

  constructor(kernel: KernelModel) {
    this.#kernel = kernel;
  }

  see(packet: TrackedPacket): Verdict {
    this.#noteHandshake(packet);
    const old = this.#entry;
    const scales = old && [old.seen[0].scale, old.seen[1].scale];
    const [verdict, reason] = this.#judge(packet);
    const entry = this.#entry;
    if (entry && entry === old)
      for (const direction of [0, 1] as const) {
        const side = sideOf(entry, direction);
        const from = scales![direction]!;
        const to = entry.seen[direction].scale;
        if (from !== to && to !== (this.scales ?? this.#offered)[side])
          this.scaleChanges.push({ number: packet.number, side, from, to });
      }
    return { number: packet.number, verdict, reason, state: entry?.state ?? null };
  }

  #noteHandshake({ flags, fromOriginator, windowScale }: TrackedPacket): void {
    if (!(flags & SYN)) return;
    const offered = windowScale === null ? null : Math.min(windowScale, MAX_SCALE);
    this.#offered[fromOriginator ? 'originator' : 'responder'] = offered;
    if (!(flags & ACK) || fromOriginator) return;
    const { originator, responder } = this.#offered;
    // RFC 7323, section 2.2: both, or none.
    this.scales =
      originator === null || responder === null ? { originator: 0, responder: 0 } : { originator, responder };
  }

  /** nf_conntrack_in() and nf_conntrack_tcp_packet(). */
  #judge(packet: TrackedPacket): [Verdict['verdict'], Reason | null] {
    if (this.#entry && packet.at >= this.#entry.expires) this.#entry = null;
    if (!FLAGS_TOGETHER.has(packet.flags & (FIN | SYN | RST | ACK | URG))) return ['invalid', 'flags'];
    const entry = this.#entry ?? this.#open(packet);
    if (!entry) return ['invalid', 'new'];
    this.#entry = entry;
    const direction = directionOf(entry, packet);
    const [verdict, reason] = this.#track(entry, packet, direction);
    if (verdict === 'invalid') {
      if (entry.state === 'NONE') this.#entry = null;
    } else if (direction === 1) entry.replied = true;
    return [verdict, reason];
  }

  /** tcp_new(): the first packet of an entry. */
  #open(packet: TrackedPacket): Entry | null {
    const kind = kindOf(packet.flags);
    const next = TRANSITIONS.originator[kind].NONE;
    if (!next || (next !== 'SYN_SENT' && !this.#kernel.loose)) return null;
    const pickedUp = next !== 'SYN_SENT';
    const first = nothingSeen(pickedUp);
    const entry: Entry = {
      state: 'NONE',
      seen: [first, nothingSeen(pickedUp)],
      opener: packet.fromOriginator ? 'originator' : 'responder',
      lastKind: 'none',
      lastDirection: 0,
      lastSeq: 0,
      lastAck: 0,
      lastEnd: 0,
      lastWindow: 0,
      lastScale: 0,
      lastScaleOption: false,
      lastSackPermitted: false,
      expectChallenge: false,
      simultaneousOpen: false,
      repeats: 0,
      replied: false,
      assured: false,
      expires: Number.POSITIVE_INFINITY,
    };
    first.end = endOf(packet);
    first.maxWindow = packet.window || 1;
    first.maxEnd = pickedUp ? u32(first.end + first.maxWindow) : first.end;
    if (pickedUp) first.sackPermitted = entry.seen[1].sackPermitted = true;
    else this.#readOptions(packet, first, entry, 0);
    return entry;
  }

  #track(entry: Entry, packet: TrackedPacket, direction: 0 | 1): [Verdict['verdict'], Reason | null] {
    const kernel = this.#kernel;
    const kind = kindOf(packet.flags);
    const other = entry.seen[direction ? 0 : 1];
    let old = entry.state;
    const found = TRANSITIONS[direction ? 'responder' : 'originator'][kind][old];
    if (!found) return ['invalid', 'state'];
    let next = found;
    let unchecked = false;

    const reopens = next === 'SYN_SENT' && (old === 'TIME_WAIT' || old === 'CLOSE');
    if (
      reopens &&
      (entry.seen[0].closeInit ||
        entry.seen[1].closeInit ||
        (entry.lastDirection === direction && entry.lastKind === 'rst'))
    ) {
      // The tuple is used again: the entry goes, and the SYN makes a new one.
      this.#entry = null;
      return this.#judge(packet);
    }
    if (reopens || next === 'ignored') {
      const answersIgnoredSyn =
        kind === 'syn-ack' &&
        entry.lastKind === 'syn' &&
        entry.lastDirection !== direction &&
        packet.ack === entry.lastEnd;
      if (!answersIgnoredSyn) {
        this.#remember(entry, packet, kind, direction);
        return ['ignored', 'ignored'];
      }
      // The ends agree on a new connection; what the passed-over SYN said becomes true.
      old = 'SYN_SENT';
      next = 'SYN_RECV';
      entry.expectChallenge = false;
      entry.seen[entry.lastDirection] = {
        ...nothingSeen(),
        end: entry.lastEnd,
        maxEnd: entry.lastEnd,
        maxWindow: entry.lastWindow || 1,
        scale: entry.lastScale,
        scaleOption: entry.lastScaleOption,
        sackPermitted: entry.lastSackPermitted,
      };
      entry.seen[direction] = nothingSeen(entry.seen[direction].liberal);
    } else if (next === 'TIME_WAIT') {
      if (
        old === 'LAST_ACK' &&
        kind === 'ack' &&
        entry.lastDirection !== direction &&
        entry.lastKind === 'syn' &&
        entry.expectChallenge
      ) {
        entry.expectChallenge = false;
        return ['ignored', 'challenge'];
      }
    } else if (next === 'SYN_SENT2') entry.simultaneousOpen = true;
    else if (next === 'SYN_RECV' && direction === 1 && kind === 'ack' && entry.simultaneousOpen)
      next = 'ESTABLISHED';
    else if (next === 'CLOSE' && kind === 'rst') {
      const reset = this.#judgeReset(entry, packet, direction, other);
      if (reset === 'invalid') return ['invalid', 'reset'];
      if (!reset.closes) next = old;
      unchecked = reset.unchecked;
    }

    if (!unchecked) {
      const [verdict, reason] = this.#inWindow(entry, packet, direction, kind);
      if (verdict === 'invalid' && kernel.lateAcksValid) noteInvalid(entry, packet, direction, kind);
      if (verdict !== 'valid') return [verdict, reason];
    }
    entry.lastKind = kind;
    entry.lastDirection = direction;
    entry.state = next as TrackerState;
    if (old !== next && next === 'FIN_WAIT') entry.seen[direction].closeInit = true;
    this.#refresh(entry, packet, kind, old);
    return ['valid', null];
  }

  /** The case of a RST in nf_conntrack_tcp_packet(). Whether it ends the connection, and needs no window check. */
  #judgeReset(
    entry: Entry,
    { seq, ack }: TrackedPacket,
    direction: 0 | 1,
    other: Seen,
  ): { closes: boolean; unchecked: boolean } | 'invalid' {
    const { lenientResets, ignoreInvalidResets } = this.#kernel;
    let closes = true;
    if (lenientResets && CLOSING.has(entry.state)) return { closes, unchecked: true };
    if (other.maxAck !== null && !(lenientResets && entry.lastKind === 'syn')) {
      const established = entry.state === 'ESTABLISHED' && entry.assured;
      if (lenientResets && seq === 0 && !established) return { closes, unchecked: false };
      if (before(seq, other.maxAck) && !ignoreInvalidResets) return 'invalid';
      const endsTrain =
        entry.lastKind === 'ack' && entry.lastDirection === direction && seq === entry.lastEnd;
      if (!established || seq === other.maxAck || endsTrain) return { closes, unchecked: false };
      // Not exactly where the other side is: it may be forged, so the entry stays for a challenge ACK.
      closes = false;
    }
    const answersPassedOver =
      (entry.replied && entry.lastKind === 'syn' && entry.lastDirection !== direction) ||
      (!entry.assured && entry.lastKind === 'ack');
    const answersChallenge =
      lenientResets &&
      entry.state === 'SYN_SENT' &&
      entry.lastKind === 'ack' &&
      entry.lastDirection === 1 &&
      seq === entry.lastAck;
    return { closes, unchecked: (answersPassedOver && ack === entry.lastEnd) || answersChallenge };
  }

  #remember(entry: Entry, packet: TrackedPacket, kind: SegmentKind, direction: 0 | 1): void {
    entry.lastKind = kind;
    entry.lastDirection = direction;
    entry.lastSeq = packet.seq;
    entry.lastEnd = endOf(packet);
    entry.lastWindow = packet.window;
    if (kind === 'syn' && direction === 0) {
      const options = nothingSeen();
      this.#readOptions(packet, options, entry, direction);
      entry.lastScale = options.scale;
      entry.lastScaleOption = options.scaleOption;
      entry.lastSackPermitted = options.sackPermitted;
      entry.expectChallenge = entry.state === 'LAST_ACK';
      entry.simultaneousOpen = false;
    }
    if (this.#kernel.lenientResets && entry.state === 'SYN_SENT' && kind === 'ack' && direction === 1)
      entry.lastAck = packet.ack;
  }

  /** tcp_options(): what a segment's options say of its sender. A segment without any leaves all as it was. */
  #readOptions(packet: TrackedPacket, sender: Seen, entry: Entry, direction: 0 | 1): void {
    const { windowScale, sackPermitted, sacks, timestamp } = packet;
    const some = windowScale !== null || sackPermitted || sacks.length > 0 || timestamp !== null;
    if (!(packet.hasOptions ?? some)) return;
    sender.scaleOption = windowScale !== null;
    sender.sackPermitted = sackPermitted;
    sender.maxAck = null;
    sender.unacknowledged = false;
    sender.closeInit = false;
    const { forgetScaleOf } = this.#kernel;
    const forgets = forgetScaleOf === 'both' || forgetScaleOf === sideOf(entry, direction);
    sender.scale = forgets ? 0 : Math.min(windowScale ?? 0, MAX_SCALE);
  }

  /** tcp_init_sender(): a SYN says anew what its sender is. */
  #initSender(entry: Entry, packet: TrackedPacket, direction: 0 | 1): void {
    const sender = entry.seen[direction];
    const receiver = entry.seen[direction ? 0 : 1];
    this.#startAnew(entry, packet, direction);
    const settles = direction === 1 || !this.#kernel.repeatedSynKeepsScales;
    if (settles && !(sender.scaleOption && receiver.scaleOption)) sender.scale = receiver.scale = 0;
  }

  #startAnew(entry: Entry, packet: TrackedPacket, direction: 0 | 1): void {
    const sender = entry.seen[direction];
    sender.end = sender.maxEnd = endOf(packet);
    sender.maxWindow = packet.window || 1;
    this.#readOptions(packet, sender, entry, direction);
  }

  /** tcp_in_window(). Its comment names the bounds I to IV; ours stand in the same order. */
  #inWindow(
    entry: Entry,
    packet: TrackedPacket,
    direction: 0 | 1,
    kind: SegmentKind,
  ): [Verdict['verdict'], Reason | null] {
    const kernel = this.#kernel;
    const sender = entry.seen[direction];
    const receiver = entry.seen[direction ? 0 : 1];
    const syn = (packet.flags & SYN) !== 0;
    const hasAck = (packet.flags & ACK) !== 0;
    let { seq, ack } = packet;
    let end = endOf(packet);
    let sack = receiver.sackPermitted ? highestSack(packet) : ack;

    if (sender.maxWindow === 0) {
      if (syn) {
        this.#initSender(entry, packet, direction);
        if (!hasAck) return ['valid', null];
      } else {
        sender.end = end;
        sender.maxWindow = u32(packet.window << sender.scale) || 1;
        sender.maxEnd = u32(end + sender.maxWindow);
        if (receiver.maxWindow === 0) receiver.end = receiver.maxEnd = sack;
        else if (sack === u32(receiver.end + 1)) receiver.end = sack;
      }
    } else if (before(sender.end, end)) {
      const opening = entry.state === 'SYN_SENT' || entry.state === 'SYN_RECV';
      if (kernel.reinitOnlySyn) {
        if (syn && opening) {
          this.#initSender(entry, packet, direction);
          if (direction === 1 && !hasAck) return ['valid', null];
        }
      } else if (entry.state === (direction ? 'SYN_RECV' : 'SYN_SENT'))
        // The bug: no SYN is asked for.
        this.#startAnew(entry, packet, direction);
    }

    // Some stacks send RST with ACK set and 0 for the number.
    if (!hasAck || ((packet.flags & RST) !== 0 && ack === 0)) ack = sack = receiver.end;
    if ((packet.flags & RST) !== 0 && seq === 0 && entry.state === 'SYN_SENT') seq = end = sender.end;

    const ackWindow = Math.max(sender.maxWindow, MIN_ACK_WINDOW);
    const overUpper = !before(seq, u32(sender.maxEnd + 1));
    const overAcked = !before(sack, u32(receiver.end + 1));
    const underLower = receiver.maxWindow !== 0 && !before(u32(sender.end - receiver.maxWindow - 1), end);
    const underAcked = !before(u32(receiver.end - ackWindow - 1), sack);

    const liberal = sender.liberal || kernel.liberal;
    const out = (reason: Reason, ignored = false): [Verdict['verdict'], Reason | null] =>
      liberal ? ['valid', null] : [ignored ? 'ignored' : 'invalid', reason];
    if (!kernel.lateAcksValid) {
      if (overUpper) return out('seqOver');
      if (underLower) return out('seqUnder');
      if (overAcked) return out('ackOver');
      if (underAcked) return out('ackUnder');
    } else {
      if (overUpper) {
        const overshot = u32(end - sender.maxEnd + 1);
        if (
          receiver.maxWindow === 0 ||
          underLower ||
          underAcked ||
          overAcked ||
          overshot > receiver.maxWindow
        )
          return out('seqOver');
        sender.end = end;
        sender.unacknowledged = true;
        return out('overshot', true);
      }
      if (overAcked) return out('ackOver');
      if (underLower) return out('seqUnder', true);
      if (underAcked) return out('ackUnder', true);
    }

    const window = syn ? packet.window : u32(packet.window << sender.scale);
    sender.maxWindow = Math.max(sender.maxWindow, u32(window + (sack - ack)));
    if (before(sender.end, end)) {
      sender.end = end;
      sender.unacknowledged = true;
    }
    if (hasAck && (sender.maxAck === null || before(sender.maxAck, ack))) sender.maxAck = ack;
    if (receiver.maxWindow !== 0 && before(sender.maxEnd, end))
      receiver.maxWindow = u32(receiver.maxWindow + u32(end - sender.maxEnd));
    if (before(u32(receiver.maxEnd - 1), u32(sack + window)))
      receiver.maxEnd = u32(sack + window + (window === 0 ? 1 : 0));
    if (ack === receiver.end) receiver.unacknowledged = false;

    if (kind === 'ack') {
      const same =
        entry.lastDirection === direction &&
        entry.lastSeq === seq &&
        entry.lastAck === ack &&
        entry.lastEnd === end &&
        entry.lastWindow === packet.window;
      entry.repeats = same ? entry.repeats + 1 : 0;
      entry.lastDirection = direction;
      entry.lastSeq = seq;
      entry.lastAck = ack;
      entry.lastEnd = end;
      entry.lastWindow = packet.window;
    }
    return ['valid', null];
  }

  /** How long the entry lives now, and whether it is assured. */
  #refresh(entry: Entry, packet: TrackedPacket, kind: SegmentKind, old: TrackerState): void {
    let lives = TIMEOUTS[entry.state];
    if (entry.repeats >= this.#kernel.maxRetransmissions && lives > TIMEOUTS.retransmitting)
      lives = TIMEOUTS.retransmitting;
    else if (kind === 'rst') lives = TIMEOUTS.CLOSE;
    else if (entry.seen[0].unacknowledged || entry.seen[1].unacknowledged)
      lives = Math.min(lives, TIMEOUTS.unacknowledged);
    else if (entry.lastWindow === 0) lives = Math.min(lives, TIMEOUTS.retransmitting);
    if (!entry.replied) {
      if (kind === 'rst') {
        this.#entry = null;
        return;
      }
      if (kind === 'syn' && old === 'SYN_SENT') return;
      if (entry.state === 'ESTABLISHED') lives = Math.min(lives, TIMEOUTS.unacknowledged);
    } else if (entry.state === 'ESTABLISHED' && (old === 'SYN_RECV' || old === 'ESTABLISHED'))
      entry.assured = true;
    entry.expires = packet.at + lives;
  }
}

/** nf_tcp_handle_invalid(): a connection that both ends close out of the window shall not live for days. */
function noteInvalid(entry: Entry, packet: TrackedPacket, direction: 0 | 1, kind: SegmentKind): void {
  if (!entry.assured || (kind !== 'rst' && kind !== 'fin')) return;
  if (entry.lastDirection !== direction && (entry.lastKind === 'fin' || entry.lastKind === 'rst')) {
    if (entry.expires - packet.at >= 120)
      entry.expires = Math.min(entry.expires, packet.at + TIMEOUTS.unacknowledged);
  } else {
    entry.lastKind = kind;
    entry.lastDirection = direction;
  }
}

function directionOf(entry: Entry, { fromOriginator }: TrackedPacket): 0 | 1 {
  return fromOriginator === (entry.opener === 'originator') ? 0 : 1;
}

function sideOf(entry: Entry, direction: 0 | 1): Side {
  if (direction === 0) return entry.opener;
  return entry.opener === 'originator' ? 'responder' : 'originator';
}

function kindOf(flags: number): SegmentKind {
  if (flags & RST) return 'rst';
  if (flags & SYN) return flags & ACK ? 'syn-ack' : 'syn';
  if (flags & FIN) return 'fin';
  return flags & ACK ? 'ack' : 'none';
}

/** The sequence number after the segment: SYN and FIN count as a byte each. */
export function endOf({ seq, payload, flags }: TrackedPacket): number {
  return u32(seq + payload + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0));
}

/** tcp_sack(): the highest right edge of a block, or the ACK. */
function highestSack({ ack, sacks }: TrackedPacket): number {
  let highest = ack;
  for (const [, right] of sacks) if (before(highest, right)) highest = right;
  return highest;
}
