/**
 * TCP Fast Open and connection tracking: who tries it, by default, and which systems lose connections by it.
 * `source` says where each fact is from.
 */

/** Which servers Exim tries Fast Open with when its configuration says nothing of `hosts_try_fastopen`, by version. */
export const EXIM_FAST_OPEN_DEFAULTS: {
  since: string;
  default: '*' | 'none' | 'no such option';
  source: string;
}[] = [
  { since: '4.0', default: 'no such option', source: 'Exim, doc/doc-txt/OptionLists.txt: new in 4.88' },
  { since: '4.88', default: 'none', source: 'Exim, doc/doc-txt/NewStuff, Version 4.88, item 15' },
  { since: '4.93', default: '*', source: 'Exim, doc/doc-txt/ChangeLog, Exim version 4.93, JH/25' },
];

/**
 * From 4.97 on, Exim tries Fast Open with the first host of a message only: a partial workaround (Exim bug 2907; commit
 * fd9f0b735, "Clearing TFO as not first host for message").
 */
export const EXIM_FIRST_HOST_ONLY_SINCE = '4.97';

export const EXIM_FAST_OPEN_CURE = {
  option: 'hosts_try_fastopen',
  value: '!*',
  section: 'smtp transport',
  source: 'Exim specification, "Private options for smtp", hosts_try_fastopen: a host list',
};

export interface KernelParameter {
  name: string;
  default: string;
  /** What each value does; bits of a mask are in hexadecimal. */
  values: Record<string, string>;
  source: string;
}

const IP_SYSCTL = 'Linux, Documentation/networking/ip-sysctl.rst';
const CONNTRACK_SYSCTL = 'Linux, Documentation/networking/nf_conntrack-sysctl.rst';

export const KERNEL_PARAMETERS: KernelParameter[] = [
  {
    name: 'net.ipv4.tcp_fastopen',
    default: '1',
    values: {
      '0x1': 'clients may use it',
      '0x2': 'servers may use it',
      '0x4': 'clients send data in the SYN without a cookie',
      '0x200': 'servers take data in the SYN without a cookie option',
      '0x400': 'all listeners use it without asking for it',
    },
    source: IP_SYSCTL,
  },
  {
    name: 'net.ipv4.tcp_window_scaling',
    default: '1',
    values: { '0': 'off: no window over 64 kB on any connection', '1': 'on' },
    source: IP_SYSCTL,
  },
  {
    name: 'net.ipv4.tcp_mtu_probing',
    default: '0',
    values: {
      '0': 'off',
      '1': 'off until a black hole is noticed, then on for that connection',
      '2': 'always on, beginning with tcp_base_mss',
    },
    source: IP_SYSCTL,
  },
  {
    name: 'net.netfilter.nf_conntrack_tcp_be_liberal',
    default: '0',
    values: {
      '0': 'segments out of the window are INVALID',
      '1': 'of segments out of the window only resets are INVALID',
    },
    source: CONNTRACK_SYSCTL,
  },
  {
    name: 'net.netfilter.nf_conntrack_tcp_loose',
    default: '1',
    values: { '0': 'connections that are under way are not picked up', '1': 'they are' },
    source: CONNTRACK_SYSCTL,
  },
  {
    name: 'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst',
    default: '0',
    values: { '0': 'resets out of the window are INVALID', '1': 'they are not' },
    source: CONNTRACK_SYSCTL,
  },
  {
    name: 'net.netfilter.nf_conntrack_log_invalid',
    default: '0',
    values: { '0': 'off', '6': 'TCP packets that are INVALID are logged' },
    source: CONNTRACK_SYSCTL,
  },
];

/**
 * The tracker forgets the window scale of a server that sends data before the handshake's third packet, which Fast Open
 * lets it do; from then on, acknowledgements beyond the window as it sees it are INVALID.
 */
export const TRACKER_FORGETS_SCALE = {
  fix: 'netfilter: nf_conntrack_tcp: re-init for syn packets only',
  commit: 'c7aab4f17021',
  /** First release with the fix in each of its branches. */
  fixedIn: [
    { kernel: '5.17.6', source: 'Linux 5.17.6-rc1 review, stable@vger.kernel.org, 4 May 2022' },
    { kernel: '5.18', source: 'Linux 5.18-rc5' },
  ],
  /** First Debian package with it. */
  debian: { version: '5.17.6-1', source: 'Debian, changelog of linux 5.17.6-1, 11 May 2022' },
  /**
   * Branches in which no backport was found: the stable queue of 2 May 2022 had the fix for 5.17 alone, and trees made
   * from later 5.15 releases still have the old code. They may have it by now: never say that they cannot.
   */
  notFoundIn: ['4.19', '5.4', '5.10', '5.15'],
  /** The fix had a fault of its own with a SYN that is sent again; corrected there. */
  correctedBy: {
    fix: 'netfilter: conntrack: correct window scaling with retransmitted SYN',
    debian: { version: '6.1.82-1', source: 'Debian, changelog of linux 6.1.82-1 (from Linux 6.1.77)' },
  },
};

/** What a Debian release has; `exim` decides whether Fast Open is tried by default. */
export const DEBIAN_RELEASES: {
  release: number;
  name: string;
  kernel: string;
  exim: string;
  source: string;
}[] = [
  { release: 10, name: 'buster', kernel: '4.19', exim: '4.92', source: 'Debian 10 release notes, chapter 2' },
  {
    release: 11,
    name: 'bullseye',
    kernel: '5.10',
    exim: '4.94.2',
    source: 'Debian 11 release notes, chapter 2; tracker.debian.org/pkg/exim4',
  },
  {
    release: 12,
    name: 'bookworm',
    kernel: '6.1',
    exim: '4.96',
    source: 'Debian 12 release notes, chapter 2; tracker.debian.org/pkg/exim4',
  },
  {
    release: 13,
    name: 'trixie',
    kernel: '6.12',
    exim: '4.98.2',
    source: 'Debian 13 release notes, chapter 2; tracker.debian.org/pkg/exim4',
  },
];
