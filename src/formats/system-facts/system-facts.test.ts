import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readKernelBoots } from '../package-history/kernel-boots.js';
import { detectKernelLog } from './kernel-log.js';
import { detectPackageList, readPackageList } from './package-list.js';
import { detectSystemFacts, readSystemFacts } from './system-facts.js';

function run(program: string, ...args: string[]): string | null {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
      env: { ...process.env, COLUMNS: '200', LC_ALL: 'C' },
    });
  } catch {
    return null;
  }
}
const bytes = (text: string) => Buffer.from(text).subarray(0, 65_536);

describe('facts', () => {
  const text = `Linux mx1 5.10.0-13-amd64 #1 SMP Debian 5.10.106-1 (2022-03-17) x86_64 GNU/Linux
11.3
Exim version 4.94.2 #2 built 13-Jul-2021 16:04:57
Support for: crypteq IPv6 GnuTLS TCP_Fast_Open
2: eth0@if7: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    inet6 2001:db8::2/64 scope global
Error: Peer netns reference is invalid.
default via 10.0.0.1 dev eth0 mtu lock 1400
Features for eth0:
tx-udp_tnl-segmentation: off [fixed]
PRETTY_NAME="Debian \\"GNU\\""
a line of nothing
`;

  it('of several programs in one file', () => {
    expect(detectSystemFacts(bytes(text), 'uname.txt')).toBe(true);
    const { facts, lines, unread } = readSystemFacts(text);
    expect([lines, unread]).toEqual([12, [12]]);
    expect(facts.map((f) => [f.line, f.name, f.subject, f.value])).toEqual([
      [1, 'node-name', null, 'mx1'],
      [1, 'kernel-release', null, '5.10.0-13-amd64'],
      [1, 'kernel-version', null, '#1 SMP Debian 5.10.106-1 (2022-03-17)'],
      [1, 'kernel-package', null, '5.10.106-1'],
      [1, 'machine', null, 'x86_64'],
      [2, 'debian-version', null, '11.3'],
      [3, 'exim-version', null, '4.94.2'],
      [3, 'exim-built', null, '13-Jul-2021 16:04:57'],
      [4, 'exim-support', null, 'crypteq IPv6 GnuTLS TCP_Fast_Open'],
      [5, 'mtu', 'eth0', '1500'],
      [6, 'address', 'eth0', '2001:db8::2/64'],
      [8, 'route-mtu', 'default', '1400'],
      [10, 'offload', 'eth0 tx-udp_tnl-segmentation', 'off'],
      [11, 'os-name', null, 'Debian "GNU"'],
    ]);
  });

  const outputs: [string, string | null, string, string | null][] = [
    ['uname', run('uname', '-a'), 'kernel-release', run('uname', '-r')],
    [
      'ip addr',
      run('ip', 'addr'),
      'mtu',
      existsSync('/sys/class/net/lo/mtu') ? readFileSync('/sys/class/net/lo/mtu', 'utf8') : null,
    ],
    ['ip -s link', run('ip', '-s', 'link'), 'mtu', null],
    ['exim -bV', run('exim4', '-bV'), 'exim-version', run('exim4', '-be', '$version_number')],
    [
      'os-release',
      existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : null,
      'os-id',
      null,
    ],
  ];
  for (const [program, printed, name, value] of outputs)
    it.skipIf(printed === null)(`${program} of this machine is read whole`, () => {
      expect(detectSystemFacts(bytes(printed!), 'x')).toBe(true);
      const { facts, unread } = readSystemFacts(printed!);
      expect(unread.map((n) => printed!.split('\n')[n - 1])).toEqual([]);
      const found = facts.find((f) => f.name === name)!.value;
      if (value !== null) expect(found).toBe(value.trim());
    });

  it('other text is not taken for them', () => {
    for (const other of ['', '11.3\n', 'Linux is an operating system\n', `${text}${'prose\n'.repeat(40)}`])
      expect(detectSystemFacts(bytes(other), 'x.txt'), other.slice(0, 30)).toBe(false);
    expect(detectSystemFacts(bytes('12.11\n'), 'etc/debian_version')).toBe(true);
  });
});

describe('packages', () => {
  it('of dpkg -l, without those that are only configuration', () => {
    const list = `Desired=Unknown/Install/Remove/Purge/Hold
||/ Name  Version Architecture Description
+++-=====-=======-============-===========
ii  exim4-base 4.94.2-7 amd64 support files
rc  libold:i386 1.2~rc1-3 i386 gone
hi  linux-image-amd64 5.10.106-1 amd64 kernel
nonsense
`;
    expect(detectPackageList(bytes(list))).toBe('list');
    expect(readPackageList(list)).toEqual({
      packages: [
        { package: 'exim4-base', version: '4.94.2-7', arch: 'amd64', line: 4 },
        { package: 'linux-image-amd64', version: '5.10.106-1', arch: 'amd64', line: 6 },
      ],
      lines: 7,
      unread: [7],
    });
  });

  const installed = run(
    'dpkg-query',
    '-W',
    '-f',
    `${['db:Status-Abbrev', 'Package', 'Version'].map((f) => `\${${f}}`).join('|')}\n`,
  )
    ?.split('\n')
    .filter((l) => /^.i/.test(l))
    .map((l) => l.split('|').slice(1, 3).join(' '))
    .toSorted();

  it.skipIf(!installed).each([
    ['dpkg -l', 'list', run('dpkg', '-l')],
    ['dpkg-query -W', 'query', run('dpkg-query', '-W')],
    [
      'the status file',
      'status',
      existsSync('/var/lib/dpkg/status') ? readFileSync('/var/lib/dpkg/status', 'utf8') : '',
    ],
  ] as const)('%s of this machine: as dpkg-query has them', (_, form, printed) => {
    expect(detectPackageList(bytes(printed!))).toBe(form);
    const { packages, unread } = readPackageList(printed!);
    expect(unread).toEqual([]);
    const ours = packages.map((p) => `${p.package} ${p.version}`);
    // The short form lists removed packages too, with no version that tells.
    if (form === 'query') expect(installed!.filter((i) => !ours.includes(i))).toEqual([]);
    else expect(ours.toSorted()).toEqual(installed);
  });
});

describe('the kernel’s log', () => {
  const banner =
    'Linux version 5.10.0-13-amd64 (debian-kernel@lists.debian.org) (gcc-10 (Debian 10.2.1-6) 10.2.1 20210110) #1 SMP Debian 5.10.106-1 (2022-03-17)';
  it.each([
    `[    0.000000] ${banner}\n[    0.000000] Command line: quiet\n`,
    `[Mon Apr 11 21:04:00 2022] ${banner}\n`,
    `Apr 11 20:00:00 mx1 kernel: [ 9.1] eth0: up\nApr 11 21:04:00 mx1 kernel: [    0.000000] ${banner}\n`,
    `2022-04-11T21:04:00.1+02:00 mx1 kernel: ${banner}\n`,
  ])('is known by its boot: %s', (text) => {
    expect(detectKernelLog(bytes(text))).toBe(true);
    expect(readKernelBoots(text)[0]).toMatchObject({ kernel: '5.10.0-13-amd64', build: '5.10.106-1' });
  });

  it('a mention of a boot is none', () => {
    for (const text of ['', `I saw ${banner}\n`, `first line\n[    0.000000] ${banner}\n`])
      expect(detectKernelLog(bytes(text))).toBe(false);
  });
});

it('hostile text takes no time', () => {
  const texts = [
    `Linux ${'a '.repeat(200_000)}\n`,
    `2: eth0: <${'A,'.repeat(200_000)}\n`,
    `default ${'dev via '.repeat(100_000)}\n`,
    `A="${'\\\\'.repeat(200_000)}\n`,
    `${' '.repeat(500_000)}inet\n`,
    `ii ${' '.repeat(400_000)}x\n`.repeat(2),
    'Package: a\nStatus: install ok installed\n'.repeat(100_000),
    `[    0.000000] Linux version 5 (${'a@'.repeat(200_000)}\n`,
  ];
  const began = performance.now();
  for (const text of texts) {
    readSystemFacts(text);
    readPackageList(text);
    detectKernelLog(bytes(text));
    detectSystemFacts(bytes(text), 'x');
  }
  expect(performance.now() - began).toBeLessThan(2_000);
});
