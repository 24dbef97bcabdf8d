import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEximConfig } from '../../formats/exim-config/exim-config.js';
import { readPostfixConfig } from '../../formats/postfix-config/postfix-config.js';
import { EXIM_DEFAULT_RULE, POSTFIX_RETRY_DEFAULTS } from '../../knowledge/retry-defaults.js';
import { parseRetryParameters, rulesFor, shorterRule } from './retry.js';
import {
  type EximPlace,
  eximRetryRemedy,
  type PostfixPlace,
  postfixRetryRemedies,
  postfixSlowTransport,
  type SlowProvider,
} from './retry-remedies.js';
import { simulateAll } from './retry-simulation.js';

const YAHOO: SlowProvider = {
  name: 'Yahoo',
  mxDomain: 'yahoodns.net',
  domains: ['yahoo.com', 'aol.com'],
  mxHost: 'mta5.am0.yahoodns.net',
};
const DEFAULT = parseRetryParameters(EXIM_DEFAULT_RULE)!;
const SHORTER = shorterRule(DEFAULT, 1_500, 14_400);
const SPLIT: EximPlace = {
  scheme: 'debian-split',
  current: { path: '/etc/exim4/conf.d/retry/30_exim4-config', line: 18, parameters: DEFAULT },
};

describe('a retry rule for one provider', () => {
  const files = (rule: string, path: string) => [
    { path: '/etc/exim4/conf.d/retry/00_head', text: 'begin retry\n' },
    { path: '/etc/exim4/conf.d/retry/30_exim4-config', text: `* * ${EXIM_DEFAULT_RULE}\n` },
    { path, text: `${rule}\n` },
  ];
  const applied = (remedy: { change: string; where: string }) =>
    readEximConfig(files(remedy.change, /a new file (\S+);/.exec(remedy.where)![1]!))!.retry;

  it('is found by Exim for what failed, and leaves other mail alone', () => {
    const byHost = eximRetryRemedy(YAHOO, 'host-or-message', SPLIT, SHORTER, 1_800, null)!;
    const rules = applied(byHost);
    const yahoo = { host: YAHOO.mxHost, domain: 'ymail.com' };
    expect(rulesFor(rules, yahoo, 'mail_421').rule?.parameters[0]).toBe('F,4h,25m');
    expect(rulesFor(rules, { host: 'mx.example.com', domain: 'example.com' }, '*').rule?.parameters[0]).toBe(
      'F,2h,15m',
    );
  });

  it('names recipient domains when recipients are refused: a host pattern would never match', () => {
    const remedy = eximRetryRemedy(YAHOO, 'recipient', SPLIT, SHORTER, 1_800, null)!;
    const refused = { domain: 'aol.com', localPart: 'joe' };
    expect(rulesFor(applied(remedy), refused, 'rcpt_451').rule?.parameters[0]).toBe('F,4h,25m');
    const byHost = eximRetryRemedy(YAHOO, 'host-or-message', SPLIT, SHORTER, 1_800, null)!;
    expect(rulesFor(applied(byHost), refused, 'rcpt_451').rule?.parameters[0]).toBe('F,2h,15m');
  });

  it('says where it goes and how to undo it in each way to keep a configuration', () => {
    const split = eximRetryRemedy(YAHOO, 'host-or-message', SPLIT, SHORTER, 1_800, null)!;
    expect(split.where).toContain('/etc/exim4/conf.d/retry/20_local_yahoo');
    expect(split.undo).toContain('rm /etc/exim4/conf.d/retry/20_local_yahoo');
    const whole: EximPlace = {
      scheme: 'monolithic',
      current: { path: '/etc/exim/exim.conf', line: 77, parameters: DEFAULT },
    };
    const remedy = eximRetryRemedy(YAHOO, 'host-or-message', whole, SHORTER, 1_800, null)!;
    expect(remedy.where).toContain('/etc/exim/exim.conf, above line 77');
    expect(remedy.undo).toContain('take the line out');
    expect(remedy.where).toContain('systemctl reload exim;');
  });

  it('tells what it costs: tries, and a queue runner that comes too seldom', () => {
    const late = { arrived: 0, attempts: [60, 7_200, 30_000].map((at, i) => ({ at, accepted: i === 2 })) };
    const gain = simulateAll([late], { mta: 'exim', parameters: SHORTER, queueRun_s: 1_800, about: 'host' });
    const remedy = eximRetryRemedy(YAHOO, 'host-or-message', SPLIT, SHORTER, 1_800, gain)!;
    expect(remedy.cost).toMatch(/QUEUEINTERVAL.*up to \d+ tries where there were 3/);
    expect(remedy.preferred).toBe(true);
  });

  it('lets no name from the evidence write a configuration', () => {
    const bad = { ...YAHOO, mxDomain: 'x\n* * F,1s,1s', domains: ['a b'] };
    expect(eximRetryRemedy(bad, 'host-or-message', SPLIT, SHORTER, 1_800, null)).toBe(null);
    const badHost = { ...YAHOO, mxHost: '$(reboot)', name: '../../etc/x; rm' };
    const remedy = eximRetryRemedy(badHost, 'host-or-message', SPLIT, SHORTER, 1_800, null)!;
    expect(remedy.where).not.toContain('reboot');
    expect(remedy.where).toContain('20_local_etc;');
    expect(postfixRetryRemedies(bad, PLACE, 900).every((r) => !r.change.includes('a b'))).toBe(true);
    expect(postfixSlowTransport(bad, PLACE, LIMITS)).toBe(null);
  });

  const EXIM = ['/usr/sbin/exim4', '/usr/sbin/exim'].find((path) => existsSync(path));
  it.skipIf(!EXIM)('is printed by exim -brt once it is there', () => {
    const dir = mkdtempSync(join(tmpdir(), 'culprit-rule-'));
    try {
      const { change } = eximRetryRemedy(YAHOO, 'host-or-message', SPLIT, SHORTER, 1_800, null)!;
      const conf = join(dir, 'exim.conf');
      writeFileSync(conf, `keep_environment =\nbegin retry\n${change}\n* * ${EXIM_DEFAULT_RULE}\n`);
      const said = execFileSync(EXIM!, ['-C', conf, '-brt', YAHOO.mxHost!, 'yahoo.com'], {
        encoding: 'utf8',
      });
      expect(said).toContain('*.yahoodns.net  *  F,4h,25m; G,16h,1h,1.5; F,4d,6h;');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

const PLACE: PostfixPlace = {
  mainCf: '/etc/postfix/main.cf',
  masterCf: '/etc/postfix/master.cf',
  transportMaps: null,
  minimalBackoff_s: POSTFIX_RETRY_DEFAULTS.minimalBackoff_s,
  maximalBackoff_s: POSTFIX_RETRY_DEFAULTS.maximalBackoff_s,
  queueRunDelay_s: POSTFIX_RETRY_DEFAULTS.queueRunDelay_s,
};
const LIMITS = { concurrency: 2, rateDelay_s: 0, recipients: 1 };

describe('Postfix', () => {
  it('retries one provider by flushing, and all by the backoff times', () => {
    const [flush, all] = postfixRetryRemedies(YAHOO, PLACE, 900);
    expect(flush!.change).toContain('fast_flush_domains = $relay_domains, yahoo.com, aol.com');
    expect(flush!.change).toContain('*/15 * * * * root postqueue -s yahoo.com; postqueue -s aol.com');
    expect(all!.change).toBe('maximal_backoff_time = 900s');
    expect(all!.undo).toContain('maximal_backoff_time=4000s');
    expect(postfixRetryRemedies(YAHOO, PLACE, 60)[1]!.change.split('\n')).toEqual([
      'maximal_backoff_time = 60s',
      'minimal_backoff_time = 60s',
      'queue_run_delay = 60s',
    ]);
    expect(postfixRetryRemedies(YAHOO, PLACE, 4_000)).toHaveLength(1);
  });

  it('has a slower transport as files that Postfix reads', () => {
    const { change } = postfixSlowTransport(YAHOO, PLACE, LIMITS)!;
    const parts = change.split(/^# (\/\S+)\n/m);
    const text = (path: string) => parts[parts.indexOf(path) + 1]!;
    const master = readPostfixConfig([{ path: 'master.cf', text: text(PLACE.masterCf) }]);
    expect(master.services).toMatchObject([{ name: 'slowyahoo', type: 'unix', command: 'smtp' }]);
    const main = readPostfixConfig([{ path: 'main.cf', text: text(PLACE.mainCf) }]);
    expect(main.settings.map((s) => [s.name, s.value])).toEqual([
      ['transport_maps', 'hash:/etc/postfix/transport'],
      ['slowyahoo_destination_concurrency_limit', '2'],
      // One recipient a delivery would turn the limit into one per recipient.
      ['slowyahoo_destination_recipient_limit', '2'],
      ['slowyahoo_destination_concurrency_failed_cohort_limit', '100'],
    ]);
    expect(text('/etc/postfix/transport')).toMatch(/^yahoo\.com +slowyahoo:\naol\.com +slowyahoo:$/);
  });

  it('uses the map that is there, and keeps others', () => {
    const change = (transportMaps: string) =>
      postfixSlowTransport(YAHOO, { ...PLACE, transportMaps }, LIMITS)!.change;
    expect(change('lmdb:/etc/postfix/routes')).not.toContain('transport_maps');
    expect(change('lmdb:/etc/postfix/routes')).toContain('# /etc/postfix/routes');
    expect(change('ldap:/etc/x.cf\nevil = 1')).not.toContain('\nevil');
    expect(change('mysql:/etc/postfix/sql.cf')).toContain('hash:/etc/postfix/transport, mysql:');
    expect(change('proxy:mysql:/etc/postfix/sql.cf')).toContain(
      'transport_maps = hash:/etc/postfix/transport, proxy:mysql:/etc/postfix/sql.cf',
    );
  });
});
