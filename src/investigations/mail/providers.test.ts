import fc from 'fast-check';
import { getDomain } from 'tldts';
import { describe, expect, it } from 'vitest';
import { MAIL_PROVIDERS } from '../../knowledge/mail-providers.js';
import { providerOf } from './providers.js';

const at = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000;
const NOW = at('2025-06-01');

describe('the provider of a delivery', () => {
  it.each([
    ['gmail-smtp-in.l.google.com', 'gmail.com', 'google', 'mx'],
    ['alt1.aspmx.l.google.com.', 'firm.example', 'google', 'mx'],
    ['MX-EU.mail.am0.yahoodns.net', 'aol.com', 'yahoo', 'mx'],
    ['mta7.am0.yahoodns.net [192.0.2.25]:25', 'sky.com', 'yahoo', 'mx'],
    ['outlook-com.olc.protection.outlook.com', 'hotmail.co.uk', 'outlook', 'mx'],
    ['firm-example.mail.protection.outlook.com', 'firm.example', 'microsoft-365', 'mx'],
    ['firm-example.k-v1.mx.microsoft', 'firm.example', 'microsoft-365', 'mx'],
    ['eu-smtp-inbound-1.mimecast.com', 'firm.example', 'mimecast', 'mx'],
    ['mxa-00082601.gslb.pphosted.com', 'firm.example', 'proofpoint', 'mx'],
    ['inbound-smtp.eu-west-1.amazonaws.com', 'firm.example', 'amazon-ses', 'mx'],
    ['notgoogle.com', 'firm.example', 'notgoogle.com', 'host'],
    [null, 'yahoo.co.uk', 'yahoo', 'domain'],
    [null, 'yahoo.co.jp', 'yahoo-japan', 'domain'],
    [null, 'hotmail.fr', 'outlook', 'domain'],
    [null, 'sub.yahoo.co.uk', 'sub.yahoo.co.uk', 'domain'],
    ['192.0.2.7', 'gmail.com', 'google', 'domain'],
    ['smarthost.isp.example', 'gmail.com', 'google', 'domain'],
    ['mail.example-school.org.uk', 'example-school.org.uk', 'example-school.org.uk', 'host'],
    ['mx2.firm.co.uk', 'other.example', 'firm.co.uk', 'host'],
    [null, 'firm.example', 'firm.example', 'domain'],
    ['localhost', null, 'localhost', 'host'],
    [null, null, 'unknown', 'domain'],
    ['', '', 'unknown', 'domain'],
  ] as const)('%s for %s is %s', (host, domain, id, by) => {
    expect(providerOf(host, domain, NOW)).toMatchObject({ id, by });
  });

  it('knows that Yahoo ran BT’s mail until May 2013, and Openwave after', () => {
    expect(providerOf(null, 'btinternet.com', at('2012-01-01'))).toEqual({
      id: 'bt',
      name: 'BT Mail',
      by: 'domain',
      operator: 'yahoo',
    });
    expect(providerOf(null, 'btinternet.com', at('2013-04-30')).operator).toBe('yahoo');
    expect(providerOf(null, 'btinternet.com', at('2013-05-01')).operator).toBe('openwave');
    expect(providerOf('mx1.bt.mail.yahoo.com', 'btinternet.com', at('2012-01-01'))).toMatchObject({
      id: 'bt',
      by: 'mx',
      operator: 'yahoo',
    });
  });

  it('takes a name that only one provider ever had for its own at any time', () => {
    expect(providerOf('mx1.bt.mail.yahoo.com', 'btinternet.com', NOW)).toMatchObject({
      id: 'bt',
      operator: 'yahoo',
    });
  });

  it('gives the same answer again, and one for anything', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400 }),
        fc.string({ maxLength: 400 }),
        fc.integer(),
        (host, domain, when) => {
          const first = providerOf(host, domain, when);
          expect(first.id).not.toBe('');
          expect(providerOf(host, domain, when)).toEqual(first);
        },
      ),
    );
  });

  it('is quick for many names', () => {
    const began = performance.now();
    for (let i = 0; i < 50_000; i++)
      providerOf(`mx${i % 500}.a.b.c.firm${i % 500}.example`, 'firm.example', NOW);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('the list of providers', () => {
  const names = (list: (string | { name: string; from?: string; until?: string })[]) =>
    list.map((each) => (typeof each === 'string' ? { name: each } : each));

  it('has each id once, a source for each, and dates that are dates', () => {
    expect(new Set(MAIL_PROVIDERS.map(({ id }) => id)).size).toBe(MAIL_PROVIDERS.length);
    for (const { id, source, mx, domains, help } of MAIL_PROVIDERS) {
      expect(id).toMatch(/^[a-z0-9-]+$/);
      expect(source).toMatch(/https?:\/\/|mxsniff|KumoMTA|Sisimai/);
      expect(mx.length + domains.length).toBeGreaterThan(0);
      if (help) expect(help.asOf).toMatch(/^20\d\d(-\d\d)?$/);
      for (const { name, from, until } of [...names(mx), ...names(domains)]) {
        expect(name).toBe(name.toLowerCase());
        for (const date of [from, until])
          if (date) expect(new Date(date).toISOString().slice(0, 10)).toBe(date);
        if (name.endsWith('.*')) expect(name.split('.')).toHaveLength(2);
        else expect(getDomain(name), name).not.toBeNull();
      }
    }
  });

  it.each(['mx', 'domains'] as const)('gives no name in %s to two providers at one time', (kind) => {
    const held = MAIL_PROVIDERS.flatMap((provider) =>
      names(provider[kind]).map((each) => ({ ...each, id: provider.id })),
    );
    for (const a of held)
      for (const b of held)
        if (a !== b && a.name === b.name)
          expect(
            (a.until ?? '9999') <= (b.from ?? '0000') || (b.until ?? '9999') <= (a.from ?? '0000'),
            a.name,
          ).toBe(true);
  });

  it('finds each provider by each of its names', () => {
    for (const { id, mx, domains } of MAIL_PROVIDERS) {
      for (const { name, until } of names(mx)) {
        const host = `mx1.${name.replace('.*', '.com')}`;
        expect(providerOf(host, null, until ? at(until) - 1 : NOW).id, host).toBe(id);
      }
      for (const { name, until } of names(domains)) {
        const domain = name.replace('.*', '.com');
        expect(providerOf(null, domain, until ? at(until) - 1 : NOW).id, domain).toBe(id);
      }
    }
  });
});
