/**
 * Changes to the kernel that decide whether a connection stalls, and which kernels have them. Only what was looked up
 * stands here; `checked` says how. A release that is not named was not looked at.
 */
export interface KernelFix {
  id: string;
  /** First characters of the commit in Linus Torvalds' tree. */
  commit: string;
  subject: string;
  /** What goes wrong without it. */
  without: string;
  /** First release of each kernel.org line that has it. `mainline` has no stable number. */
  upstream: { line: string; since: string; checked: string }[];
  /** By Debian release: the first package version that has it, or null where the last one looked at has not. */
  debian: { release: number; codename: string; since: string | null; lookedAt: string; checked: string }[];
}

export const KERNEL_FIXES: KernelFix[] = [
  {
    id: 'conntrack-reinit-syn-only',
    commit: 'c7aab4f17021',
    subject: 'netfilter: nf_conntrack_tcp: re-init for syn packets only',
    without:
      "connection tracking forgets the server's window scale when the server sends data before the third packet of " +
      'the handshake, as with TCP Fast Open; once more is in flight than the unscaled window, it calls data and ACKs ' +
      'INVALID',
    upstream: [
      {
        line: 'mainline',
        since: '5.18',
        checked:
          'applied to netdev/net.git on 28 April 2022, while 5.18 had release candidates (netdev, patchwork-bot)',
      },
      {
        line: '5.17',
        since: '5.17.6',
        checked:
          'stable review of 5.17.6-rc1, 4 May 2022; ChangeLog-5.17.6 as quoted in Debian linux 5.17.6-1',
      },
    ],
    debian: [
      {
        release: 11,
        codename: 'bullseye',
        since: null,
        lookedAt: '5.10.262-1',
        checked:
          'net/netfilter/nf_conntrack_proto_tcp.c in linux-source-5.10 5.10.262-1 (bullseye-security, 31 July 2026) ' +
          'still has the old branch, and no changelog entry names it. Neal Cardwell on netdev, 12 August 2022: ' +
          'backported to 5.17 only, for it does not apply without 82b72cb94666 (nor build without cc4f9d62037e)',
      },
      {
        release: 12,
        codename: 'bookworm',
        since: '5.17.6-1',
        lookedAt: '6.1.192-2',
        checked:
          'changelog of linux 5.17.6-1 (11 May 2022, in unstable before bookworm); source of linux-source-6.1 6.1.192-2. ' +
          'Every kernel of the release, 6.1, has it',
      },
    ],
  },
  {
    id: 'conntrack-repeated-syn-scale',
    commit: 'fb366fc7541a',
    subject: 'netfilter: conntrack: correct window scaling with retransmitted SYN',
    without:
      'with the fix above, a second SYN on the same ports with a higher sequence number, before any answer, makes ' +
      'connection tracking hold both window scales for 0',
    upstream: [
      { line: '6.1', since: '6.1.77', checked: 'ChangeLog-6.1.77 as quoted in Debian linux 6.1.82-1' },
    ],
    debian: [
      {
        release: 12,
        codename: 'bookworm',
        since: '6.1.82-1',
        lookedAt: '6.1.192-2',
        checked: 'changelog of linux 6.1.82-1 (28 March 2024); source of 6.1.192-2',
      },
    ],
  },
  {
    id: 'conntrack-late-acks',
    commit: '6e250dcbff1d',
    subject: 'netfilter: conntrack: ignore overly delayed tcp packets',
    without: 'connection tracking calls late ACKs, and data a little over the window, INVALID',
    upstream: [
      {
        line: 'mainline',
        since: '6.1',
        checked:
          'pulled into net-next in September 2022, for 6.1; source of Debian linux-source-6.1 6.1.192-2',
      },
    ],
    debian: [
      {
        release: 11,
        codename: 'bullseye',
        since: null,
        lookedAt: '5.10.262-1',
        checked: 'source of linux-source-5.10 5.10.262-1',
      },
    ],
  },
];
