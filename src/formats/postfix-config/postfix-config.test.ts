import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectPostfixConfig, expanded, readPostfixConfig } from './postfix-config.js';

const MAIN = `# main.cf
myhostname = mx1.example.com
mydestination = $myhostname,
# a comment between
  localhost.$mydomain

   ,localhost
maximal_backoff_time=1h
relayhost =
smtpd_banner = \${myhostname} ESMTP $$ $(relayhost) \${relayhost?by way of $relayhost}\${relayhost:direct}
`;

const MASTER = `# service type  private unpriv  chroot  wakeup  maxproc command + args
smtp      inet  n       -       y       -       -       smtpd
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
#  -o commented=out
  -o { smtpd_sender_restrictions = reject_a, reject_b }
slow      unix  -       -       y       -       1       smtp
    -o smtp_connect_timeout=5s -v
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d \${recipient}
short unix - -
`;

describe('main.cf', () => {
  it('has its settings with the line where each begins, continuations joined', () => {
    const { settings, problems } = readPostfixConfig([{ path: 'etc/postfix/main.cf', text: MAIN }]);
    expect(problems).toEqual([]);
    expect(settings.map((s) => [s.name, s.line])).toEqual([
      ['myhostname', 2],
      ['mydestination', 3],
      ['maximal_backoff_time', 8],
      ['relayhost', 9],
      ['smtpd_banner', 10],
    ]);
    expect(settings[1]!.expanded.replace(/\s+/g, ' ')).toBe(
      'mx1.example.com, localhost.$mydomain ,localhost',
    );
    expect(settings[4]!.expanded).toBe('mx1.example.com ESMTP $  direct');
  });

  it('names lines that are no setting', () => {
    const { problems } = readPostfixConfig([
      { path: 'main.cf', text: '  lost\nmyhostname mx1\n= x\nmydomain = a\n' },
    ]);
    expect(problems).toMatchObject([{ line: 2 }, { line: 3 }]);
  });

  it('never expands without end', () => {
    const loop = new Map([
      ['a', '$b $b'],
      ['b', '$a $a'],
    ]);
    expect(expanded('$a', loop)).toBe('$a');
  });
});

describe('master.cf', () => {
  it('has its services with what they override', () => {
    const { services, problems } = readPostfixConfig([{ path: 'master.cf', text: MASTER }]);
    expect(problems).toMatchObject([{ line: 11 }]);
    expect(services.map((s) => [s.name, s.type, s.command, s.maxproc, s.line])).toEqual([
      ['smtp', 'inet', 'smtpd', '-', 2],
      ['submission', 'inet', 'smtpd', '-', 3],
      ['slow', 'unix', 'smtp', '1', 7],
      ['maildrop', 'unix', 'pipe', '-', 9],
    ]);
    expect(services[1]!.overrides).toEqual([
      { name: 'syslog_name', value: 'postfix/submission' },
      { name: 'smtpd_sender_restrictions', value: 'reject_a, reject_b' },
    ]);
    expect(services[2]).toMatchObject({
      overrides: [{ name: 'smtp_connect_timeout', value: '5s' }],
      arguments: ['-v'],
    });
  });

  it('takes long runs of blanks in its stride', () => {
    const start = performance.now();
    const text = `smtp inet n - n - - smtpd\n  -o { a = b${' '.repeat(400_000)}c }\n`;
    expect(readPostfixConfig([{ path: 'master.cf', text }]).services[0]!.overrides[0]!.name).toBe('a');
    expect(performance.now() - start).toBeLessThan(1_500);
  });

  it('is told from main.cf and from other files', () => {
    expect(detectPostfixConfig(Buffer.from(MASTER))).toBe('master');
    expect(detectPostfixConfig(Buffer.from(MAIN))).toBe('main');
    expect(detectPostfixConfig(Buffer.from('primary_hostname = mx1\nbegin acl\n'))).toBe(null);
  });
});

const POSTCONF = ['/usr/sbin/postconf', '/sbin/postconf'].find((path) => existsSync(path));

describe.skipIf(!POSTCONF)('as postconf reads it', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'culprit-postfix-'));
    writeFileSync(join(dir, 'main.cf'), MAIN.replace('$mydomain', 'example.com'));
    writeFileSync(join(dir, 'master.cf'), MASTER.replace(/short.*\n/, ''));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const postconf = (...args: string[]) =>
    execFileSync(POSTCONF!, ['-c', dir, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const narrow = (text: string) => text.replace(/\s+/g, ' ').trim();

  it('has the same values, written and expanded', () => {
    const text = MAIN.replace('$mydomain', 'example.com');
    const { settings } = readPostfixConfig([{ path: 'main.cf', text }]);
    for (const { name, value, expanded: full } of settings) {
      expect(narrow(value)).toBe(narrow(postconf('-h', name)));
      expect(narrow(full)).toBe(narrow(postconf('-hx', name)));
    }
  });

  it('is the same read back from postconf -n and postconf -M', () => {
    const both = readPostfixConfig([
      { path: 'n', text: postconf('-n') },
      { path: 'M', text: postconf('-M') },
    ]);
    expect(both.problems).toEqual([]);
    expect(both.settings.map((s) => s.name)).toContain('maximal_backoff_time');
    expect(both.services.map((s) => [s.name, s.overrides])).toEqual(
      readPostfixConfig([{ path: 'master.cf', text: MASTER }]).services.map((s) => [s.name, s.overrides]),
    );
  });
});
