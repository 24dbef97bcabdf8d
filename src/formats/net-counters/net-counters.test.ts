import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { detectNetCounters, readNetCounters } from './net-counters.js';

function run(program: string, args: string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}
const NETSTAT = run('netstat', ['-s']);
const NSTAT = run('nstat', ['-asz']);
const CONNTRACK = run('conntrack', ['-S']);

const counted = (text: string, name: string) =>
  readNetCounters(text).counters.find((c) => c.name === name)?.value;

describe('counters', () => {
  it.each([
    [
      'nstat',
      '#kernel\nTcpRetransSegs                  224                0.0\nTcpExtTCPTimeouts               7                  0.5\n',
    ],
    ['proc', 'Tcp: RtoMin MaxConn RetransSegs\nTcp: 200 -1 224\nTcpExt: TW TCPTimeouts\nTcpExt: 3 7\n'],
    [
      'netstat',
      'Tcp:\n    12 active connection openings\n    224 segments retransmitted\nTcpExt:\n    Quick ack mode was activated 4 times\n    TCPTimeouts: 7\n',
    ],
  ])('%s: have the same names', (program, text) => {
    expect(detectNetCounters(Buffer.from(text))).toBe(true);
    const { counters, unread } = readNetCounters(text);
    expect(unread).toEqual([]);
    expect(counters.every((c) => c.program === program && c.cpu === null)).toBe(true);
    expect(counted(text, 'TcpRetransSegs')).toBe(224);
    expect(counted(text, 'TcpExtTCPTimeouts')).toBe(7);
  });

  it('of the tracker are by processor, in hexadecimal where the kernel prints them so', () => {
    const kernel =
      'entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n' +
      `0000005f  00000000 00000000 00000000 000003d0 ${'00000000 '.repeat(12).trim()}\n`.repeat(2);
    const program = 'cpu=0   \tfound=0 invalid=976 insert=0 \ncpu=1   \tfound=0 invalid=892 insert=0 \n';
    for (const [text, values] of [
      [kernel, [976, 976]],
      [program, [976, 892]],
    ] as const) {
      expect(detectNetCounters(Buffer.from(text))).toBe(true);
      const { counters, unread } = readNetCounters(text);
      expect(unread).toEqual([]);
      const invalid = counters.filter((c) => c.name === 'nf_conntrack.invalid');
      expect(invalid.map((c) => [c.cpu, c.value])).toEqual(values.map((v, i) => [i, v]));
    }
  });

  it('a number of columns that does not fit, or another line, is not read', () => {
    expect(readNetCounters('Tcp: A1 B1\nTcp: 1 2 3\nfoo\n').unread).toEqual([2, 3]);
    expect(readNetCounters('Tcp:\n    7 unheard of things\n').unread).toEqual([2]);
    for (const text of ['', 'Tcp: RtoMin\n', 'Hello:\n    World\n', 'abc 1 0.0\n', 'cpu=0 x=1\n'])
      expect(detectNetCounters(Buffer.from(text)), text).toBe(false);
  });

  it('hostile text takes no time', () => {
    const texts = [
      `cpu=0 ${'a=1 '.repeat(100_000)}!\n`,
      `Tcp:${' a1'.repeat(100_000)}!\n`,
      `Tcp:\n    ${'1 '.repeat(200_000)}\n`,
      `entries found ${' '.repeat(300_000)}x\n`,
      `${'a'.repeat(500_000)} 1\n`,
    ];
    const began = performance.now();
    for (const text of texts) {
      readNetCounters(text);
      detectNetCounters(Buffer.from(text));
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('this machine’s own', () => {
  const proc = ['snmp', 'netstat'].map((f) => readFileSync(`/proc/net/${f}`, 'utf8')).join('');

  it('/proc/net is read whole', () => {
    expect(readNetCounters(proc).unread).toEqual([]);
  });

  it.skipIf(NSTAT === null)('nstat has the same names', () => {
    const { counters, unread } = readNetCounters(NSTAT!);
    expect(unread).toEqual([]);
    const names = new Set(readNetCounters(proc).counters.map((c) => c.name));
    const tcp = counters.map((c) => c.name).filter((n) => /^(?:Tcp|Udp)(?!6|Lite6)/.test(n));
    expect(tcp.length).toBeGreaterThan(100);
    expect(tcp.filter((n) => !names.has(n))).toEqual([]);
  });

  it.skipIf(NETSTAT === null)('netstat -s: every phrase is known, and has the kernel’s number', () => {
    const { counters, unread } = readNetCounters(NETSTAT!);
    expect(unread).toEqual([]);
    const before = new Map(readNetCounters(proc).counters.map((c) => [c.name, c.value]));
    expect(counters.filter((c) => !before.has(c.name)).map((c) => c.name)).toEqual([]);
    expect(counters.find((c) => c.name === 'TcpEstabResets')!.value).toBe(before.get('TcpEstabResets'));
  });

  it.skipIf(CONNTRACK === null)('conntrack -S is read whole', () => {
    expect(detectNetCounters(Buffer.from(CONNTRACK!))).toBe(true);
    expect(readNetCounters(CONNTRACK!).unread).toEqual([]);
  });
});
