/**
 * Which of the responder's packets did the originator's TCP see? Told from what the originator sent afterwards, as
 * captured on the originator's host: there a capture has packets before netfilter drops them.
 *
 * Shape:  one answer a packet that the responder sent with ACK, SYN and RST aside: seen, unseen, or not to be told.
 * Units:  seconds.
 * Errors: none. Signs that contradict each other give no answer and are counted.
 * Source: RFC 9293, section 3.10.7.4 (an acknowledged byte is never sent again; every segment carries RCV.NXT);
 *         RFC 7323, section 4.3 (which timestamp is echoed); RFC 6298 (when a timer must have run out); of Linux
 *         tcp_ack() and tcp_replace_ts_recent() in net/ipv4/tcp_input.c.
 *
 * What is shown: that the originator's stack acted as if it never got these packets. Not shown: what took them. A
 * firewall that drops what its tracker calls INVALID is shown only together with a replay that calls exactly these
 * INVALID, which is what `compareWithSender` counts.
 */
import { before, endOf, type Replay, type TrackedPacket } from './conntrack.js';

/** By what it was told. */
export type Sign =
  /** The timestamp that the originator echoes next. */
  | 'echo'
  /** The originator acknowledges, or fails to acknowledge, the data in it. */
  | 'acknowledged'
  /** Data that it acknowledges was sent again afterwards. */
  | 'resent'
  /** The originator sent more than any packet before it allowed. */
  | 'window'
  /** Nothing else acknowledges the data, and no timer ran out. */
  | 'quiet';

export interface Sighting {
  number: number;
  seen: boolean | null;
  signs: Sign[];
}

/** How many packets, and the numbers of the first 50. */
export interface Some {
  count: number;
  packets: number[];
}

export interface Agreement {
  /** The tracker drops it, if a rule does, and the originator never saw it. */
  invalidAndUnseen: Some;
  /** Against the tracker: it would have been dropped, and was not. */
  invalidButSeen: Some;
  /** Against the tracker: something else lost it. */
  unseenButValid: Some;
  seenAndValid: Some;
  undecidable: Some;
  /** Of the packets of the responder that the replay calls INVALID, those of which nothing can be told. */
  invalidUndecidable: Some;
  /** Signs that said both. They are among the undecidable. */
  contradictory: Some;
  signs: Record<Sign, number>;
}

const SYN = 2;
const RST = 4;
const ACK = 16;

/**
 * What the originator's host sends this much later knows of the packet, although it may have waited for the card. A
 * capture elsewhere on the path needs its round trip on top.
 */
const REACTION_S = 0.05;
/** Longer than a first timer of a second (RFC 6298, section 2.1) that was doubled once. */
const QUIET_S = 3;
const NAMED = 50;

/** Counts how far the verdicts of a replay are those packets that the originator's stack never saw. */
export function compareWithSender(
  packets: readonly TrackedPacket[],
  { verdicts }: Pick<Replay, 'verdicts'>,
  reaction_s = REACTION_S,
): Agreement {
  const invalid = new Set(verdicts.filter((v) => v.verdict === 'invalid').map((v) => v.number));
  const none = (): Some => ({ count: 0, packets: [] });
  const agreement: Agreement = {
    invalidAndUnseen: none(),
    invalidButSeen: none(),
    unseenButValid: none(),
    seenAndValid: none(),
    undecidable: none(),
    invalidUndecidable: none(),
    contradictory: none(),
    signs: { echo: 0, acknowledged: 0, resent: 0, window: 0, quiet: 0 },
  };
  const add = (to: Some, number: number) => {
    to.count++;
    if (to.packets.length < NAMED) to.packets.push(number);
  };
  for (const { number, seen, signs } of whatTheSenderSaw(packets, reaction_s)) {
    if (seen === null) {
      add(agreement.undecidable, number);
      if (invalid.has(number)) add(agreement.invalidUndecidable, number);
      if (signs.length) add(agreement.contradictory, number);
      continue;
    }
    for (const sign of signs) agreement.signs[sign]++;
    if (invalid.has(number)) add(seen ? agreement.invalidButSeen : agreement.invalidAndUnseen, number);
    else add(seen ? agreement.seenAndValid : agreement.unseenButValid, number);
  }
  return agreement;
}

/** What the originator's stack saw of the responder's packets. Linear in the packets, but for binary searches. */
export function whatTheSenderSaw(packets: readonly TrackedPacket[], reaction_s = REACTION_S): Sighting[] {
  const view = new View(packets, reaction_s);
  return view.answers.map((index) => view.sighting(index));
}

/** What the originator sent, prepared for questions. Indices are into `packets`. */
class View {
  /** The responder's packets that are asked about. */
  readonly answers: number[] = [];
  readonly #packets: readonly TrackedPacket[];
  readonly #reaction_s: number;
  readonly #sent: number[] = [];
  /** By position in `sent`: the lowest byte of data sent from there on, and the highest sent up to there. */
  readonly #lowestAfter: (number | null)[] = [];
  readonly #highestUntil: (number | null)[] = [];
  /** By position in `answers`: the highest ACK and the furthest window edge before it. */
  readonly #ackBefore: (number | null)[] = [];
  readonly #edgeBefore: (number | null)[] = [];
  readonly #edge: (number | null)[] = [];
  /** By position in `answers`: the end of the responder's data before it. */
  readonly #dataBefore: (number | null)[] = [];
  #resetAt = Number.POSITIVE_INFINITY;
  #synTimestamp: number | undefined;
  readonly #place = new Map<number, number>();
  /** By position in `answers`: what the originator had acknowledged when it came. */
  readonly #lastAckSent: (number | null)[] = [];
  /** By position in `answers`: the longest time after which a byte was sent again, before it. */
  readonly #slowestTimer: number[] = [];

  constructor(packets: readonly TrackedPacket[], reaction_s: number) {
    this.#packets = packets;
    this.#reaction_s = reaction_s;
    const scale = responderScale(packets);
    let highest: number | null = null;
    let ack: number | null = null;
    let edge: number | null = null;
    let acked: number | null = null;
    let said: number | null = null;
    let slowest = 0;
    const resends = new Map<number, number>();
    for (const [index, packet] of packets.entries()) {
      if (packet.flags & RST) this.#resetAt = Math.min(this.#resetAt, packet.at);
      if (packet.fromOriginator) {
        if (packet.flags & RST) continue;
        if (packet.flags & ACK) acked = packet.ack;
        const data = packet.payload > 0 || packet.flags & 1 ? endOf(packet) : null;
        if (data !== null) {
          const earlier = resends.get(packet.seq);
          if (earlier !== undefined) slowest = Math.max(slowest, packet.at - earlier);
          resends.set(packet.seq, packet.at);
          highest = highest === null || before(highest, data) ? data : highest;
        }
        this.#sent.push(index);
        this.#highestUntil.push(highest);
      } else if (packet.flags & ACK && !(packet.flags & (SYN | RST))) {
        const reaches = scale === null ? null : (packet.ack + packet.window * 2 ** scale) >>> 0;
        const end = endOf(packet);
        this.#place.set(index, this.answers.length);
        this.answers.push(index);
        this.#ackBefore.push(ack);
        this.#edgeBefore.push(edge);
        this.#edge.push(reaches);
        this.#lastAckSent.push(acked);
        this.#slowestTimer.push(slowest);
        this.#dataBefore.push(said);
        if (end !== packet.seq && (said === null || before(said, end))) said = end;
        if (ack === null || before(ack, packet.ack)) ack = packet.ack;
        if (reaches !== null && (edge === null || before(edge, reaches))) edge = reaches;
      } else if (packet.flags & SYN) {
        ack = packet.ack;
        edge = (packet.ack + packet.window) >>> 0;
        said = endOf(packet);
        this.#synTimestamp = packet.timestamp?.value;
      }
    }
    let lowest: number | null = null;
    for (let i = this.#sent.length - 1; i >= 0; i--) {
      const { seq, payload, flags } = packets[this.#sent[i]!]!;
      const data = !(flags & SYN) && (payload > 1 || flags & 1);
      // A byte at most, before what is due, may be a keepalive or a probe of a closed window.
      if (data && (lowest === null || before(seq, lowest))) lowest = seq;
      this.#lowestAfter[i] = lowest;
    }
  }

  sighting(index: number): Sighting {
    const { number } = this.#packets[index]!;
    const signs: [Sign, boolean | null][] = [
      ['echo', this.#echo(index)],
      ['acknowledged', this.#acknowledged(index)],
      ['resent', this.#resent(index)],
      ['window', this.#window(index)],
      ['quiet', this.#quiet(index)],
    ];
    const told = signs.filter(([, seen]) => seen !== null);
    const [first] = told;
    const agree = first !== undefined && told.every(([, seen]) => seen === first[1]);
    return { number, seen: agree ? first[1] : null, signs: told.map(([sign]) => sign) };
  }

  #echo(index: number): boolean | null {
    const packet = this.#packets[index]!;
    const place = this.#place.get(index)!;
    const value = packet.timestamp?.value;
    const acked = this.#lastAckSent[place]!;
    const ackBefore = this.#ackBefore[place]!;
    // Only these are taken for the echo: no gap before it, and no old ACK.
    if (value === undefined || acked === null || before(acked, packet.seq)) return null;
    if (ackBefore !== null && before(packet.ack, ackBefore)) return null;
    const next = this.#firstSent(index);
    if (next?.timestamp?.echo === value && !this.#sharesTimestamp(place, next)) return true;
    const later = this.#firstSent(index, packet.at + this.#reaction_s);
    return later?.timestamp && before(later.timestamp.echo, value) ? false : null;
  }

  #acknowledged(index: number): boolean | null {
    const packet = this.#packets[index]!;
    const end = endOf(packet);
    if (end === packet.seq) return null;
    const place = this.#place.get(index)!;
    const had = this.#lastAckSent[place]!;
    if (had !== null && !before(had, end)) return null;
    const next = this.#firstSent(index);
    const said = this.#dataBefore[place]!;
    const first = said === null || before(said, end);
    if (first && next && next.flags & ACK && !before(next.ack, end) && this.#aloneUntil(place, next))
      return true;
    const later = this.#firstSent(index, packet.at + this.#reaction_s);
    if (!later || !(later.flags & ACK)) return null;
    return !before(later.ack, packet.seq) && before(later.ack, end) ? false : null;
  }

  #resent(index: number): false | null {
    const packet = this.#packets[index]!;
    const lowest = this.#lowestAfter[this.#sentFrom(index, packet.at + this.#reaction_s)];
    return lowest !== undefined && lowest !== null && before(lowest, packet.ack) ? false : null;
  }

  #window(index: number): true | null {
    const place = this.#place.get(index)!;
    const allowed = this.#edgeBefore[place]!;
    const edge = this.#edge[place]!;
    if (allowed === null || edge === null || !before(allowed, edge)) return null;
    const from = this.#sentFrom(index);
    const highest = from > 0 ? this.#highestUntil[from - 1]! : null;
    if (highest !== null && before(allowed, highest)) return null;
    const next = this.#sent[from];
    const then = this.#highestUntil[from];
    if (next === undefined || then === null || then === undefined || !before(allowed, then)) return null;
    return this.#aloneUntil(place, this.#packets[next]!) ? true : null;
  }

  #quiet(index: number): true | null {
    const packet = this.#packets[index]!;
    const place = this.#place.get(index)!;
    const ackBefore = this.#ackBefore[place]!;
    if (ackBefore === null || !before(ackBefore, packet.ack)) return null;
    const until = packet.at + Math.max(QUIET_S, 2.5 * this.#slowestTimer[place]!);
    // Somebody must be there whose timer could have run out.
    if (!this.#firstSent(index, until) || this.#resetAt <= until) return null;
    const following = this.answers[place + 1];
    if (following !== undefined && this.#packets[following]!.at <= until) return null;
    return this.#resent(index) === null ? true : null;
  }

  /** Did another packet before `next` carry the same timestamp? They do not go back, so neighbours tell. */
  #sharesTimestamp(place: number, next: TrackedPacket): boolean {
    const own = this.#packets[this.answers[place]!]!.timestamp!.value;
    const previous = this.#packets[this.answers[place - 1] ?? -1]?.timestamp?.value ?? this.#synTimestamp;
    const following = this.#packets[this.answers[place + 1] ?? -1];
    return (
      previous === own ||
      (following !== undefined && following.number < next.number && following.timestamp?.value === own)
    );
  }

  /** No other packet of the responder, of those asked about, came between this one and what was sent next. */
  #aloneUntil(place: number, next: TrackedPacket): boolean {
    const following = this.answers[place + 1];
    return following === undefined || this.#packets[following]!.number > next.number;
  }

  #firstSent(index: number, at = Number.NEGATIVE_INFINITY): TrackedPacket | undefined {
    return this.#packets[this.#sent[this.#sentFrom(index, at)] ?? -1];
  }

  /** Position in `sent` of the first packet after that one, and not before that time. */
  #sentFrom(index: number, at = Number.NEGATIVE_INFINITY): number {
    let [low, high] = [0, this.#sent.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const candidate = this.#sent[middle]!;
      if (candidate > index && this.#packets[candidate]!.at >= at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The responder's window scale as both ends use it; null where no handshake was captured. */
function responderScale(packets: readonly TrackedPacket[]): number | null {
  let offered = false;
  for (const { fromOriginator, flags, windowScale } of packets) {
    if (!(flags & SYN)) continue;
    if (fromOriginator) offered = windowScale !== null;
    else return offered && windowScale !== null ? Math.min(windowScale, 14) : 0;
  }
  return null;
}
