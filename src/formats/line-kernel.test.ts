import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { BUILT_IN, type FormatChoice } from './access-log/formats.js';
import { LineReader } from './access-log/line-reader.js';
import { LogReader } from './access-log/log-reader.js';
import { compile } from './access-log/program.js';
import { Rows } from './access-log/rows.js';
import type { Batch } from './bulk.js';
import { type LineKernel, lineKernel } from './line-kernel.js';
import { Unread } from './unread.js';

/** xorshift32: the same numbers in each run. */
function numbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** A kernel that counts the lines that it has cut; fails where there is none, for then nothing is tested. */
function counting(capacity = 1 << 16): { kernel: LineKernel; cuts: () => number } {
  const plain = lineKernel(capacity);
  if (!plain) throw new Error('this Node.js has no WebAssembly with SIMD');
  const { cut } = plain;
  let cuts = 0;
  plain.cut = (...line) => {
    const count = cut(...line);
    if (count > 0) cuts++;
    return count;
  };
  return { kernel: plain, cuts: () => cuts };
}

describe('hashes', () => {
  const { kernel } = counting(4096);
  const seeds = [0x1234567, 0x7654321] as const;
  const whole = kernel.place([
    { stop: 10, never: 10, literal: new Uint8Array(0), next: 'end', keep: 'hash', othersMayMiss: false },
  ])!;
  const rows = new Rows(kernel.buffer, new DataView(kernel.buffer.buffer), ...seeds);
  const { index } = rows.dictionaries.path;

  it('are the same with the kernel and without, at every length and alignment', () => {
    const random = numbers(1);
    for (let round = 0; round < 40; round++)
      for (let length = 1; length <= 40; length++)
        for (let at = 0; at < 16; at++) {
          for (let i = at; i < at + length + 20; i++) kernel.buffer[i] = 33 + random(200);
          const id = rows.intern(rows.dictionaries.path, at, at + length);
          expect(kernel.cut(at, at + length, whole.from, whole.to, ...seeds)).toBe(1);
          const [start, end, a, b] = kernel.out;
          expect([start, end]).toEqual([at, at + length]);
          expect(index.find(a!, b!)).toBe(id);
        }
  });

  it('tell values apart, and nothing else', () => {
    const random = numbers(2);
    const ids = new Map<string, number>();
    for (let round = 0; round < 20_000; round++) {
      const at = random(16);
      const length = 1 + random(40);
      // Few letters and what stands behind changes: equal values come often, and so do nearly equal ones.
      for (let i = at; i < at + 60; i++)
        kernel.buffer[i] = random(20) === 0 ? 0x80 + random(2) : 97 + random(2);
      const value = Buffer.from(kernel.buffer.subarray(at, at + length)).toString('latin1');
      kernel.cut(at, at + length, whole.from, whole.to, ...seeds);
      const id = rows.internHashed(rows.dictionaries.agent, at, at + length, kernel.out[2]!, kernel.out[3]!);
      expect(ids.get(value) ?? id).toBe(id);
      if (!ids.has(value)) expect([...ids.values()].includes(id)).toBe(false);
      ids.set(value, id);
    }
    expect(ids.size).toBeGreaterThan(5000);
  });
});

describe('lines', () => {
  const FORMATS: FormatChoice[] = [
    { kind: 'text', formats: BUILT_IN },
    ...(
      [
        ['nginx', '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'],
        ['nginx', '$http_x_forwarded_for $host [$time_iso8601] $status "$request" $request_time'],
        ['nginx', '$msec|$remote_addr|$status|$request_uri|$http_user_agent'],
        ['apache', '%V:%p %h %u "%r" %t %>s %O %D "%{User-Agent}i" %{X-Forwarded-For}i'],
        ['apache', '[%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t] %h "%m %U%q" %s %b'],
        ['apache', "%h\t%u\t%{sec}t\t'%r'\t%>s\t%b"],
      ] as const
    ).map(
      ([dialect, format]): FormatChoice => ({
        kind: 'text',
        formats: [{ dialect, name: 'custom', format }],
      }),
    ),
  ];
  const VALUES: Record<string, string[]> = {
    host: ['192.0.2.7', '2001:db8::1', 'host.example', '-', ''],
    name: ['www.example', 'www.example:443', '[2001:db8::1]:80', '-', '192.0.2.1:80'],
    user: ['-', 'ann', 'a b', '"q"', '- -'],
    clf: [
      '04/Mar/2024:00:00:01 +0000',
      '04/Mar/2024:00:09:59 +0000',
      '04/Mar/2024:00:19:60 -0330',
      '31/Feb/2024:00:00:00 +0000',
    ],
    iso: ['2024-03-04T00:00:00+01:00', '2024-03-04T00:00:00.5Z', '2024-03-04'],
    epoch: ['1709510400', '1709510400.125', 'x'],
    strftime: ['04/Mar/2024 00:00:01.007 +0200', '04/Mar/2024 00:00:01.007 -9999'],
    request: [
      'GET / HTTP/1.1',
      'POST /a?b=c HTTP/2.0',
      'HEAD /?',
      'PROPFIND /x HTTP/1.1',
      'GET /a" b HTTP/1.0',
      'GET /\\"x HTTP/1.1',
      '\\x16\\x03',
      '-',
      '',
      'GET',
      'GET  HTTP/1.1',
      'get /ü? HTTP/9.9',
      'a\tb /',
    ],
    status: ['200', '304', '-', '99', '000'],
    number: ['0', '5120', '-', '1.5', '9999999999999999'],
    text: [
      '-',
      '',
      'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101',
      'a "quoted" b',
      '\\"',
      "it's",
      'curl/8.0',
      'x'.repeat(70),
    ],
    more: ['', '', ' "10.0.0.1"', ' 12', ' a"b', '"'],
  };
  /** A line of a format from these values, for the most part whole. */
  function line(format: string, random: (below: number) => number): string {
    const of = (name: string) => {
      const values = VALUES[name]!;
      return values[random(3) === 0 ? random(values.length) : random(2)]!;
    };
    let text = format
      .replace(/%\{%d[^ ]* %T\}t\.%\{msec_frac\}t %\{%z\}t/, () => of('strftime'))
      .replace(/\[\$time_iso8601\]/, () => `[${of('iso')}]`)
      .replace(/\$msec|%\{sec\}t/, () => of('epoch'))
      .replace(/%t/, () => `[${of('clf')}]`)
      .replace('$time_local', () => of('clf'))
      .replace(/\$request_time|%[bOD]|\$body_bytes_sent/g, () => of('number'))
      .replace(/"%m %U%q"/, () => `"${of('request')}"`)
      .replace(/\$request_uri/, '/a?b')
      .replace(/%r|\$request/, () => of('request'))
      .replace(/%v:%p|%V:%p|%v|\$host/, () => of('name'))
      .replace(/%h|\$remote_addr|\$http_x_forwarded_for/g, () => of('host'))
      .replace(/%u|\$remote_user/, () => of('user'))
      .replace('%l', '-')
      .replace(/%>?s|\$status/, () => of('status'))
      .replace(/%\{[^}]*\}i|\$http_user_agent/g, () => of('text'));
    text += of('more');
    const damage = random(6);
    const at = random(text.length + 1);
    const odd = ['"', '\\', ' ', '[', ':', '-', "'", ',', '\t', '\r', '\0', '?'][random(12)]!;
    if (damage === 0) text = text.slice(0, at);
    else if (damage === 1) text = text.slice(0, at) + odd + text.slice(at);
    else if (damage === 2) text = text.slice(0, at) + text.slice(at + 1 + random(4));
    return text;
  }

  const batches = (choice: FormatChoice, log: Buffer, kernel: LineKernel | null): Batch[] => {
    const all: Batch[] = [];
    const reader = new LogReader(choice, [3, 4], (batch) => all.push(batch), 1 << 16, kernel);
    for (let i = 0; i < log.length; i += 4096) reader.feed(log.subarray(i, i + 4096));
    reader.finish(false);
    return all;
  };

  /** Byte by byte; `toEqual` takes its time over columns. */
  const same = (a: Batch[], b: Batch[]): boolean => serialize(a).equals(serialize(b));

  it.each(FORMATS)('are read alike with the kernel and without: %j', (choice) => {
    if (choice.kind === 'json') return;
    const random = numbers(3);
    const lines = Array.from({ length: 20_000 }, () =>
      line(choice.formats[random(choice.formats.length)]!.format, random),
    );
    const { kernel, cuts } = counting();
    const log = Buffer.from(lines.join('\n'));
    const fast = batches(choice, log, kernel);
    const slow = batches(choice, log, null);
    expect(cuts()).toBeGreaterThan(2000);
    expect(slow.reduce((sum, { tally }) => sum + tally.records, 0)).toBeLessThan(
      slow.reduce((sum, { tally }) => sum + tally.lines, 0),
    );
    expect(same(fast, slow)).toBe(true);
  });

  it('are read alike when the kernel is another reader’s by then, or the buffer another', () => {
    const { kernel, cuts } = counting(1 << 12);
    const text = '192.0.2.1 - - [04/Mar/2024:00:00:01 +0000] "GET /a?b HTTP/1.1" 200 5 "-" "x"\n';
    const log = Buffer.from(text.repeat(10));
    const choice: FormatChoice = { kind: 'text', formats: BUILT_IN };
    for (let reader = 0; reader < 20; reader++)
      expect(same(batches(choice, log, kernel), batches(choice, log, null))).toBe(true);
    expect(cuts()).toBe(200);
    const long = Buffer.from(text.replace('/a?b', `/${'a'.repeat(9000)}`) + text);
    expect(same(batches(choice, long, kernel), batches(choice, long, null))).toBe(true);
  });

  it('without some fields at their end are plain too, and with fields of others behind', () => {
    const { kernel, cuts } = counting();
    const rows = new Rows(kernel.buffer, new DataView(kernel.buffer.buffer), 1, 2);
    const reader = new LineReader(compile('apache', BUILT_IN[2]!.format), rows);
    for (const [n, text] of [
      '192.0.2.1 - - [04/Mar/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 5',
      '192.0.2.1 - - [04/Mar/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "x" "10.0.0.1"',
    ].entries()) {
      kernel.buffer.set(Buffer.from(text));
      expect(reader.read(0, text.length)).toBe(Unread.none);
      expect([rows.status, rows.bytes, cuts()]).toEqual([200, 5, n + 1]);
    }
  });
});
