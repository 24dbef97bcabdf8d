import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEximConfig } from '../../formats/exim-config/exim-config.js';
import { EXIM_DEFAULT_RULE } from '../../knowledge/retry-defaults.js';
import {
  nextTry,
  parseRetryParameters,
  type RetryState,
  retryErrorOf,
  retryParametersText,
  rulesFor,
  shorterRule,
  timeText,
} from './retry.js';

const HOUR = 3_600;
const DEFAULT = parseRetryParameters(EXIM_DEFAULT_RULE)!;

describe('retry parameters', () => {
  it('are read and written', () => {
    expect(DEFAULT).toEqual([
      { letter: 'F', cutoff_s: 2 * HOUR, interval_s: 900, factor: 1 },
      { letter: 'G', cutoff_s: 16 * HOUR, interval_s: HOUR, factor: 1.5 },
      { letter: 'F', cutoff_s: 96 * HOUR, interval_s: 6 * HOUR, factor: 1 },
    ]);
    expect(retryParametersText(DEFAULT)).toBe('F,2h,15m; G,16h,1h,1.5; F,4d,6h');
    expect(parseRetryParameters('')).toEqual([]);
    expect(timeText(5_400)).toBe('1h30m');
  });

  it.each([
    'F,2h',
    'F,2h,15m,2',
    'G,2h,15m',
    'G,2h,15m,0.5',
    'X,2h,15m',
    'F,2h,15',
    'F,0s,1m',
    'F,2h,1m F,4h,2m',
  ])('are refused where Exim refuses them: %s', (text) => expect(parseRetryParameters(text)).toBe(null));

  it('can be shortened for a while, keeping what comes later', () => {
    expect(retryParametersText(shorterRule(DEFAULT, 600, 4 * HOUR))).toBe('F,4h,10m; G,16h,1h,1.5; F,4d,6h');
  });
});

describe('nextTry', () => {
  /** Tries at each due time exactly, as if a queue runner stood ready. */
  function tries(rule: string, until: number, options: Parameters<typeof nextTry>[3] = {}): number[] {
    const at = [0];
    let state: RetryState | null = null;
    for (let now = 0; now < until; ) {
      state = nextTry(parseRetryParameters(rule)!, state, now, options);
      now = state.nextTry;
      at.push(now);
    }
    return at;
  }
  const gaps = (at: number[]) => at.slice(1).map((t, i) => (t - at[i]!) / 60);

  it('gives the numbers of the specification: 15 m for 2 h, then 1 h, 1.5 h, 2.25 h …, then 6 h', () => {
    const minutes = gaps(tries(EXIM_DEFAULT_RULE, 40 * HOUR));
    expect(minutes.slice(0, 9)).toEqual(Array(9).fill(15));
    expect(minutes.slice(9, 15)).toEqual(
      [60, 90, 135, 202.5, 303.75, 455.625].map((m) => Math.floor(m * 60) / 60),
    );
    expect(minutes.slice(15, 18)).toEqual([360, 360, 360]);
  });

  it('keeps under retry_interval_max', () => {
    expect(Math.max(...gaps(tries('G,4d,1h,3', 90 * HOUR)))).toBe(24 * 60);
    expect(Math.max(...gaps(tries('F,4d,6h', 20 * HOUR, { intervalMax_s: HOUR })))).toBe(60);
  });

  it('expires past the last cutoff', () => {
    const state = { firstFailed: 0, lastTry: 90 * HOUR, nextTry: 96 * HOUR };
    expect(nextTry(DEFAULT, state, 96 * HOUR).expired).toBe(false);
    expect(nextTry(DEFAULT, state, 96 * HOUR + 1)).toMatchObject({ expired: true, nextTry: 102 * HOUR + 1 });
    expect(nextTry([], null, 0)).toMatchObject({ expired: true, nextTry: 0 });
  });

  it("counts a message's age for an address that failed", () => {
    expect(nextTry(DEFAULT, null, 0, { messageAge_s: 20 * HOUR }).nextTry).toBe(6 * HOUR);
  });

  it('draws H between half way and the full step', () => {
    const state = { firstFailed: 0, lastTry: HOUR, nextTry: 3 * HOUR };
    const at = (random: number) =>
      nextTry(parseRetryParameters('H,1d,1h,2')!, state, 3 * HOUR, { random: () => random }).nextTry -
      3 * HOUR;
    expect(at(0)).toBe(2.5 * HOUR);
    expect(at(1)).toBe(4 * HOUR);
  });
});

describe('retryErrorOf', () => {
  it('names what a retry record says in two numbers', () => {
    expect(retryErrorOf(110, 77)).toBe('timeout_MX');
    expect(retryErrorOf(110, 0x100 | 65)).toBe('timeout_connect_A');
    expect(retryErrorOf(111, 77)).toBe('refused_MX');
    expect(retryErrorOf(-44, 13_133)).toBe('rcpt_451');
    expect(retryErrorOf(-46, 5_377)).toBe('data_421');
    expect(retryErrorOf(-99, 0)).toBe('*');
  });
});

const RULES = `keep_environment =
primary_hostname = mx1.example.com
begin retry
a.example rcpt_4xx F,1h,1m
a.example data_42x F,1h,2m
*.b.example timeout_connect F,2h,2m
*tail.example * F,3h,3m
^\\N[^@]+@re\\d+\\.example$\\N * F,4h,4m
!not.example quota F,5h,5m
* refused_MX F,6h,6m
* timeout_A F,7h,7m
joe@c.example * F,8h,8m
*oe@d.example * F,9h,9m
^joe@e.example * F,11h,11m
f.example tls_required F,12h,12m
f.example lost F,13h,13m
f.example auth_failed F,14h,14m
f.example lookup F,15h,15m
f.example quota_3d F,16h,16m
*@g.example mail_4xx F,17h,17m
* * F,10h,10m
`;

describe('rulesFor', () => {
  const rules = readEximConfig([{ path: 'exim.conf', text: RULES }])!.retry;
  const found = (failed: Parameters<typeof rulesFor>[1], error: string) =>
    rulesFor(rules, failed, error).rule?.parameters.join('; ');

  it('matches a host by its name, then by the domain of the recipient', () => {
    expect(found({ host: 'mx.b.example', domain: 'x.example' }, 'timeout_connect_MX')).toBe('F,2h,2m');
    expect(found({ host: 'mx.x.example', domain: 'fattail.example' }, '*')).toBe('F,3h,3m');
  });

  it('leaves open what the configuration alone does not tell, and goes on', () => {
    const odd = readEximConfig([
      {
        path: 'c',
        text: 'begin retry\nlsearch;/etc/slow * F,1h,1m\n+slow * F,1h,1m\n$x * F,1h,1m\n^(a+)+$ * F,1h,1m\n* * senders=: F,1h,1m\n* * F,2h,2m\n',
      },
    ])!.retry;
    const { rule, unsure } = rulesFor(odd, { domain: 'a.example' }, '*');
    expect(rule?.parameters).toEqual(['F,2h,2m']);
    expect(unsure.map((u) => u.why)).toEqual([
      'its pattern is a lookup',
      'its pattern is a named list',
      'its pattern is expanded by Exim',
      'its pattern is a regular expression that is not simple',
      'it is for certain senders',
    ]);
  });

  it('gives null when nothing matches: then nothing is retried', () => {
    expect(rulesFor(rules.slice(0, 1), { domain: 'z.example' }, 'rcpt_451')).toEqual({
      rule: null,
      unsure: [],
    });
  });

  it('is never kept busy by a pattern', () => {
    const start = performance.now();
    for (const pattern of [
      '^(a|a)*b',
      '^a*a*a*a*b',
      `^${'a?'.repeat(90)}b`,
      `^${'(a|b)'.repeat(60)}+x`,
      '^.*.*.*x',
    ])
      rulesFor(
        [{ pattern, error: '*', senders: null }],
        { domain: `${'a'.repeat(190)}.example`, localPart: 'a'.repeat(180) },
        '*',
      );
    expect(performance.now() - start).toBeLessThan(1_500);
  });

  const EXIM = ['/usr/sbin/exim4', '/usr/sbin/exim'].find((path) => existsSync(path));
  describe.skipIf(!EXIM)('as exim -brt has it', () => {
    let dir: string;
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'culprit-brt-'));
      writeFileSync(join(dir, 'exim.conf'), RULES);
    });
    afterAll(() => rmSync(dir, { recursive: true }));

    it.each([
      'a.example rcpt_451',
      'a.example mx.example.net rcpt_421',
      'a.example data_421',
      'a.example data_451',
      'x.b.example timeout_connect_MX',
      'x.b.example timeout_MX',
      'mx.b.example dom.example timeout_connect_A',
      'b.example timeout_connect',
      'fattail.example',
      're12.example',
      'joe@re12.example',
      'joe@re1x.example',
      'z.example quota',
      'not.example quota',
      'not.example other.example quota',
      'z.example refused_MX',
      'z.example refused',
      'z.example timeout_connect_A',
      'z.example timeout_A',
      'z.example timeout',
      'joe@c.example',
      'c.example',
      'JOE@C.Example',
      'joe@d.example',
      'joe@e.example',
      'f.example tls_required',
      'f.example lost_connection',
      'f.example auth_failed',
      'f.example lookup',
      'f.example quota_4d',
      'f.example mail_452',
      'g.example mail_452',
    ])('%s', (args) => {
      const said = execFileSync(EXIM!, ['-C', join(dir, 'exim.conf'), '-brt', ...args.split(' ')], {
        encoding: 'utf8',
      });
      const theirs = /(F,.*); *$/m.exec(said)![1];
      const words = args.split(' ');
      const [, localPart, name] = /^(?:(.*)@)?(.*)$/.exec(words[0]!)!;
      const second = words[1]?.includes('.') ? words[1] : null;
      const named = words.at(-1)!.includes('.') ? '*' : words.at(-1)!;
      // exim -brt reads times in an error as the configuration does.
      const error = named.replace('quota_4d', 'quota_345600s');
      const failed = second
        ? { host: words[0]!, domain: second }
        : { domain: name!.toLowerCase(), localPart: localPart ?? null };
      expect(found(failed, error)).toBe(theirs);
    });
  });
});
