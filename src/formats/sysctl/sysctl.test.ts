import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configured, detectSysctl, readSysctl } from './sysctl.js';

function run(program: string, args: string[]): string | null {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    });
  } catch {
    return null;
  }
}
const PRINTED = run('sysctl', ['-a']);
const NAMESPACE = run('unshare', [
  '-n',
  '-m',
  'sh',
  '-c',
  'sysctl -n net.ipv4.tcp_fastopen && test -d /etc/sysctl.d',
]);

describe('sysctl -a', () => {
  it('has every parameter with its value', () => {
    const text =
      'net.ipv4.tcp_fastopen = 1\nnet.ipv4.tcp_rmem = 4096\t131072\t6291456\nkernel.empty = \n' +
      "sysctl: permission denied on key 'net.ipv6.x'\nnet.ipv4.conf.eth0/100.forwarding = 0\nnonsense\n";
    expect(detectSysctl(Buffer.from(text), 'a.txt')).toBe(true);
    const { settings, files } = readSysctl([{ path: 'a.txt', text }]);
    expect(settings.map((s) => [s.name, s.value, s.is, s.line])).toEqual([
      ['net.ipv4.tcp_fastopen', '1', 'running', 1],
      ['net.ipv4.tcp_rmem', '4096 131072 6291456', 'running', 2],
      ['kernel.empty', '', 'running', 3],
      ['net.ipv4.conf.eth0/100.forwarding', '0', 'running', 5],
    ]);
    expect(files).toEqual([{ path: 'a.txt', lines: 6, unread: [6] }]);
  });

  it.skipIf(PRINTED === null)('of this machine: each as sysctl itself gives it', () => {
    expect(detectSysctl(Buffer.from(PRINTED!).subarray(0, 65_536), 'x')).toBe(true);
    const { settings, files } = readSysctl([{ path: 'x', text: PRINTED! }]);
    expect(files[0]!.unread).toEqual([]);
    expect(settings.every((s) => s.is === 'running')).toBe(true);
    for (const name of ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_window_scaling', 'kernel.ostype'])
      expect(settings.find((s) => s.name === name)!.value).toBe(
        run('sysctl', ['-n', name])!.trim().replaceAll('\t', ' '),
      );
  });
});

/** Each sets TCP parameters that a network namespace has of its own. */
const TREE: Record<string, string> = {
  'etc/sysctl.conf': '# the old file\nnet.ipv4.tcp_retries1 = 4\n',
  'etc/sysctl.d/20-a.conf': 'net.ipv4.tcp_retries1 = 5\nnet/ipv4/tcp_fastopen = 3\n-net.ipv4.tcp_sack = 0\n',
  'etc/sysctl.d/50-same.conf': '; this one hides that of /usr/lib\nnet.ipv4.tcp_retries2 = 9\n',
  'run/sysctl.d/30-b.conf': 'net.ipv4.tcp_fastopen=0\n',
  'usr/lib/sysctl.d/10-early.conf': 'net.ipv4.tcp_fastopen = 1\nnet.ipv4.tcp_fin_timeout = 33\n',
  'usr/lib/sysctl.d/50-same.conf': 'net.ipv4.tcp_retries2 = 7\nnet.ipv4.tcp_syn_retries = 2\n',
  'usr/local/lib/sysctl.d/40-c.conf': 'net.ipv4.tcp_fin_timeout = 44\n',
};

describe('files of sysctl.d', () => {
  const files = Object.entries(TREE).map(([path, text]) => ({ path, text }));
  const { settings, files: read } = readSysctl(files);
  const winners = () => settings.filter((s) => s.is === 'file').map((s) => `${s.name}=${s.value}`);

  it('one counts for each parameter', () => {
    for (const { path, text } of files) expect(detectSysctl(Buffer.from(text), path), path).toBe(true);
    expect(read.every((f) => f.unread.length === 0)).toBe(true);
    expect(winners().toSorted()).toEqual([
      'net.ipv4.tcp_fastopen=0',
      'net.ipv4.tcp_fin_timeout=44',
      'net.ipv4.tcp_retries1=4',
      'net.ipv4.tcp_retries2=9',
      'net.ipv4.tcp_sack=0',
    ]);
    expect(settings.filter((s) => s.is === 'file-lost').map((s) => `${s.path}:${s.line}`)).toEqual([
      'usr/lib/sysctl.d/10-early.conf:1',
      'usr/lib/sysctl.d/10-early.conf:2',
      'etc/sysctl.d/20-a.conf:1',
      'etc/sysctl.d/20-a.conf:2',
      'usr/lib/sysctl.d/50-same.conf:1',
      // Lost although nothing else sets it: its file is hidden.
      'usr/lib/sysctl.d/50-same.conf:2',
    ]);
  });

  it.skipIf(NAMESPACE === null)('as sysctl --system leaves the kernel', () => {
    const root = mkdtempSync(join(tmpdir(), 'sysctl-'));
    for (const [path, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const names = [...new Set(settings.map((s) => s.name))];
    const script = [
      'mkdir -p /run/sysctl.d /usr/local/lib/sysctl.d',
      ...['etc', 'run', 'usr/lib', 'usr/local/lib'].map(
        (d) => `mount --bind ${root}/${d}/sysctl.d /${d}/sysctl.d`,
      ),
      `mount --bind ${root}/etc/sysctl.conf /etc/sysctl.conf`,
      'sysctl --system >/dev/null 2>&1',
      ...names.map((n) => `echo "${n}=$(sysctl -n ${n})"`),
    ].join(' && ');
    const left = run('unshare', ['-n', '-m', 'sh', '-c', script])!.trim().split('\n');
    const ours = names.map(
      (n) =>
        `${n}=${configured(settings, n)?.value ?? left.find((l) => l.startsWith(`${n}=`))!.split('=')[1]}`,
    );
    expect(left).toEqual(ours);
    expect(configured(settings, 'net.ipv4.tcp_syn_retries')).toBeNull();
  });

  it('a name goes before patterns, and can be kept out of them', () => {
    const { settings: some } = readSysctl([
      {
        path: '/etc/sysctl.d/9.conf',
        text: 'net.ipv4.conf.*.rp_filter = 2\nnet.ipv4.conf.eth0.rp_filter = 0\n-net.ipv4.conf.eth1.rp_filter\nnet.ipv4.conf.w[a-l]?n*.rp_filter = 1\n',
      },
    ]);
    const value = (name: string) => configured(some, name)?.value ?? null;
    expect(value('net.ipv4.conf.eth2.rp_filter')).toBe('2');
    expect(value('net.ipv4.conf.eth0.rp_filter')).toBe('0');
    expect(value('net.ipv4.conf.eth1.rp_filter')).toBeNull();
    expect(value('net.ipv4.conf.wlan0.rp_filter')).toBe('1');
    expect(value('net.ipv4.conf.wwan0.rp_filter')).toBe('2');
    expect(value('net.ipv4.conf.eth0.forwarding')).toBeNull();
  });
});

describe('what is none', () => {
  it('is not taken for one', () => {
    for (const text of [
      '',
      'myhostname = mx1\nnetwork = 1\n',
      'net.ipv4.x is 1\n',
      'net: nothing\n',
      '# only a comment\n',
    ])
      expect(detectSysctl(Buffer.from(text), 'x.txt'), text).toBe(false);
  });

  it('hostile text takes no time', () => {
    const stars = `net.ipv4.${'*a'.repeat(140)}`;
    const texts = [
      `net.ipv4.${'a'.repeat(500_000)}\n`,
      ' '.repeat(500_000),
      `net.a = ${'\t'.repeat(500_000)}x\n`,
    ];
    const began = performance.now();
    for (const text of texts) readSysctl([{ path: 'etc/sysctl.d/x.conf', text }]);
    const { settings } = readSysctl([{ path: 'etc/sysctl.d/x.conf', text: `${stars}b = 1\n` }]);
    expect(configured(settings, `net.ipv4.${'a'.repeat(280)}c`)).toBeNull();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
