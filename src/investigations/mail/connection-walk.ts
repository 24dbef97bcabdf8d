/**
 * One TCP connection's packets, told: phases, what went wrong with packet numbers, and the points of its graph.
 *
 * Shape:  `storyOf` takes the packets of one connection in file order; it never throws, whatever they hold.
 * Units:  seconds since its first packet; sequence numbers relative to the SYN of the side that sent them.
 * Source: RFC 9293 (sequence numbers, windows), RFC 7323 (scaling), RFC 2018 (SACK), RFC 7413 (Fast Open), RFC 5321
 *         (the order of SMTP); what a packet is (sent again, probe …) is the capture reader's `analysis`.
 */
import type {
  ConnectionFact,
  ConnectionOutcome,
  ConnectionStory,
  DrawnPoint,
  FoundConnection,
  PointKind,
  Traffic,
} from '../../findings/connection-story.js';
import type { Fact, Place } from '../../findings/finding.js';
import { ANALYSIS, FAST_OPEN, FLAG } from './connection-bits.js';
import type { Handshake, Placed, Places, StoryPacket } from './connection-packets.js';
import { phasesOf } from './connection-phases.js';
import { count, duration as longer, plural } from './words.js';

/** Less than this is no stall and no pause, but a slow program. */
const LEAST_STALL_S = 1;
const LEAST_PAUSE_S = 1;
const MOST_PAUSES = 5;
const MOST_CLOSINGS = 5;
/** Places of a fact. */
const MOST_PLACES = 12;
/** Points of one kind. */
const MOST_POINTS = 1500;

const SIDES = ['client', 'server'] as const;

/** `0.42 ms`, `310 ms`, `1.4 s`, `2 min 5 s`. */
function inWords(s: number): string {
  if (s >= 1) return longer(s);
  if (s >= 0.0095) return `${Math.round(s * 1000)} ms`;
  return s <= 0 ? '0 s' : `${Number((s * 1000).toPrecision(2))} ms`;
}

/** Numbers modulo 2^32 as ones that go on, beside the highest seen so far (RFC 9293, section 3.4). */
class Sequence {
  highest = 0;
  constructor(readonly base: number) {}

  place(seq: number): number {
    return this.highest + ((seq - this.base - this.highest) | 0);
  }
}

/** Bytes of one side: what was sent, again, and acknowledged. */
class Side {
  readonly traffic: Traffic = { packets: 0, bytes: 0, repeatedBytes: 0, acknowledgedBytes: 0 };
  acked = 1;
  /** The packet with the newest ACK for it. */
  ackedBy: Placed | null = null;
  closedSince: Placed | null = null;
  fin: Placed | null = null;
}

export function storyOf(
  found: FoundConnection,
  packets: readonly StoryPacket[],
  icmp: readonly { line: number; mtu: number }[],
): ConnectionStory {
  const place = (line: number): Place => ({ path: found.capture, packet: line });
  const walk = walkOf(packets);
  const { placed, sides } = walk;
  const handshake = handshakeOf(placed, place);
  const seconds = placed.at(-1)?.at ?? 0;
  const { source, originatorBytes, responderBytes, resentAfterAck, ...identity } = found;
  const sender: 0 | 1 =
    sides[1].traffic.bytes > 20_000 && sides[1].traffic.bytes > 4 * sides[0].traffic.bytes ? 1 : 0;
  const stall = stallOf(walk, sender, handshake.roundTrip, place);
  const end = endOf(walk, stall.seconds, place);
  const drawing = pointsOf(walk, sender);
  return {
    ...identity,
    packetsRead: packets.length,
    seconds,
    outcome: end.outcome,
    says: end.says,
    traffic: { originator: sides[0].traffic, responder: sides[1].traffic },
    phases: phasesOf(placed, found, handshake, place),
    facts: [
      ...stall.facts,
      ...resentFacts(walk, place),
      ...windowFacts(walk, place),
      ...pathFacts(icmp, place),
      ...pauseFacts(placed, packets.length < found.packets, place),
      ...end.facts,
    ],
    drawing,
  };
}

// ── The walk

interface Closing {
  side: 0 | 1;
  from: Placed;
  until: Placed | null;
  untilAt: number;
}

interface Progress {
  at: number;
  line: number;
}

interface Walk {
  placed: Placed[];
  sides: [Side, Side];
  hasSyn: [boolean, boolean];
  base: [number, number];
  /** Each rise of what is acknowledged of a side, in order. */
  rises: [{ at: number; line: number; ack: number }[], { at: number; line: number; ack: number }[]];
  /** Packets that brought a side's data on: new bytes, or an ACK for more. */
  progress: [Progress[], Progress[]];
  closings: Closing[];
  resets: Placed[];
}

function walkOf(packets: readonly StoryPacket[]): Walk {
  const kept = packets.filter((p) => (p.analysis & ANALYSIS.duplicatePacket) === 0);
  const start = kept.find((p) => p.us !== null)?.us ?? 0;
  const syn = ([0, 1] as const).map((s) => kept.find((p) => p.responder === s && p.flags & FLAG.syn));
  const sequences = ([0, 1] as const).map((s) => {
    const first = syn[s] ?? kept.find((p) => p.responder === s && !(p.flags & FLAG.rst));
    const acked = kept.find((p) => p.responder !== s && p.flags & FLAG.ack);
    // With no SYN, a first segment's number stands for the first byte, which is 1.
    return new Sequence(syn[s] ? syn[s].seq : ((first?.seq ?? acked?.ack ?? 1) - 1) >>> 0);
  }) as [Sequence, Sequence];
  const walk: Walk = {
    placed: [],
    sides: [new Side(), new Side()],
    hasSyn: [syn[0] !== undefined, syn[1] !== undefined],
    base: [sequences[0].base, sequences[1].base],
    rises: [[], []],
    progress: [[], []],
    closings: [],
    resets: [],
  };
  let at = 0;
  for (const p of kept) {
    if (p.us !== null) at = Math.max(at, (p.us - start) / 1e6);
    step(walk, sequences, p, at);
  }
  for (const s of [0, 1] as const) {
    const { closedSince } = walk.sides[s];
    if (closedSince) walk.closings.push({ side: s, from: closedSince, until: null, untilAt: at });
  }
  return walk;
}

function step(walk: Walk, sequences: [Sequence, Sequence], p: StoryPacket, at: number): void {
  const side: 0 | 1 = p.responder === 1 ? 1 : 0;
  const other: 0 | 1 = side === 1 ? 0 : 1;
  const mine = walk.sides[side];
  const theirs = walk.sides[other];
  const own = sequences[side];
  const payload = Math.max(0, p.payload);
  const begin = own.place(p.seq);
  const from = begin + (p.flags & FLAG.syn ? 1 : 0);
  const to = from + payload;
  const hasAck = (p.flags & FLAG.ack) !== 0;
  const ack = hasAck ? sequences[other].place(p.ack) : null;
  const one: Placed = { p, at, side, from, to, ack };
  walk.placed.push(one);
  mine.traffic.packets++;
  const isReset = (p.flags & FLAG.rst) !== 0;
  if (isReset) walk.resets.push(one);
  const isProbe = (p.analysis & (ANALYSIS.keepAlive | ANALYSIS.zeroWindowProbe)) !== 0;
  if (payload > 0 && !isProbe) {
    const highest = Math.max(1, own.highest);
    const fresh = Math.min(payload, Math.max(0, to - Math.max(highest, from)));
    const again = (p.analysis & ANALYSIS.resent) !== 0 ? payload - fresh : 0;
    mine.traffic.bytes += (p.analysis & ANALYSIS.resent) !== 0 ? fresh : payload;
    mine.traffic.repeatedBytes += again;
    if (fresh > 0) walk.progress[side].push({ at, line: p.line });
  }
  if (!isReset) own.highest = Math.max(own.highest, to);
  if (p.flags & FLAG.fin) {
    mine.fin ??= one;
    own.highest = Math.max(own.highest, to + 1);
  }
  if (ack === null || isReset) return;
  // An ACK for what the capture never saw sent carries the numbers on.
  if (ack > sequences[other].highest) sequences[other].highest = ack;
  if (ack > theirs.acked || theirs.ackedBy === null) {
    if (ack > theirs.acked) walk.progress[other].push({ at, line: p.line });
    theirs.acked = Math.max(theirs.acked, ack);
    theirs.ackedBy = one;
    walk.rises[other].push({ at, line: p.line, ack });
    theirs.traffic.acknowledgedBytes = Math.min(theirs.traffic.bytes, Math.max(0, theirs.acked - 1));
  }
  if (p.win === 0 || (p.win < 0 && p.raw === 0)) mine.closedSince ??= one;
  else if (mine.closedSince) {
    walk.closings.push({ side, from: mine.closedSince, until: one, untilAt: at });
    mine.closedSince = null;
  }
}

// ── Handshake

function handshakeOf(placed: readonly Placed[], place: Places): Handshake {
  const facts: Fact[] = [];
  const say = (says: string, ...from: Placed[]) =>
    facts.push({ says, from: from.map(({ p }) => place(p.line)) });
  const syns = placed.filter(({ p, side }) => side === 0 && p.flags & FLAG.syn && !(p.flags & FLAG.ack));
  const answers = placed.filter(({ p, side }) => side === 1 && p.flags & FLAG.syn);
  const syn = syns[0];
  const answer = answers[0];
  if (!syn && !answer) {
    const first = placed[0];
    return {
      facts: first
        ? [
            {
              says: 'the capture has no handshake of it: it was under way already, so its options are not known',
              from: [place(first.p.line)],
            },
          ]
        : [],
      places: [],
      doneAt: 0,
      roundTrip: null,
    };
  }
  if (syn) {
    say(`SYN: ${optionsOf(syn.p)}`, syn);
    if (syns.length > 1)
      say(
        `sent ${count(syns.length)} times, up to ${inWords(syns.at(-1)!.at - syn.at)} later`,
        ...some(syns),
      );
  }
  if (!answer) {
    if (syn) say('no SYN-ACK came', syns.at(-1)!);
    return { facts, places: syns.slice(0, 3).map(({ p }) => place(p.line)), doneAt: 0, roundTrip: null };
  }
  say(`SYN-ACK: ${optionsOf(answer.p)}`, answer);
  if (answers.length > 1) say(`SYN-ACK sent ${count(answers.length)} times`, ...some(answers));
  if (syn) {
    const scaled = syn.p.scale >= 0 && answer.p.scale >= 0;
    if (!scaled)
      say('window scaling is off, since not both offered it: no window over 65,535 bytes', syn, answer);
    if (syn.p.payload > 0 && answer.ack !== null) {
      const taken = Math.max(0, Math.min(syn.p.payload, answer.ack - 1));
      say(
        taken > 0
          ? `the server took ${plural(taken, 'byte')} of data with the SYN (Fast Open)`
          : 'the server did not take the data on the SYN: Fast Open was refused',
        answer,
      );
    }
  }
  const third = placed.find(
    ({ p, side, at }) =>
      side === 0 &&
      !(p.flags & (FLAG.syn | FLAG.rst)) &&
      p.flags & FLAG.ack &&
      at >= answer.at &&
      p.line > answer.p.line,
  );
  const early = placed.find(
    ({ p, side }) =>
      side === 1 && p.payload > 0 && p.line > answer.p.line && (third === undefined || p.line < third.p.line),
  );
  if (early && third)
    say(
      'the server spoke before the third packet of the handshake was here, as it may when the SYN brought a Fast Open cookie',
      early,
      third,
    );
  const out = syn && syns.length === 1 && answers.length === 1 ? answer.at - syn.at : null;
  const back = third && answers.length === 1 ? third.at - answer.at : null;
  if (out !== null)
    say(
      `round trip ${inWords(out)} from the capture to the server${back === null ? '' : `, ${inWords(back)} to the client`}`,
      syn!,
      answer,
      ...(third ? [third] : []),
    );
  if (!third) say('its third packet is not in the capture', answer);
  return {
    facts,
    places: [syn, answer, third].flatMap((one) => (one ? [place(one.p.line)] : [])),
    doneAt: (third ?? answer).at,
    roundTrip: out === null ? null : out + (back ?? 0),
  };
}

function optionsOf(p: StoryPacket): string {
  const has = (yes: boolean, words: string) => (yes ? words : `no ${words}`);
  return [
    p.mss > 0 ? `MSS ${count(p.mss)}` : 'no MSS',
    p.scale >= 0 ? `window scale ${p.scale} (×${count(2 ** Math.min(14, p.scale))})` : 'no window scale',
    has(p.sack === 1, 'SACK'),
    has(p.stamp !== 0 || p.echo !== 0, 'timestamps'),
    ...(p.fast === FAST_OPEN.none
      ? []
      : [
          p.fast === FAST_OPEN.cookie
            ? p.flags & FLAG.ack
              ? 'gives a Fast Open cookie'
              : 'with a Fast Open cookie'
            : 'asks for a Fast Open cookie',
        ]),
    ...(p.payload > 0 ? [`${plural(p.payload, 'byte')} of data on it`] : []),
  ].join(', ');
}

/** The first few, and the last. */
function some<T>(list: readonly T[], most = MOST_PLACES): T[] {
  return list.length <= most ? [...list] : [...list.slice(0, most - 1), list.at(-1)!];
}

// ── Where it stalled

interface Stall {
  seconds: number;
  facts: ConnectionFact[];
}

/** The longest time in which nothing of the sender's data got on, although it was owed something. */
function stallOf(walk: Walk, sender: 0 | 1, roundTrip: number | null, place: Places): Stall {
  const { placed, closings } = walk;
  const last = placed.at(-1);
  const least = Math.max(LEAST_STALL_S, 4 * (roundTrip ?? 0));
  const steps: Progress[] = [...walk.progress[sender]];
  if (!last || steps.length === 0) return { seconds: 0, facts: [] };
  let worst: { from: Progress; until: Progress; ended: boolean } | null = null;
  // One walk over the packets beside the steps: what is owed between two of them.
  const shuttings = closings.filter(({ side }) => side !== sender);
  let c = 0;
  let i = 0;
  let sent = 1;
  let acked = 1;
  for (let k = 0; k < steps.length; k++) {
    const from = steps[k]!;
    const until = steps[k + 1] ?? { at: last.at, line: last.p.line };
    let again = false;
    for (; i < placed.length && placed[i]!.p.line <= from.line; i++) {
      const one = placed[i]!;
      if (one.side === sender && !(one.p.flags & FLAG.rst)) sent = Math.max(sent, one.to);
      else if (one.side !== sender && one.ack !== null) acked = Math.max(acked, one.ack);
    }
    if (until.at - from.at < least || (worst && until.at - from.at <= worst.until.at - worst.from.at))
      continue;
    for (let j = i; j < placed.length && placed[j]!.p.line <= until.line; j++)
      again ||=
        placed[j]!.side === sender &&
        (placed[j]!.p.analysis & (ANALYSIS.resent | ANALYSIS.zeroWindowProbe)) !== 0;
    while (c < shuttings.length && shuttings[c]!.untilAt <= from.at) c++;
    let shut = false;
    for (let j = c; j < shuttings.length && shuttings[j]!.from.at < until.at; j++)
      shut ||= shuttings[j]!.untilAt - shuttings[j]!.from.at >= least / 2;
    if (sent > acked || again || shut) worst = { from, until, ended: k === steps.length - 1 };
  }
  if (!worst) return { seconds: 0, facts: [] };
  return { seconds: worst.until.at - worst.from.at, facts: stallFacts(walk, sender, worst, place) };
}

function stallFacts(
  walk: Walk,
  sender: 0 | 1,
  { from, until, ended }: { from: Progress; until: Progress; ended: boolean },
  place: Places,
): ConnectionFact[] {
  const { placed, rises, base } = walk;
  const [who, peer] = sender === 0 ? SIDES : [SIDES[1], SIDES[0]];
  const facts: ConnectionFact[] = [];
  const say = (says: string, lines: number[]) =>
    facts.push({ about: 'stall', says, from: some(lines).map(place) });
  say(
    `nothing of the ${who}’s data got on for ${inWords(until.at - from.at)}, from ${inWords(from.at)} ${ended ? 'to the end' : 'on'}`,
    [from.line, until.line],
  );
  const rise = rises[sender].findLast((r) => r.line <= from.line);
  const within = placed.filter(({ p }) => p.line > from.line && p.line <= until.line);
  if (rise) {
    const repeats = within.filter(
      (o) => o.side !== sender && o.ack === rise.ack && !(o.p.flags & FLAG.rst) && o.p.payload <= 0,
    );
    say(
      `the ${peer}’s last ACK before it is number ${count(rise.ack)} (${(base[sender] + rise.ack) >>> 0} in the header)${
        repeats.length > 0 ? `, repeated ${plural(repeats.length, 'time')} since` : ', not repeated since'
      }`,
      [rise.line, ...repeats.map((o) => o.p.line)],
    );
    const sent = placed
      .filter((o) => o.side === sender && o.p.line <= from.line && !(o.p.flags & FLAG.rst))
      .reduce((max, o) => Math.max(max, o.to), 1);
    if (sent > rise.ack)
      say(`${plural(sent - rise.ack, 'byte')} were on the way then without an ACK`, [from.line]);
    else say('all that was sent until then has its ACK in the capture', [rise.line]);
  }
  const ignored = within.filter((o) => o.side === sender && o.p.analysis & ANALYSIS.resentAfterAck);
  const first = ignored[0];
  if (first) {
    const ackFor = rises[sender].find((r) => r.ack >= first.to);
    say(
      `the ${who} sent bytes ${count(first.from)} to ${count(first.to)} again ${plural(ignored.length, 'time')}${
        ackFor
          ? `; the ACK for them was in the capture ${inWords(first.at - ackFor.at)} before the first of these`
          : ''
      }: the ${who}’s TCP never got it`,
      [...(ackFor ? [ackFor.line] : []), ...ignored.map((o) => o.p.line)],
    );
  }
  return facts;
}

// ── What was sent again

const KINDS: readonly { bit: number; says: string }[] = [
  { bit: ANALYSIS.resentAfterAck, says: 'sent again although the ACK was in the capture' },
  { bit: ANALYSIS.spuriousRetransmission, says: 'sent again although it had been acknowledged' },
  { bit: ANALYSIS.fastRetransmission, says: 'sent again after repeated ACKs (fast retransmission)' },
  { bit: ANALYSIS.retransmission, says: 'sent again after a time without an ACK' },
  { bit: ANALYSIS.outOfOrder, says: 'out of order' },
  { bit: ANALYSIS.lostSegment, says: 'before which a segment is missing in the capture' },
];

function resentFacts({ placed }: Walk, place: Places): ConnectionFact[] {
  const facts: ConnectionFact[] = [];
  for (const side of [0, 1] as const) {
    let left = placed.filter((o) => o.side === side && !(o.p.flags & FLAG.syn));
    for (const { bit, says } of KINDS) {
      const these = left.filter((o) => o.p.analysis & bit);
      if (these.length === 0) continue;
      left = left.filter((o) => !(o.p.analysis & bit));
      const payload = these.reduce((n, o) => n + Math.max(0, o.p.payload), 0);
      facts.push({
        about: 'resent',
        says: `${plural(these.length, 'segment')} of the ${SIDES[side]} (${plural(payload, 'byte')}) ${says}`,
        amount: { value: payload, unit: 'byte' },
        from: some(these).map((o) => place(o.p.line)),
      });
    }
  }
  return facts;
}

// ── Windows, the path, pauses

function windowFacts({ placed, closings }: Walk, place: Places): ConnectionFact[] {
  const facts: ConnectionFact[] = [];
  const ordered = closings.toSorted((a, b) => b.untilAt - b.from.at - (a.untilAt - a.from.at));
  for (const { side, from, until, untilAt } of ordered.slice(0, MOST_CLOSINGS))
    facts.push({
      about: 'window',
      says: `the ${SIDES[side]}’s window was 0 for ${inWords(untilAt - from.at)}, from ${inWords(from.at)} ${until ? 'on' : 'to the end'}`,
      amount: { value: untilAt - from.at, unit: 'second' },
      from: [place(from.p.line), ...(until ? [place(until.p.line)] : [])],
    });
  if (ordered.length > MOST_CLOSINGS) {
    const rest = ordered.slice(MOST_CLOSINGS);
    facts.push({
      about: 'window',
      says: `closed ${plural(rest.length, 'time')} more, for no longer`,
      from: some(rest).map((c) => place(c.from.p.line)),
    });
  }
  for (const side of [0, 1] as const) {
    const of = (bit: number) => placed.filter((o) => o.side === side && o.p.analysis & bit);
    const probes = of(ANALYSIS.zeroWindowProbe);
    if (probes.length > 0)
      facts.push({
        about: 'window',
        says: `the ${SIDES[side]} probed the closed window ${plural(probes.length, 'time')}`,
        from: some(probes).map((o) => place(o.p.line)),
      });
    const full = of(ANALYSIS.windowFull);
    if (full.length > 0)
      facts.push({
        about: 'window',
        says: `the ${SIDES[side]} filled the other’s window ${plural(full.length, 'time')}: more was not allowed`,
        from: some(full).map((o) => place(o.p.line)),
      });
  }
  return facts;
}

function pathFacts(icmp: readonly { line: number; mtu: number }[], place: Places): ConnectionFact[] {
  if (icmp.length === 0) return [];
  const least = Math.min(...icmp.map(({ mtu }) => mtu).filter((mtu) => mtu > 0));
  return [
    {
      about: 'path',
      says: `meanwhile ${plural(icmp.length, 'ICMP message')} to one of the two asked for smaller packets${
        Number.isFinite(least) ? ` (MTU ${count(least)})` : ''
      }, for this connection or another`,
      from: some(icmp).map(({ line }) => place(line)),
    },
  ];
}

function pauseFacts(placed: readonly Placed[], cut: boolean, place: Places): ConnectionFact[] {
  const pauses = placed.slice(1).map((one, i) => ({ one, before: placed[i]!, s: one.at - placed[i]!.at }));
  // In the middle of what was read of a long one lies what was not.
  const read = cut ? pauses.filter(({ before }) => before !== placed[149_999]) : pauses;
  const long = read.filter(({ s }) => s >= LEAST_PAUSE_S).toSorted((a, b) => b.s - a.s);
  const facts: ConnectionFact[] = long.slice(0, MOST_PAUSES).map(({ one, before, s }) => ({
    about: 'pause',
    says: `${inWords(s)} without a packet, from ${inWords(before.at)} on; then the ${SIDES[one.side]} ${deed(one)}`,
    amount: { value: s, unit: 'second' },
    from: [place(before.p.line), place(one.p.line)],
  }));
  if (long.length > MOST_PAUSES)
    facts.push({
      about: 'pause',
      says: `${plural(long.length - MOST_PAUSES, 'shorter pause')} of a second and more`,
      from: some(long.slice(MOST_PAUSES)).map(({ before }) => place(before.p.line)),
    });
  return facts;
}

/** What a packet does, after "the client". */
function deed({ p }: Placed): string {
  if (p.flags & FLAG.rst) return 'reset the connection';
  if (p.analysis & ANALYSIS.zeroWindowProbe) return 'probed the closed window';
  if (p.analysis & ANALYSIS.keepAlive) return 'asked whether the other still lives (keep-alive)';
  if (p.analysis & ANALYSIS.resent) return 'sent again what it had sent';
  if (p.flags & FLAG.fin) return 'closed its side';
  if (p.flags & FLAG.syn) return 'sent SYN again';
  if (p.payload > 0) return `sent ${plural(p.payload, 'byte')}`;
  if (p.analysis & ANALYSIS.windowUpdate) return 'opened its window';
  return 'sent an ACK';
}

// ── How it ended

function endOf(
  walk: Walk,
  stalledS: number,
  place: Places,
): { outcome: ConnectionOutcome; says: string; facts: ConnectionFact[] } {
  const { placed, resets, sides, hasSyn } = walk;
  const last = placed.at(-1);
  const facts: ConnectionFact[] = [];
  const say = (says: string, ...from: Placed[]) =>
    facts.push({ about: 'end', says, from: some(from).map((o) => place(o.p.line)) });
  for (const s of [0, 1] as const) {
    const { fin, acked } = sides[s];
    if (fin)
      say(
        `the ${SIDES[s]} closed its side (FIN) at ${inWords(fin.at)}${acked > fin.to ? '' : ', which has no ACK'}`,
        fin,
      );
  }
  const reset = resets[0];
  if (reset) {
    const s = reset.side;
    const other = s === 0 ? 1 : 0;
    const times = resets.filter((r) => r.side === s);
    const owed = placed
      .filter((o) => o.side === other && o.p.line < reset.p.line && !(o.p.flags & FLAG.rst))
      .reduce((max, o) => Math.max(max, o.to), 1);
    const acked = walk.rises[other].findLast((r) => r.line < reset.p.line)?.ack ?? 1;
    say(
      `the ${SIDES[s]} reset it (RST${times.length > 1 ? `, ${count(times.length)} times` : ''}) at ${inWords(reset.at)}${
        owed > acked ? `, with ${plural(owed - acked, 'byte')} of the ${SIDES[other]} not acknowledged` : ''
      }`,
      ...times,
    );
    const echo = resets.find((r) => r.side !== s);
    if (echo) say(`the ${SIDES[other]} sent RST too`, echo);
  }
  if (last && !reset && !(sides[0].fin && sides[1].fin))
    say(
      `the capture has no end of it: the last packet is the ${SIDES[last.side]}’s, at ${inWords(last.at)}`,
      last,
    );
  const closed = sides[0].fin && sides[1].fin;
  const answered = placed.some((o) => o.side === 1 && !(o.p.flags & FLAG.rst));
  const stalled = stalledS > 0 ? `; stalled for ${inWords(stalledS)}` : '';
  const outcome = (is: ConnectionOutcome, says: string) => ({ outcome: is, says, facts });
  if (hasSyn[0] && !answered)
    return reset
      ? outcome('refused', 'refused: the SYN was answered with a reset')
      : outcome('unanswered', 'never answered');
  const lengthS = last?.at ?? 0;
  // Whatever closes a connection that hung for most of its time is not what is wrong with it.
  if (stalledS > 0 && stalledS >= lengthS / 2)
    return outcome(
      'stalled',
      `stalled for ${inWords(stalledS)}${stalledS > 0.98 * lengthS ? '' : ` of ${inWords(lengthS)}`}${reset ? `, then reset by the ${SIDES[reset.side]}` : ''}`,
    );
  if (closed) return outcome('closed', `closed by both${reset ? ', then RST' : ''}${stalled}`);
  if (reset) {
    const afterFin = sides[0].fin ?? sides[1].fin;
    return outcome(
      'reset',
      `reset by the ${SIDES[reset.side]}${afterFin ? ` after the ${SIDES[afterFin.side]} had closed` : ''}${stalled}`,
    );
  }
  if (sides[0].fin || sides[1].fin)
    return outcome('half-closed', `closed by the ${sides[0].fin ? SIDES[0] : SIDES[1]} only${stalled}`);
  return outcome('open', `open still when the capture ends${stalled}`);
}

// ── Points

function pointsOf({ placed }: Walk, sender: 0 | 1): ConnectionStory['drawing'] {
  const kinds = new Map<PointKind, DrawnPoint[]>();
  const add = (kind: PointKind, o: Placed, from: number, to: number) => {
    const list = kinds.get(kind) ?? [];
    list.push({ kind, atS: o.at, from, to, packet: o.p.line });
    kinds.set(kind, list);
  };
  for (const o of placed) {
    const { p, side } = o;
    if (p.flags & FLAG.rst) {
      add('reset', o, side === sender ? o.from : (o.ack ?? 0), side === sender ? o.from : (o.ack ?? 0));
      continue;
    }
    if (side === sender) {
      if (p.analysis & (ANALYSIS.zeroWindowProbe | ANALYSIS.keepAlive)) add('probe', o, o.from, o.to);
      else if (p.payload > 0)
        add(
          p.analysis & ANALYSIS.resentAfterAck
            ? 'resent-after-ack'
            : p.analysis & ANALYSIS.resent
              ? 'retransmission'
              : 'data',
          o,
          o.from,
          o.to,
        );
      if (p.flags & FLAG.fin) add('fin', o, o.to, o.to);
      continue;
    }
    if (o.ack === null) continue;
    add('ack', o, o.ack, o.ack);
    if (p.win === 0) add('zero-window', o, o.ack, o.ack);
    // The window of a SYN is not scaled (RFC 7323, section 2.2); as bytes it stands as it is.
    if (p.win >= 0) add('window', o, o.ack + p.win, o.ack + p.win);
    for (let b = 0; b < Math.min(4, p.blocks); b++) {
      const left = [p.l1, p.l2, p.l3, p.l4][b]!;
      const right = [p.r1, p.r2, p.r3, p.r4][b]!;
      // Beside the ACK of the same packet, modulo 2^32.
      const at = o.ack + ((left - p.ack) | 0);
      const length = (right - left) >>> 0;
      if (length < 2 ** 30) add('sack', o, at, at + length);
    }
  }
  let merged = 0;
  const points = [...kinds.values()].flatMap((list) => {
    const thin = thinned(list);
    merged += list.length - thin.length;
    return thin;
  });
  return {
    sender: sender === 0 ? 'originator' : 'responder',
    points: points.toSorted((a, b) => a.atS - b.atS || a.packet - b.packet),
    merged,
  };
}

/** So many in a row become one that spans them. */
function thinned(list: DrawnPoint[]): DrawnPoint[] {
  if (list.length <= MOST_POINTS) return list;
  const each = Math.ceil(list.length / MOST_POINTS);
  const isLine = list[0]!.kind === 'ack' || list[0]!.kind === 'window';
  return Array.from({ length: Math.ceil(list.length / each) }, (_, i) => {
    const these = list.slice(i * each, (i + 1) * each);
    const newest = these.at(-1)!;
    if (isLine) return newest;
    return {
      ...these[0]!,
      from: these.reduce((min, d) => Math.min(min, d.from), Number.POSITIVE_INFINITY),
      to: these.reduce((max, d) => Math.max(max, d.to), Number.NEGATIVE_INFINITY),
    };
  });
}
