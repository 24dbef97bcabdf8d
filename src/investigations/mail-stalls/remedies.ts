import type { Remedy } from '../../findings/finding.js';
import { KERNEL_FIXES } from '../../knowledge/kernel-fixes.js';
import type { Circumstances } from './circumstances.js';
import type { CulpritId } from './hypotheses.js';
import type { StallCourse } from './scene.js';

type Change = Omit<Remedy, 'preferred'>;

export interface RemedyPlace {
  /** The smtp transport of Exim's configuration, where the evidence has it. */
  transport: { name: string; path: string; line: number } | null;
  /** The filter rule that drops INVALID, as it stands. */
  rule: { text: string; path: string; line: number } | null;
  postfix: boolean;
}

/** What is to be done, exactly; the first is preferred. */
export function remediesFor(
  culprit: CulpritId,
  course: StallCourse,
  around: Circumstances,
  place: RemedyPlace,
): { remedies: Remedy[]; avoid: string[] } {
  const changes = REMEDIES[culprit](course, around, place);
  return { remedies: changes.map((c, i) => ({ ...c, preferred: i === 0 })), avoid: AVOID[culprit] };
}

const LIBERAL: Change = {
  title: 'Let connection tracking pass what lies out of window',
  change: 'net.netfilter.nf_conntrack_tcp_be_liberal = 1',
  where:
    'a file in /etc/sysctl.d, e.g. 90-conntrack.conf; then sysctl --system (the module nf_conntrack must be loaded)',
  cost: 'only resets out of window are INVALID then: a little less is filtered for every TCP connection',
  undo: 'rm the file; sysctl net.netfilter.nf_conntrack_tcp_be_liberal=0',
};

/** Which kernels forget no window scale, as far as it was looked up (knowledge/kernel-fixes.ts). */
function newerKernel(around: Circumstances): Change {
  const fix = KERNEL_FIXES.find((f) => f.id === 'conntrack-reinit-syn-only')!;
  const upstream = fix.upstream
    .map((u) => (u.line === 'mainline' ? `Linux ${u.since}` : `${u.since}`))
    .join(', ');
  const debian = fix.debian
    .map((d) =>
      d.since === null
        ? `Debian ${d.release} has it in none of its own kernels up to ${d.lookedAt}`
        : `every kernel of Debian ${d.release} has it`,
    )
    .join('; ');
  return {
    title: 'A kernel whose connection tracking keeps the window scale',
    change: `one with the commit “${fix.subject}” (${fix.commit}): ${upstream} and newer; ${debian}`,
    where: around.kernel ? `this one is ${around.kernel.value}` : 'uname -r shows the one that runs',
    cost: 'a reboot; it cures the cause only where that bug is the reason for the drops',
    undo: 'boot the old kernel',
  };
}

const suffix = (course: StallCourse): string => {
  const name = course.stalled.find((t) => t.host !== null && /^[\w.-]+$/.test(t.host))?.host ?? '';
  return name.split('.').slice(-2).join('.');
};

const REMEDIES: Record<
  CulpritId,
  (course: StallCourse, around: Circumstances, place: RemedyPlace) => Change[]
> = {
  'fast-open-acks-dropped': (course, around, { transport, rule }) => [
    {
      title: 'Do not use TCP Fast Open for mail',
      change: 'hosts_try_fastopen = !*',
      where: transport
        ? `${transport.path}, in the transport ${transport.name} (begins at line ${transport.line}); then ${transport.path.includes('conf.d') ? 'update-exim4.conf and ' : ''}systemctl restart exim4: a reload leaves deliveries that hang`
        : 'the smtp transport of Exim’s configuration (Debian: conf.d/transport/30_exim4-config_remote_smtp); then update-exim4.conf and systemctl restart exim4: a reload leaves deliveries that hang',
      cost: `none to speak of: one round trip more for each connection${suffix(course) ? `; for this receiver alone: hosts_try_fastopen = !*.${suffix(course)} : *` : ''}`,
      undo: 'take the line out and restart Exim',
    },
    LIBERAL,
    newerKernel(around),
    {
      title: 'Accept this host’s own mail connections before INVALID is dropped',
      change: 'nft insert rule inet filter input tcp sport 25 ct state invalid accept',
      where: rule
        ? `before “${rule.text}” (${rule.path}, line ${rule.line}); write it into the filter’s own file too`
        : 'before the rule that drops ct state invalid, in the filter’s own file too',
      cost: 'packets from port 25 that belong to no connection reach the TCP stack, which answers them with a reset',
      undo: 'nft -a list chain inet filter input shows its handle: nft delete rule inet filter input handle N',
    },
  ],
  'local-filter-drops-packets': (_course, _around, { rule }) => [
    {
      title: 'Accept packets of this host’s own mail connections before INVALID is dropped',
      change: 'nft insert rule inet filter input tcp sport 25 ct state invalid accept',
      where: rule
        ? `before “${rule.text}” (${rule.path}, line ${rule.line}); write it into the filter’s own file too`
        : 'before the rule that drops them, in the filter’s own file too',
      cost: 'packets from port 25 that belong to no connection reach the TCP stack, which answers them with a reset',
      undo: 'nft delete rule with the handle that nft -a list ruleset shows',
    },
    LIBERAL,
  ],
  'path-mtu-black-hole': () => [
    {
      title: 'Let TCP find the size that passes',
      change: 'net.ipv4.tcp_mtu_probing = 1',
      where: 'a file in /etc/sysctl.d, e.g. 90-mtu.conf; then sysctl --system',
      cost: 'none to speak of: after some lost packets of full size smaller ones are tried',
      undo: 'rm the file; sysctl net.ipv4.tcp_mtu_probing=0',
    },
    {
      title: 'Say a smaller segment size in the handshake',
      change: 'nft add rule inet filter output tcp flags syn tcp option maxseg size set 1220',
      where: 'on this server, or in the forward chain of the router with the narrow link (size set rt mtu)',
      cost: 'every connection sends smaller segments: a few per cent of throughput',
      undo: 'nft delete rule with the handle that nft -a list ruleset shows',
    },
    {
      title: 'Let ICMP through',
      change: 'icmp type destination-unreachable accept; icmpv6 type packet-too-big accept',
      where: 'the filters of this server and of every router on the way that is yours',
      cost: 'none',
      undo: 'take the rules out',
    },
  ],
  'receiver-stopped-reading': (course) => [
    {
      title: 'Tell the receiver’s administrator, with the times and the window in the capture',
      change: `their host takes part of a message and then closes its window for good: ${[...new Set(course.stalled.map((t) => `${t.host} [${t.ip}]`))].slice(0, 3).join(', ')}`,
      where: `postmaster of ${suffix(course) || 'the receiver'}`,
      cost: 'one mail; nothing on this side mends it',
      undo: 'nothing to undo',
    },
  ],
  'connection-reset': (course) => [
    {
      title: 'Find who sends the reset',
      change:
        'compare the TTL of the reset with that of the receiver’s other packets: another one means a firewall or virus scanner between',
      where: 'in a capture of such a connection',
      cost: 'none',
      undo: 'nothing to undo',
    },
    {
      title: 'Tell the receiver’s administrator, with the times',
      change: `resets from ${[...new Set(course.stalled.map((t) => `${t.host} [${t.ip}]`))].slice(0, 3).join(', ')}`,
      where: `postmaster of ${suffix(course) || 'the receiver'}`,
      cost: 'one mail',
      undo: 'nothing to undo',
    },
  ],
  'packet-loss': (course) => [
    {
      title: 'Find where packets are lost',
      change: `mtr -rwzc 200 --tcp --port 25 ${course.stalled.find((t) => t.host !== null && /^[\w.-]+$/.test(t.host))?.host ?? 'HOST'}`,
      where: 'on this server; ip -s link and ethtool -S for its own interface',
      cost: 'a few hundred small packets',
      undo: 'nothing to undo',
    },
  ],
};

const SCALING_OFF =
  'net.ipv4.tcp_window_scaling = 0: it hides the fault, and holds every TCP connection to 64 kB a round trip (5 Mbit/s at 100 ms).';

const AVOID: Record<CulpritId, string[]> = {
  'fast-open-acks-dropped': [
    SCALING_OFF,
    'Longer timeouts or smaller attachments: what is in flight decides, not the message.',
  ],
  'local-filter-drops-packets': [SCALING_OFF],
  'path-mtu-black-hole': ['Fast Open or window scaling off: neither has to do with the size of packets.'],
  'receiver-stopped-reading': [
    'Changes to this server’s TCP settings, MTU or filter: the receiver’s window is its own.',
  ],
  'connection-reset': ['Longer timeouts: nothing was waited for.'],
  'packet-loss': ['Retrying more often: more packets, the same loss.'],
};
