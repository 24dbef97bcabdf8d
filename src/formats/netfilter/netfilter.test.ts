import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { detectNetfilter, type FilterRule, readNetfilter } from './netfilter.js';
import { RULESET } from './ruleset.fixture.js';

/** Runs a script in a network namespace of its own; null where the programs or the rights are missing. */
function inNamespace(script: string, input = ''): string | null {
  try {
    return execFileSync('unshare', ['-n', 'sh', '-ec', script], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}
const NFT = inNamespace('nft list ruleset') !== null;
const IPTABLES = inNamespace('iptables-nft -S && ip6tables-nft -S') !== null;

const find = (rules: FilterRule[], text: string) => rules.find((r) => r.rule.includes(text));
const shown = (r: FilterRule | undefined) => r && [r.hook, r.priority, r.verdict, r.effect, r.packets];

describe('nft list ruleset', () => {
  const { rules, lines, unread } = readNetfilter(RULESET);

  it('is read to the last line, sets and maps over', () => {
    expect(unread).toEqual([]);
    expect(lines).toBe(RULESET.split('\n').length - 1);
    expect(detectNetfilter(Buffer.from(RULESET))).toBe(true);
    expect(
      rules.filter((r) => r.rule.startsWith('policy')).map((r) => `${r.chain} ${r.hook} ${r.verdict}`),
    ).toEqual([
      'input input drop',
      'forward forward accept',
      'early prerouting accept',
      'late output accept',
      'post postrouting accept',
      'out output accept',
    ]);
  });

  it('tells the rules that drop INVALID from those that look like it', () => {
    const effects = rules.filter((r) => r.matches_invalid).map((r) => [r.chain, r.verdict, r.effect, r.hook]);
    expect(effects).toEqual([
      ['input', 'drop', 'drops-invalid', 'input'],
      ['input', 'log', null, 'input'],
      ['input', 'reject', 'drops-invalid', 'input'],
      ['input', 'jump logdrop', 'drops-invalid', 'input'],
      ['input', 'accept', null, 'input'],
      ['checks', 'drop', 'drops-invalid', 'input,forward'],
      // No chain goes there.
      ['unused', 'drop', 'drops-invalid', null],
    ]);
  });

  it('has counters, priorities and what else touches mail', () => {
    expect(shown(find(rules, 'ct state { invalid, untracked }'))).toEqual([
      'input',
      0,
      'reject',
      'drops-invalid',
      3,
    ]);
    expect(find(rules, 'ct state { invalid, untracked }')).toMatchObject({
      bytes: 180,
      rule: 'ct state { invalid, untracked } reject with icmpx admin-prohibited',
    });
    expect(shown(find(rules, 'maxseg'))).toEqual(['forward', 10, null, 'sets-mss', null]);
    expect(shown(find(rules, 'dport 25 notrack'))).toEqual([
      'prerouting',
      -300,
      'notrack',
      'no-tracking',
      null,
    ]);
    expect(shown(find(rules, 'dport 25 queue'))).toEqual(['output', -150, 'queue', 'queues-mail', 2]);
    expect(shown(find(rules, 'dport 2525 queue'))).toEqual(['output', -150, 'queue', null, null]);
    expect(shown(find(rules, 'redirect to'))).toEqual(['output', -100, 'redirect', 'translates-mail', null]);
    expect(shown(find(rules, 'dnat to'))).toEqual(['output', -100, 'dnat', 'translates-mail', null]);
    expect(shown(find(rules, 'masquerade'))).toEqual(['postrouting', 100, 'masquerade', null, null]);
    const icmp = rules
      .filter((r) => /icmp/.test(r.rule))
      .map((r) => [r.rule.split(' ').slice(0, 3).join(' '), r.effect]);
    expect(icmp).toEqual([
      ['ct state {', 'drops-invalid'],
      ['icmp type destination-unreachable', 'drops-icmp-errors'],
      ['icmpv6 type packet-too-big', 'drops-icmp-errors'],
      ['icmp type echo-request', null],
      ['meta l4proto icmp', 'drops-icmp-errors'],
    ]);
  });

  it.skipIf(!NFT)('as nft itself prints the same rules, with handles too', () => {
    // Not every kernel has the queue statement.
    const given = RULESET.replace(/^.*queue num.*\n/gm, '');
    const printed = inNamespace('nft -f - && nft list ruleset', given)!;
    const handled = inNamespace('nft -f - && nft -a list ruleset', given)!;
    expect(handled).toContain('# handle');
    const plain = (rs: FilterRule[]) => rs.map(({ line: _, ...r }) => r);
    for (const text of [printed, handled]) {
      const real = readNetfilter(text);
      expect(real.unread).toEqual([]);
      const squeezed = plain(real.rules).map((r) => ({ ...r, rule: r.rule.replace(/ +/g, ' ') }));
      expect(squeezed).toEqual(plain(rules.filter((r) => r.verdict !== 'queue')));
    }
  });
});

const COMMANDS = `
iptables-nft -N ufw-before
iptables-nft -N logdrop
iptables-nft -A logdrop -j LOG --log-prefix "[UFW BLOCK] "
iptables-nft -A logdrop -j DROP
iptables-nft -A INPUT -m conntrack --ctstate INVALID -j DROP
iptables-nft -A INPUT -m state --state INVALID,NEW -j LOG --log-prefix "inv: -j DROP "
iptables-nft -A INPUT -p icmp --icmp-type fragmentation-needed -j DROP
iptables-nft -A INPUT -p icmp --icmp-type echo-request -j DROP
iptables-nft -A INPUT -j ufw-before
iptables-nft -A ufw-before -m conntrack --ctstate INVALID -j REJECT
iptables-nft -A ufw-before -m conntrack --ctstate INVALID -j logdrop
iptables-nft -A ufw-before -m conntrack ! --ctstate INVALID -m comment --comment 'not "it' -j ACCEPT
iptables-nft -A ufw-before -p tcp --dport 2225
iptables-nft -A OUTPUT -p tcp --dport 25 -j NFQUEUE --queue-num 3
iptables-nft -A OUTPUT -p tcp -m multiport --dports 25,587 -j NFQUEUE --queue-num 3
iptables-nft -P FORWARD DROP
iptables-nft -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
iptables-nft -t raw -A PREROUTING -p tcp --dport 25 -j NOTRACK
iptables-nft -t raw -A OUTPUT -p tcp --dport 25 -j CT --notrack
iptables-nft -t nat -A OUTPUT -p tcp --dport 25 -j REDIRECT --to-ports 2525
iptables-nft -t nat -A POSTROUTING -o eth0 -j MASQUERADE
ip6tables-nft -A INPUT -p ipv6-icmp --icmpv6-type packet-too-big -j DROP
ip6tables-nft -A INPUT -m conntrack --ctstate INVALID -j DROP
`;

describe.skipIf(!IPTABLES)('iptables', () => {
  const printed = (show: string) => inNamespace(`${COMMANDS}\n${show}`)!;
  const inFilter = [
    ['INPUT', 'drop', 'drops-invalid'],
    ['INPUT', 'log', null],
    ['ufw-before', 'reject', 'drops-invalid'],
    ['ufw-before', 'jump logdrop', 'drops-invalid'],
  ];

  it.each([
    ['iptables-nft-save -c', true],
    ['iptables-nft-save', false],
    ['iptables-nft -S', false],
    ['iptables-nft -S -v', true],
    ['iptables-nft -L -n -v', true],
    ['iptables-nft -L -n -v -x --line-numbers', true],
    ['iptables-nft -L -n', false],
    ['iptables-nft -L -v', true],
  ])('%s: is read whole, and tells what drops INVALID', (show, counted) => {
    const text = printed(show);
    expect(detectNetfilter(Buffer.from(text))).toBe(true);
    const { rules, unread } = readNetfilter(text);
    expect(unread).toEqual([]);
    const filter = rules.filter((r) => r.table === 'filter');
    const invalid = filter.filter((r) => r.matches_invalid).map((r) => [r.chain, r.verdict, r.effect]);
    expect(invalid.toSorted()).toEqual(inFilter.toSorted());
    for (const r of filter.filter((f) => f.matches_invalid))
      expect(r).toMatchObject({ hook: 'input', family: 'ip' });
    expect(filter.filter((r) => r.effect === 'queues-mail')).toHaveLength(2);
    expect(filter.filter((r) => r.effect === 'drops-icmp-errors')).toHaveLength(1);
    expect(filter.find((r) => r.chain === 'FORWARD')).toMatchObject({ rule: 'policy drop', verdict: 'drop' });
    expect(filter.find((r) => r.chain === 'INPUT' && r.matches_invalid)!.packets).toBe(counted ? 0 : null);
    // A rule without a target counts only.
    expect(filter.find((r) => r.rule.includes('2225'))!.verdict).toBeNull();
  });

  it('of other tables: MSS, notrack and NAT', () => {
    const { rules, unread } = readNetfilter(printed('iptables-nft-save -c'));
    expect(unread).toEqual([]);
    const others = rules.filter((r) => r.table !== 'filter' && !r.rule.startsWith('policy'));
    expect(others.map((r) => [r.table, r.hook, r.priority, r.verdict, r.effect]).toSorted()).toEqual(
      [
        ['mangle', 'forward', -150, 'tcpmss', 'sets-mss'],
        ['raw', 'prerouting', -300, 'notrack', 'no-tracking'],
        ['raw', 'output', -300, 'notrack', 'no-tracking'],
        ['nat', 'output', -100, 'redirect', 'translates-mail'],
        ['nat', 'postrouting', 100, 'masquerade', null],
      ].toSorted(),
    );
    const listed = readNetfilter(printed('iptables-nft -t mangle -L -v -n'));
    expect(listed.unread).toEqual([]);
    expect(listed.rules.find((r) => r.effect === 'sets-mss')).toMatchObject({ table: null, hook: 'forward' });
  });

  it.each(['ip6tables-nft-save', 'ip6tables-nft -L -n -v'])('%s: of the other family', (show) => {
    const { rules, unread } = readNetfilter(printed(show));
    expect(unread).toEqual([]);
    expect(rules.filter((r) => r.effect !== null).map((r) => [r.family, r.hook, r.effect])).toEqual([
      ['ip6', 'input', 'drops-icmp-errors'],
      ['ip6', 'input', 'drops-invalid'],
    ]);
  });

  it('as nft shows what iptables made', () => {
    const { rules, unread } = readNetfilter(printed('nft list ruleset'));
    expect(unread).toEqual([]);
    const invalid = rules.filter((r) => r.family === 'ip' && r.matches_invalid);
    expect(invalid.map((r) => [r.chain, r.verdict, r.effect]).toSorted()).toEqual(inFilter.toSorted());
    const effects = rules.filter((r) => r.family === 'ip' && r.effect !== null && !r.matches_invalid);
    expect(effects.map((r) => r.effect).toSorted()).toEqual(
      [
        'no-tracking',
        'no-tracking',
        'queues-mail',
        'queues-mail',
        'sets-mss',
        'translates-mail',
        'drops-icmp-errors',
      ].toSorted(),
    );
  });
});

describe('what is no ruleset', () => {
  it('is not taken for one', () => {
    for (const text of ['table of contents {\n', 'Chain of thought\n', '*filter\nnothing\n', ''])
      expect(detectNetfilter(Buffer.from(text)), text).toBe(false);
  });

  it('counts what it cannot read, and is not held up by hostile text', () => {
    expect(
      readNetfilter('table inet t {\n\tchain c {\n\t\ttcp dport 25 accept\n\t}\n}\nnonsense\n').unread,
    ).toEqual([6]);
    expect(readNetfilter('*filter\n:INPUT ACCEPT [0:0]\nrubbish here\n').unread).toEqual([3]);
    const hostile = [
      `table inet t {\n${'\tchain a {\n\t\tjump a\n'.repeat(20_000)}`,
      `table inet t {\n\tchain c {\n\t\tip saddr { ${'1.2.3.4, '.repeat(200_000)}\n`,
      `table inet t {\n\tchain c {\n${'\t\tip saddr {\n'.repeat(50_000)}`,
      `table inet t {\n\tchain c {\n\t\t${'ct state '.repeat(100_000)}\n\t}\n}\n`,
      `*filter\n${'-A INPUT '.repeat(100_000)}\n`,
      `Chain INPUT (policy ACCEPT)\ntarget prot opt\n${'a '.repeat(200_000)}\n`,
      `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${'/* '.repeat(100_000)}${'--dports 1,'.repeat(50_000)}\n`,
      `*filter\n${Array.from({ length: 20_000 }, (_, i) => `-A c${i} -j c${i + 1}`).join('\n')}\n`,
    ];
    for (const text of hostile) {
      const began = performance.now();
      readNetfilter(text);
      expect(performance.now() - began, text.slice(0, 60)).toBeLessThan(2_000);
    }
  });
});
