import { describe, expect, it } from 'vitest';
import { text } from '../../../test/read-log.js';
import { type Detected, detectAccessLog, linesRead } from './detect.js';
import { BUILT_IN, formatName } from './formats.js';

const TIME = '[23/Nov/2015:02:24:18 +0000]';
const COMMON = `192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5`;
const COMBINED = `${COMMON} "-" "curl/7.88.1"`;

const detected = (content: string, path = 'x.log') => detectAccessLog(Buffer.from(content), path);
const first = (found: Detected | null) =>
  found?.choice.kind === 'text' ? found.choice.formats[0]!.format : found?.choice.kind;
const built = (name: string, n = 0) => BUILT_IN.filter((f) => f.name === name)[n]!.format;

describe('detection by what the lines look like', () => {
  it.each([
    ['common', COMMON, built('combined')],
    ['combined', COMBINED, built('combined')],
    ['combined of IPv6 clients', COMBINED.replace('192.0.2.7', '2001:db8::7'), built('combined')],
    ['combined with two-word users', COMBINED.replace('- - [', '- Bob Smith ['), built('combined')],
    [
      'combined with two-word users and IPv6 clients',
      COMBINED.replace('192.0.2.7 - - [', '2001:db8::7 - Bob Smith ['),
      built('combined'),
    ],
    ['combined with fields behind', `${COMBINED} 0.003 "x"`, built('combined')],
    ['vhost_combined', `example.com:80 ${COMBINED}`, built('vhost_combined')],
    ['vhost_combined without a port', `example.com ${COMBINED}`, built('vhost_combined', 1)],
    ['vhost_common', `example.com ${COMMON}`, built('vhost_combined', 1)],
    ['combined in single quotes', COMBINED.replaceAll('"', "'"), built('combined', 1)],
    ['common in single quotes', COMMON.replaceAll('"', "'"), built('combined', 1)],
    ['JSON', '{"ts":1448245458.5,"request":{"uri":"/"},"status":200}', 'json'],
  ])('%s', (_, line, format) => {
    const found = detected(`${line}\n${line}\n`);
    expect(first(found)).toBe(format);
    expect(found).toMatchObject({ read: 2, lines: 2 });
  });

  it.each([
    [COMMON, 'common'],
    [`${COMMON} `, 'common'],
    [COMMON.replace(' 5', ' -'), 'common'],
    [`example.com ${COMMON}`, 'vhost_common'],
    [COMBINED, 'combined'],
    [`${COMMON}\n${COMBINED}`, 'combined'],
    [COMMON.replace(/$/, ' "-"'), 'combined'],
  ])('calls %j by its name', (lines, name) => {
    expect(formatName(detected(`${lines}\n`)!.choice)).toBe(`access-log (${name})`);
  });

  it('keeps the other formats for lines that do not fit the first', () => {
    const { choice } = detected(`${COMBINED}\n`)!;
    expect(choice.kind === 'text' && choice.formats.map((f) => f.format)).toEqual([
      built('combined'),
      ...BUILT_IN.map((f) => f.format).filter((f) => f !== built('combined')),
    ]);
    expect(formatName(choice)).toBe('access-log (combined)');
    expect(formatName({ kind: 'json' })).toBe('access-log (json)');
  });

  it('goes by most lines, not by the first', () => {
    expect(first(detected(`example.com:80 ${COMBINED}\n${`${COMBINED}\n`.repeat(3)}`))).toBe(
      built('combined'),
    );
  });

  it('judges by whole lines, where there is one', () => {
    expect(detected(`${COMBINED}\n${COMBINED.slice(0, 30)}`)).toMatchObject({ read: 1, lines: 1 });
    expect(detected(COMBINED)).toMatchObject({ read: 1, lines: 1 });
    expect(detected(COMBINED.slice(0, 30))).toBeNull();
  });

  it('wants half of the lines; one is enough where the name says access', () => {
    const mostlyGarbage = `${'garbage\n'.repeat(5)}${COMBINED}\n`;
    expect(detected(mostlyGarbage)).toBeNull();
    expect(detected(mostlyGarbage, '/var/log/apache2/access.log.1')).toMatchObject({ read: 1, lines: 6 });
    expect(detected(mostlyGarbage, '/var/access/other.log')).toBeNull();
    expect(detected(`garbage\n${COMBINED}\n`)).not.toBeNull();
  });

  it('never goes by the name alone', () => {
    expect(detected('', 'access.log')).toBeNull();
    expect(detected('garbage\n', 'access.log')).toBeNull();
  });

  it.each([
    [
      'an Apache error log',
      '[Mon Nov 23 02:24:18.123456 2015] [core:notice] [pid 1] AH00094: Command line: x',
    ],
    ['an nginx error log', '2015/11/23 02:24:18 [error] 1#1: *1 open() "/a" failed, client: 192.0.2.7'],
    ['syslog', 'Nov 23 02:24:18 mx1 sshd[1]: Accepted publickey for bob from 192.0.2.7 port 5'],
    ['configuration', 'LogFormat "%h %l %u %t \\"%r\\" %>s %b" common'],
    [
      'JSON that is no access log',
      '{"level":"info","ts":1448245458.5,"msg":"serving initial configuration"}',
    ],
    ['CSV', 'a,b,c'],
    ['nothing but empty lines', '\n\n'],
  ])('recognises no log in %s', (_, line) => {
    expect(detected(`${line}\n`, 'access.log')).toBeNull();
  });

  it('is not led astray by the file before', () => {
    for (let i = 0; i < 3; i++) {
      expect(first(detected(`${COMBINED}\n`))).toBe(built('combined'));
      expect(detected('{"a"')).toBeNull();
      expect(first(detected('{"ts":1448245458,"status":200}\n'))).toBe('json');
      expect(detected('x'.repeat(100_000))).toBeNull();
    }
  });
});

describe('how many lines a format reads', () => {
  it('counts', () => {
    const head = Buffer.from(`${COMBINED}\ngarbage\n${COMBINED}\n${COMBINED.slice(0, 20)}`);
    expect(linesRead(text('apache', built('combined')), head)).toEqual({ read: 2, lines: 3 });
    expect(linesRead({ kind: 'json' }, head)).toEqual({ read: 0, lines: 3 });
  });

  it('is none where nothing can be read by it', () => {
    const head = Buffer.from('http://example.com/ -> /a\n');
    for (const format of ['%{Referer}i -> %U', '%{User-agent}i', '%h%l %t', '%', '%{'])
      expect(linesRead(text('apache', format), head)).toEqual({ read: 0, lines: 0 });
  });
});
