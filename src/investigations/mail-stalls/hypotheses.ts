import type { Amount, Fact, Place } from '../../findings/finding.js';
import { count, share as percent, plural } from '../mail/words.js';
import { between } from '../statistics.js';
import type { CaptureView } from './capture.js';
import type { Circumstances, Seen } from './circumstances.js';
import { placesOf, type StallCourse, type StallScene } from './scene.js';

export const CULPRITS = [
  'fast-open-acks-dropped',
  'local-filter-drops-packets',
  'path-mtu-black-hole',
  'receiver-stopped-reading',
  'connection-reset',
  'packet-loss',
] as const;
export type CulpritId = (typeof CULPRITS)[number];

const SAYS: Record<CulpritId, string> = {
  'fast-open-acks-dropped': 'this host drops the receiver’s ACKs on TCP Fast Open connections',
  'local-filter-drops-packets': 'this host’s filter drops packets of the receiver, without Fast Open',
  'path-mtu-black-hole': 'packets of full size vanish on the way, and no ICMP message tells of it',
  'receiver-stopped-reading': 'the receiver stops reading, and its window closes',
  'connection-reset': 'the receiver, or something before it, resets the connection',
  'packet-loss': 'packets are lost on the way',
};

export interface Evidence {
  scene: StallScene;
  course: StallCourse;
  others: { large: number; largeStalled: number; fastOpen: number; passed: number };
  around: Circumstances;
  capture: CaptureView | null;
}

export interface Weighed {
  id: CulpritId;
  says: string;
  weight: number;
  signs: (Fact & { weight: number })[];
  bring: string[];
}

/** One thing that the evidence says, and how much likelier each hypothesis makes it than its absence (natural log). */
interface Observation {
  says: string;
  amount?: Amount;
  from: Fact['from'];
  weights: Partial<Record<CulpritId, number>>;
}

const PRIOR = -3;
/** Small packets fit any path: IPv6 guarantees 1,280 bytes (RFC 8200 section 5). */
const ONE_SEGMENT = 3_000;
/** Without a window scale a window is 64 kB at most (RFC 9293). */
const UNSCALED = 40_000;

export function weighAll(evidence: Evidence): Weighed[] {
  const observations = [...fromLog(evidence), ...fromSettings(evidence), ...fromCapture(evidence)];
  return CULPRITS.map((id): Weighed => {
    const signs = observations.flatMap(({ weights, ...fact }) => {
      const weight = weights[id];
      return weight === undefined || Math.abs(weight) < 0.05 ? [] : [{ ...fact, weight }];
    });
    return {
      id,
      says: SAYS[id],
      weight: PRIOR + signs.reduce((sum, s) => sum + s.weight, 0),
      signs,
      bring: bringFor(id, evidence),
    };
  }).toSorted((a, b) => b.weight - a.weight);
}

function fromLog({ course, others, scene }: Evidence): Observation[] {
  const { stalled, passed, split, resets } = course;
  const places = placesOf(stalled);
  const list: Observation[] = [];
  list.push({
    says:
      resets >= 0.5
        ? `${percent(resets)} of the broken tries ended with a reset or a closed connection, not with a timeout`
        : `${percent(1 - resets)} of the broken tries ended with a timeout, not with a reset`,
    amount: { value: Math.round(resets * 1000) / 10, unit: 'percent' },
    from: places,
    weights: {
      'connection-reset': between(resets, [
        [0.05, -7],
        [0.5, 1],
        [0.9, 8],
      ]),
      ...Object.fromEntries(
        CULPRITS.filter((c) => c !== 'connection-reset').map((c) => [
          c,
          resets >= 0.5
            ? between(resets, [
                [0.5, -1],
                [0.9, -5],
              ])
            : 0.5,
        ]),
      ),
    },
  });
  const sized = stalled.filter((t) => t.bytes !== null).length;
  if (sized >= 2 && passed.length >= 3) {
    const depends = between(course.auc, [
      [0.55, 0],
      [0.9, 1],
    ]);
    list.push({
      says: `${count(split.above[0])} of ${plural(split.above[0] + split.above[1], 'try').replace('trys', 'tries')} with messages of ${bytes(split.bytes)} and more broke off, ${count(split.below[0])} of ${count(split.below[0] + split.below[1])} with smaller ones (p ${p(course.p)})`,
      amount: { value: split.bytes, unit: 'byte' },
      from: places,
      weights: {
        'fast-open-acks-dropped': depends,
        'local-filter-drops-packets': depends * 0.7,
        'path-mtu-black-hole': depends * 0.7,
        'receiver-stopped-reading': depends * 0.7,
        'packet-loss': 0.5 - 1.5 * depends,
      },
    });
    const smallest = course.smallestStalled;
    list.push({
      says: `the smallest message that broke off has ${bytes(smallest)}, the largest that passed ${bytes(course.largestPassed)}`,
      from: places,
      weights:
        smallest < ONE_SEGMENT
          ? {
              'path-mtu-black-hole': 3.5,
              'fast-open-acks-dropped': -4,
              'local-filter-drops-packets': -2,
              'receiver-stopped-reading': -2,
            }
          : smallest > UNSCALED
            ? {
                'path-mtu-black-hole': -6,
                ...(course.largestPassed > smallest * 1.2
                  ? { 'fast-open-acks-dropped': 1.5, 'receiver-stopped-reading': -1.5 }
                  : { 'receiver-stopped-reading': 1 }),
              }
            : { 'path-mtu-black-hole': -3 },
    });
  }
  if (others.large > 0)
    list.push({
      says: `${count(others.largeStalled)} of ${plural(others.large, 'message')} as large to other receivers broke off`,
      from: scene.searched(),
      weights:
        others.large >= 3 && others.largeStalled === 0
          ? {
              'local-filter-drops-packets': -1,
              'packet-loss': -1,
              'fast-open-acks-dropped': course.fastOpenShare > 0 ? 0.5 : -0.5,
            }
          : { 'receiver-stopped-reading': -1, 'path-mtu-black-hole': -0.5 },
    });
  const { ipv4, ipv6 } = course.families;
  if (ipv4[0] > 0 && ipv6[0] > 0)
    list.push({
      says: `both families alike: ${count(ipv4[0])} tries by IPv4 and ${count(ipv6[0])} by IPv6 broke off`,
      from: places,
      weights: { 'path-mtu-black-hole': -0.3, 'fast-open-acks-dropped': 0.3 },
    });
  const anybody = others.fastOpen + passed.filter((t) => t.fastOpen).length;
  if (anybody > 0) {
    const here = course.fastOpenShare;
    list.push({
      says: `${percent(here)} of what this receiver took came by TCP Fast Open (TFO in the log)${others.passed > 0 ? `, ${percent(others.fastOpen / others.passed)} of what others took` : ''}`,
      from: here > 0 ? placesOf(passed.filter((t) => t.fastOpen)) : scene.searched(),
      weights: { 'fast-open-acks-dropped': here > 0.1 ? 2 : -5 },
    });
  } else if (passed.length > 10)
    list.push({
      says: 'no delivery in the log used TCP Fast Open (TFO)',
      from: scene.searched(),
      weights: { 'fast-open-acks-dropped': -3 },
    });
  return list;
}

const FILTERED: CulpritId[] = ['fast-open-acks-dropped', 'local-filter-drops-packets'];

function fromSettings({ around, course }: Evidence): Observation[] {
  const list: Observation[] = [];
  const add = (seen: Seen<unknown> | null, weights: Observation['weights']) => {
    if (seen && Object.keys(weights).length > 0) list.push({ says: seen.says, from: seen.from, weights });
  };
  const both = (weight: number): Observation['weights'] =>
    Object.fromEntries(FILTERED.map((id) => [id, weight]));
  // A cure in mid-log leaves settings that were not those of the stalls.
  const current = course.until === null;
  if (around.eximFastOpen)
    add(around.eximFastOpen, {
      'fast-open-acks-dropped':
        around.eximFastOpen.value === 'none'
          ? current
            ? -6
            : 1
          : around.eximFastOpen.value === 'all'
            ? 0.7
            : 0.2,
    });
  if (around.kernelFastOpen && !around.kernelFastOpen.value)
    add(around.kernelFastOpen, { 'fast-open-acks-dropped': current ? -7 : 0.5 });
  if (around.windowScaling && !around.windowScaling.value)
    add(around.windowScaling, { 'fast-open-acks-dropped': current ? -4 : 0.5 });
  if (around.liberal?.value) add(around.liberal, both(current ? -4 : 0));
  if (around.mtuProbing && around.mtuProbing.value > 0) add(around.mtuProbing, { 'path-mtu-black-hole': -3 });
  if (around.dropsInvalid) {
    const { rules, packets } = around.dropsInvalid.value;
    // DOMAIN: eleven healthy or otherwise broken machines counted none, the four with the fault over a thousand.
    add(
      around.dropsInvalid,
      both(rules === 0 ? -5 : packets === null ? 0.5 : packets === 0 ? -6 : packets > 50 ? 3 : 1),
    );
  }
  if (around.upgrade && course.since !== null) add(around.upgrade, { 'fast-open-acks-dropped': 2 });
  return list;
}

function fromCapture({ capture }: Evidence): Observation[] {
  if (!capture || capture.stalled.length === 0) return [];
  const list: Observation[] = [];
  const at = (packets: Place[]): Fact['from'] => (packets.length > 0 ? packets : capture.searched);
  const total = capture.stalled.length;
  const resent = capture.stalled.filter((c) => c.resentAfterAck > 0);
  const withCookie = resent.filter((c) => c.cookie);
  const part = resent.length / total;
  list.push({
    says:
      resent.length === 0
        ? `in none of the ${plural(total, 'broken connection')} of the capture was anything sent again whose ACK had arrived`
        : `in ${count(resent.length)} of ${plural(total, 'broken connection')} of the capture segments were sent again although the ACK for them had arrived (${count(resent.reduce((n, c) => n + c.resentAfterAck, 0))} segments): the ACK was captured here, and this host’s TCP never got it`,
    from: at(resent.flatMap((c) => c.resentPlaces).slice(0, 4)),
    weights:
      resent.length === 0
        ? { 'fast-open-acks-dropped': -7, 'local-filter-drops-packets': -7 }
        : {
            'fast-open-acks-dropped':
              between(part, [
                [0.05, 0],
                [0.5, 7],
              ]) + (withCookie.length === resent.length ? 3 : -6),
            'local-filter-drops-packets':
              between(part, [
                [0.05, 0],
                [0.5, 7],
              ]) + (withCookie.length === resent.length ? -3 : withCookie.length === 0 ? 3 : 0),
            'path-mtu-black-hole': -4 * part,
            'receiver-stopped-reading': -4 * part,
            'packet-loss': -5 * part,
            'connection-reset': -2 * part,
          },
  });
  if (resent.length > 0) {
    const cleanWithout = capture.healthy.filter((c) => !c.cookie).length;
    list.push({
      says: `${count(withCookie.length)} of these ${count(resent.length)} connections had sent a Fast Open cookie; of the connections without one ${count(resent.length - withCookie.length)} behaved so, and ${count(cleanWithout)} did not`,
      from: at(withCookie.map((c) => c.opened).slice(0, 3)),
      weights:
        withCookie.length === resent.length
          ? { 'fast-open-acks-dropped': 2, 'local-filter-drops-packets': -2 }
          : {},
    });
  }
  const closed = capture.stalled.filter((c) => c.zeroWindowSeconds >= 1 && c.endedAtZeroWindow);
  list.push({
    says:
      closed.length === 0
        ? 'the receiver’s window never stayed closed'
        : `in ${count(closed.length)} of ${plural(total, 'broken connection')} the receiver’s window closed and stayed closed (${Math.round(Math.max(...closed.map((c) => c.zeroWindowSeconds)))} s at worst)`,
    from: at(closed.flatMap((c) => c.zeroWindowPlaces).slice(0, 3)),
    weights:
      closed.length === 0
        ? { 'receiver-stopped-reading': -7 }
        : {
            'receiver-stopped-reading': between(closed.length / total, [
              [0.1, 0],
              [0.6, 11],
            ]),
            'path-mtu-black-hole': -4 * (closed.length / total),
            'packet-loss': -4 * (closed.length / total),
            'fast-open-acks-dropped': -3 * (closed.length / total),
            'local-filter-drops-packets': -3 * (closed.length / total),
          },
  });
  const hole = capture.stalled.filter((c) => c.fullSizeVanishes);
  list.push({
    says:
      hole.length === 0
        ? 'segments of full size were acknowledged in the broken connections too'
        : `in ${count(hole.length)} of ${plural(total, 'broken connection')} no segment larger than ${count(Math.max(...hole.map((c) => c.largestAcked)))} bytes was ever acknowledged, while ones of ${count(Math.max(...hole.map((c) => c.largestLost)))} bytes were sent again and again`,
    from: at(hole.flatMap((c) => c.holePlaces).slice(0, 3)),
    weights:
      hole.length === 0
        ? { 'path-mtu-black-hole': -7 }
        : {
            'path-mtu-black-hole': between(hole.length / total, [
              [0.1, 0],
              [0.6, 12],
            ]),
            'packet-loss': -3 * (hole.length / total),
            'receiver-stopped-reading': -2 * (hole.length / total),
          },
  });
  const reset = capture.stalled.filter((c) => c.resetByPeer);
  list.push({
    says:
      reset.length === 0
        ? 'the receiver reset none of the broken connections'
        : `the receiver’s side reset ${count(reset.length)} of ${plural(total, 'broken connection')} while the message was under way`,
    from: at(reset.flatMap((c) => c.resetPlaces).slice(0, 3)),
    // A receiver that has waited in vain resets too, late: that is no cause.
    weights:
      reset.length === 0
        ? { 'connection-reset': -6 }
        : {
            'connection-reset': between(reset.length / total, [
              [0.1, -1],
              [0.7, resent.length > 0 || hole.length > 0 || closed.length > 0 ? 0 : 6],
            ]),
          },
  });
  list.push({
    says: `${percent(capture.lossRate)} of the segments to this receiver were sent again in connections that went through, ${percent(capture.othersLossRate)} to others`,
    from: capture.searched,
    weights: {
      'packet-loss':
        between(capture.stalledLossRate, [
          [0.005, -5],
          [0.03, 0],
          [0.1, 4],
        ]) + (resent.length + hole.length + closed.length + reset.length === 0 ? 2 : -2),
    },
  });
  return list;
}

function bringFor(id: CulpritId, { capture, around, course }: Evidence): string[] {
  const list: string[] = [];
  if (!capture || capture.stalled.length === 0) list.push(captureCommand(course));
  if (FILTERED_IDS.has(id)) {
    if (!around.filterSeen)
      list.push('the filter with its counters: nft list ruleset (or iptables-save -c; ip6tables-save -c)');
    if (id === 'fast-open-acks-dropped' && !around.eximFastOpen)
      list.push('Exim’s configuration and version: exim -bV; exim -bP transports');
    if (!around.liberal) list.push('the kernel’s settings: sysctl -a');
  }
  if (id === 'path-mtu-black-hole') list.push(`tracepath -n ${host(course)} from this server`);
  return list.length > 0
    ? list
    : ['a capture that covers more of the broken connections, from their first packet on'];
}
const FILTERED_IDS = new Set<CulpritId>(FILTERED);

/** The one command that decides: headers suffice, from the handshake on. */
export function captureCommand(course: StallCourse): string {
  const addresses = [
    ...new Set(course.stalled.map((t) => t.ip).filter((ip) => ip !== null && /^[0-9a-f.:]+$/i.test(ip))),
  ].slice(0, 4);
  const filter =
    addresses.length > 0
      ? `tcp port 25 and (${addresses.map((a) => `host ${a}`).join(' or ')})`
      : 'tcp port 25';
  return `a capture of deliveries to it, from the handshake on: tcpdump -i any -s 128 -w smtp.pcap '${filter}'`;
}

const host = (course: StallCourse): string => {
  const name = course.stalled.find((t) => t.host !== null)?.host ?? '';
  return /^[\w.-]+$/.test(name) ? name : 'HOST';
};

export function bytes(n: number): string {
  if (!Number.isFinite(n)) return 'an unknown number of bytes';
  return n < 10_000
    ? `${count(n)} bytes`
    : n < 1e6
      ? `${(n / 1e3).toFixed(0)} kB`
      : `${(n / 1e6).toFixed(1)} MB`;
}

const p = (value: number): string => (value < 1e-4 ? '< 0.0001' : `= ${value.toPrecision(1)}`);
