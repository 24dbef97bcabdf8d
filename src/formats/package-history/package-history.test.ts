import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readKernelBoots } from './kernel-boots.js';
import { detectPackageHistory, readPackageHistory } from './package-history.js';

const DPKG = `2022-04-11 21:04:01 startup archives unpack
2022-04-11 21:04:02 upgrade exim4-base:amd64 4.92-8+deb10u6 4.94.2-7
2022-04-11 21:04:02 status half-configured exim4-base:amd64 4.92-8+deb10u6
2022-04-11 21:04:03 install libunbound8:amd64 <none> 1.13.1-1
2022-04-11 21:04:04 conffile /etc/exim4/conf.d/main/02 options keep
2022-04-11 21:04:05 configure exim4-base:amd64 4.94.2-7 <none>
2022-04-11 21:04:06 trigproc man-db:amd64 2.9.4-2 <none>
2022-04-11 21:04:07 disappear old:all 1 <none>
2022-04-11 21:05:00 remove libapache2-mod-php7.3:amd64 7.3.31-1~deb10u1 <none>
2022-04-11 21:05:01 purge g++:i386 4:8.3.0-1 <none>
2022-04-11 21:05:0
`;

const APT = `
Start-Date: 2022-04-11  21:03:58
Commandline: apt full-upgrade
Requested-By: admin (1000)
Install: libunbound8:amd64 (1.13.1-1, automatic), php8.1-fpm:amd64 (8.1.0-1)
Upgrade: exim4-base:amd64 (4.92-8+deb10u6, 4.94.2-7), g++:i386 (4:8.3.0-1, 4:10.2.1-1)
Downgrade: foo:all (2, 1)
Reinstall: bar:amd64 (1.2-3)
Remove: libapache2-mod-php7.3:amd64 (7.3.31-1~deb10u1)
Purge: baz:amd64 ()
Error: Sub-process /usr/bin/dpkg returned an error code (1)
End-Date: 2022-04-11  21:06:10
Upgrade: broken(
`;

describe('dpkg.log', () => {
  it('has a row for every change, and counts every line', () => {
    const { changes, lines, records, other, unread, log } = readPackageHistory(DPKG);
    expect(log).toBe('dpkg-log');
    expect([lines, records, other, unread]).toEqual([11, 4, 6, [11]]);
    expect(changes).toEqual([
      {
        changed_at: '2022-04-11T21:04:02',
        action: 'upgrade',
        package: 'exim4-base',
        arch: 'amd64',
        old_version: '4.92-8+deb10u6',
        new_version: '4.94.2-7',
        line: 2,
      },
      expect.objectContaining({ action: 'install', old_version: null, new_version: '1.13.1-1', line: 4 }),
      expect.objectContaining({ action: 'remove', old_version: '7.3.31-1~deb10u1', new_version: null }),
      expect.objectContaining({ action: 'purge', package: 'g++', arch: 'i386', new_version: null }),
    ]);
  });
});

describe("apt's history.log", () => {
  it('has a row for every package of a run, dated by its beginning', () => {
    const { changes, lines, records, other, unread } = readPackageHistory(APT);
    expect(records + other + unread.length).toBe(lines);
    expect(unread).toEqual([13]);
    expect(changes.map((c) => [c.action, c.package, c.old_version, c.new_version, c.line])).toEqual([
      ['install', 'libunbound8', null, '1.13.1-1', 5],
      ['install', 'php8.1-fpm', null, '8.1.0-1', 5],
      ['upgrade', 'exim4-base', '4.92-8+deb10u6', '4.94.2-7', 6],
      ['upgrade', 'g++', '4:8.3.0-1', '4:10.2.1-1', 6],
      ['downgrade', 'foo', '2', '1', 7],
      ['reinstall', 'bar', '1.2-3', '1.2-3', 8],
      ['remove', 'libapache2-mod-php7.3', '7.3.31-1~deb10u1', null, 9],
      ['purge', 'baz', null, null, 10],
    ]);
    expect(changes.every((c) => c.changed_at === '2022-04-11T21:03:58')).toBe(true);
  });
});

describe('detectPackageHistory', () => {
  const detect = (text: string) => detectPackageHistory(Buffer.from(text));
  it('tells the three logs apart, and from others', () => {
    expect(detect(DPKG)).toBe('dpkg-log');
    expect(detect(APT)).toBe('apt-history');
    expect(detect('Log started: 2022-04-11  21:03:58\nSelecting previously …\n')).toBe('apt-term');
    expect(detect('2022-04-11 21:04:02 1xVTMI-00089m-30 <= a@example.com\n')).toBe(null);
    expect(detect('')).toBe(null);
  });
});

describe.skipIf(!existsSync('/var/log/dpkg.log'))("this machine's own dpkg.log", () => {
  it('has no line that is not understood', () => {
    const text = readFileSync('/var/log/dpkg.log', 'utf8');
    const { unread, records, other, lines } = readPackageHistory(text.slice(0, text.lastIndexOf('\n') + 1));
    expect(unread).toEqual([]);
    expect(records + other).toBe(lines);
  });
});

describe('kernel boots', () => {
  const BANNER =
    'Linux version 5.10.0-13-amd64 (debian-kernel@lists.debian.org) (gcc-10 (Debian 10.2.1-6) 10.2.1 20210110, GNU ld) #1 SMP Debian 5.10.106-1 (2022-03-17)';

  it('are read from every way to write the time', () => {
    const text = [
      'Apr 11 20:00:00 web1 systemd[1]: Started.',
      `Apr 11 21:10:00 web1 kernel: [    0.000000] ${BANNER}`,
      'Apr 11 21:11:00 web1 app: runs on Linux version unknown',
      `2022-05-06T10:00:00.123456+02:00 web1 kernel: ${BANNER.replaceAll('5.10.0-13', '5.10.0-14')}`,
      `[Mon May  9 04:11:09 2022] ${BANNER}`,
      `[    0.000000] ${BANNER.replace(/Debian 5.*/, 'x')}`,
    ].join('\n');
    expect(readKernelBoots(text, (month) => (month === 4 ? 2022 : 2021))).toEqual([
      { what: 'boot', at: '2022-04-11T21:10:00', kernel: '5.10.0-13-amd64', build: '5.10.106-1', line: 2 },
      {
        what: 'boot',
        at: '2022-05-06T10:00:00+02:00',
        kernel: '5.10.0-14-amd64',
        build: '5.10.106-1',
        line: 4,
      },
      { what: 'boot', at: '2022-05-09T04:11:09', kernel: '5.10.0-13-amd64', build: '5.10.106-1', line: 5 },
      { what: 'boot', at: null, kernel: '5.10.0-13-amd64', build: null, line: 6 },
    ]);
  });

  it('leaves the time open when nobody knows the year', () => {
    expect(readKernelBoots(`Apr 11 21:10:00 web1 kernel: ${BANNER}\n`)).toMatchObject([{ at: null }]);
  });

  it('stays quick on a log full of the words', () => {
    const start = performance.now();
    readKernelBoots('Linux version 5(5(@@ '.repeat(400_000));
    readKernelBoots(`${'x Linux version 5 (a@b) #1\n'.repeat(100_000)}`);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
