import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENHANCED_STATUS } from '../../knowledge/enhanced-status.js';
import { EXIM_ERRORS } from '../../knowledge/exim-errors.js';
import { MAIL_PROVIDERS } from '../../knowledge/mail-providers.js';
import { SMTP_REPLIES } from '../../knowledge/smtp-replies.js';
import type { Provider } from './providers.js';
import { type Attempt, classify, greylistTriplets, knownReply, normalise, replyOf } from './replies.js';

const from = (id: string | undefined): Provider | null => (id ? { id, name: id, by: 'mx' } : null);

describe('the knowledge of replies', () => {
  it.each(SMTP_REPLIES.map((entry) => [entry.sample, entry] as const))(
    'finds its own entry for %s',
    (sample, entry) => {
      expect(knownReply(replyOf(sample), from(entry.onlyFrom?.[0] ?? entry.provider))?.meaning).toBe(
        entry.meaning,
      );
    },
  );

  it('needs no provider where the words are nobody else’s', () => {
    for (const { sample, meaning, onlyFrom } of SMTP_REPLIES)
      if (!onlyFrom) expect(knownReply(replyOf(sample), null)?.meaning, sample).toBe(meaning);
  });

  it('says where each meaning is from, and when', () => {
    const providers = new Set(MAIL_PROVIDERS.map(({ id }) => id));
    for (const { source, date, meaning, doThis, provider, onlyFrom, pattern } of SMTP_REPLIES) {
      expect(source).toMatch(/https?:\/\/|RFC|Exim|Postfix|Debian|postconf|rspamd|Sisimai/);
      expect(date).toMatch(/^(19|20)\d\d(-\d\d(-\d\d)?)?$/);
      expect(meaning.length).toBeGreaterThan(10);
      expect(doThis.length).toBeGreaterThan(0);
      expect(pattern.flags.replace('i', '')).toBe('');
      for (const id of [provider, ...(onlyFrom ?? [])]) if (id) expect(providers).toContain(id);
    }
  });

  it('has each wording and each number once', () => {
    expect(new Set(SMTP_REPLIES.map(({ pattern }) => pattern.source)).size).toBe(SMTP_REPLIES.length);
    expect(new Set(SMTP_REPLIES.map(({ sample }) => sample)).size).toBe(SMTP_REPLIES.length);
    for (const code of Object.keys(ENHANCED_STATUS)) expect(code).toMatch(/^[0-7]\.\d{1,2}$/);
    for (const [number, { name }] of Object.entries(EXIM_ERRORS)) {
      expect(Number.isInteger(Number(number))).toBe(true);
      expect(name).not.toBe('');
    }
  });
});

describe('reading a reply', () => {
  it.each([
    // Exim
    [
      'SMTP error from remote mail server after RCPT TO:<a@b.example>: 451 4.7.1 Greylisted',
      'rcpt',
      451,
      '4.7.1',
      'Greylisted',
    ],
    ['SMTP error from remote mail server after initial connection: 421 busy', 'banner', 421, null, 'busy'],
    ['SMTP error from remote mail server after EHLO mx.example.org: 501 no', 'ehlo', 501, null, 'no'],
    [
      'SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=2307: 452 4.3.1 Full',
      'mail',
      452,
      '4.3.1',
      'Full',
    ],
    [
      'SMTP error from remote mail server after pipelined MAIL FROM:<a@b.example>: 421 x',
      'mail',
      421,
      null,
      'x',
    ],
    ['SMTP error from remote mail server after DATA: 451 wait', 'data', 451, null, 'wait'],
    ['SMTP error from remote mail server after end of data: 550 no', 'end-of-data', 550, null, 'no'],
    [
      'SMTP error from remote mail server after pipelined end of data: 421 4.7.0 x',
      'end-of-data',
      421,
      '4.7.0',
      'x',
    ],
    [
      'SMTP error from remote mail server after sending data block: 250 2.0.0 OK 463 octets: Connection reset by peer',
      'body',
      250,
      '2.0.0',
      'OK 463 octets: Connection reset by peer',
    ],
    [
      'SMTP error from remote mail server after RCPT TO:<a@b.example>: host mx.b.example [192.0.2.1]: 451 no',
      'rcpt',
      451,
      null,
      'no',
    ],
    [
      'SMTP error from remote mail server after STARTTLS: 454 4.7.0 TLS not available',
      'tls',
      454,
      '4.7.0',
      'TLS not available',
    ],
    [
      'SMTP error from remote mail server after end of data: 421-4.7.0 [192.0.2.7] Our system\\n421-4.7.0 has detected\\n421 4.7.0 this. - gsmtp',
      'end-of-data',
      421,
      '4.7.0',
      '[192.0.2.7] Our system has detected this. - gsmtp',
    ],
    ['SMTP timeout after sending data block (163840 bytes written)', 'body', null, null, null],
    ['SMTP timeout after pipelined end of data (51 bytes written)', 'end-of-data', null, null, null],
    ['SMTP timeout after initial connection', 'banner', null, null, null],
    ['Remote host closed connection in response to EHLO mx.example.org', 'ehlo', null, null, null],
    [
      'Remote host mx.b.example [192.0.2.1] closed connection in response to end of data',
      'end-of-data',
      null,
      null,
      null,
    ],
    ['Malformed SMTP reply in response to RCPT TO:<a@b.example>: hello', 'rcpt', null, null, null],
    ['Connection refused', 'connect', null, null, null],
    ['mx.b.example [192.0.2.1] Connection timed out', 'connect', null, null, null],
    ['No route to host', 'connect', null, null, null],
    ['TLS session: (gnutls_handshake): Error in the pull function.', 'tls', null, null, null],
    ['a TLS session is required, but the server did not offer TLS support', 'tls', null, null, null],
    ['authentication required but server did not advertise AUTH support', 'auth', null, null, null],
    ["retry time not reached for any host for 'b.example'", 'local', null, null, null],
    ['Message is frozen', 'local', null, null, null],
    ['all relevant MX records point to non-existent hosts', 'routing', null, null, null],
    ['host lookup did not complete', 'routing', null, null, null],
    ['lookup of host "mx.b.example" failed in dnslookup router', 'routing', null, null, null],
    // Postfix
    [
      'host mx.b.example[192.0.2.1] said: 451 4.7.1 Greylisted (in reply to RCPT TO command)',
      'rcpt',
      451,
      '4.7.1',
      'Greylisted',
    ],
    [
      '(host mx.b.example[2001:db8::1] said: 450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted (in reply to RCPT TO command))',
      'rcpt',
      450,
      '4.2.0',
      '<a@b.example>: Recipient address rejected: Greylisted',
    ],
    [
      'host mx.b.example[192.0.2.1] said: 550 no (in reply to end of DATA command)',
      'end-of-data',
      550,
      null,
      'no',
    ],
    ['host mx.b.example[192.0.2.1] said: 421 no (in reply to DATA command)', 'data', 421, null, 'no'],
    ['host mx.b.example[192.0.2.1] said: 421 no (in reply to MAIL FROM command)', 'mail', 421, null, 'no'],
    [
      'host mx.b.example[192.0.2.1] said: 550 5.7.1 a 550-5.7.1 b (in reply to end of DATA command)',
      'end-of-data',
      550,
      '5.7.1',
      'a 550-5.7.1 b',
    ],
    [
      'host mx.b.example[192.0.2.1] said: 550-5.7.1 a 550 5.7.1 b (in reply to end of DATA command)',
      'end-of-data',
      550,
      '5.7.1',
      'a b',
    ],
    ['host mx.b.example[192.0.2.1] refused to talk to me: 421 4.7.0 busy', 'banner', 421, '4.7.0', 'busy'],
    ['connect to mx.b.example[192.0.2.1]:25: Connection refused', 'connect', null, null, null],
    [
      'conversation with mx.b.example[192.0.2.1] timed out while receiving the initial server greeting',
      'banner',
      null,
      null,
      null,
    ],
    [
      'conversation with mx.b.example[192.0.2.1] timed out while sending message body',
      'body',
      null,
      null,
      null,
    ],
    [
      'lost connection with mx.b.example[192.0.2.1] while sending end of data -- message may be sent more than once',
      'end-of-data',
      null,
      null,
      null,
    ],
    [
      'lost connection with mx.b.example[192.0.2.1] while performing the EHLO handshake',
      'ehlo',
      null,
      null,
      null,
    ],
    [
      'delivery temporarily suspended: connect to mx.b.example[192.0.2.1]:25: Connection timed out',
      'connect',
      null,
      null,
      null,
    ],
    [
      'delivery temporarily suspended: host mx.b.example[192.0.2.1] refused to talk to me: 421 busy',
      'banner',
      421,
      null,
      'busy',
    ],
    ['Cannot start TLS: handshake failure', 'tls', null, null, null],
    ['TLS is required, but was not offered by host mx.b.example[192.0.2.1]', 'tls', null, null, null],
    [
      'Host or domain name not found. Name service error for name=b.example type=MX: Host not found, try again',
      'routing',
      null,
      null,
      null,
    ],
    ['mail for b.example loops back to myself', 'routing', null, null, null],
    ['451 4.3.0 plain reply', null, 451, '4.3.0', 'plain reply'],
  ] as const)('%s', (line, phase, code, enhanced, text) => {
    const reply = replyOf(line);
    expect({ phase: reply.phase, code: reply.code, enhanced: reply.enhanced }).toEqual({
      phase,
      code,
      enhanced,
    });
    if (text !== null) expect(reply.text).toBe(text);
  });
});

describe('judging a reply', () => {
  it.each([
    [
      '450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.example.html',
      'greylisting',
    ],
    ['450 <a@b.example>: Recipient address rejected: Greylisted for 5 minutes', 'greylisting'],
    ['451 4.7.1 Greylisting in action, please come back in 00:05:00', 'greylisting'],
    ['457 Greylisted, please come back later.', 'greylisting'],
    ['451 Temporary failure, please try again later.', 'greylisting'],
    ['451 4.7.1 Try again later', 'greylisting'],
    ['451 4.3.0 Graylisted', 'greylisting'],
    ['451 Temporary local problem - please try later', 'outage'],
    ['421 4.3.2 Service not available', 'outage'],
    ['452 4.3.1 Insufficient system storage', 'outage'],
    ['451 4.3.5 Server configuration problem', 'outage'],
    ['552 5.2.2 <a@b.example>: user is over quota', 'mailbox-full'],
    ['550 5.1.1 The email account that you tried to reach does not exist.', 'no-such-user'],
    ['550 Unrouteable address', 'no-such-user'],
    ['550 No Such User Here', 'no-such-user'],
    ['554 5.7.1 <a@b.example>: Relay access denied', 'policy'],
    ['450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]', 'authentication'],
    ['554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.spamcop.net', 'reputation'],
    ['550 5.7.1 Message rejected as spam by Content Filtering.', 'content'],
    ['421 4.7.0 mx.b.example Error: too many connections from 192.0.2.7', 'volume'],
    ['452 4.5.3 Error: too many recipients', 'volume'],
    ['530 5.7.0 Must issue a STARTTLS command first', 'tls'],
    ['SMTP timeout after end of data (2048 bytes written)', 'network'],
    ['Connection timed out', 'network'],
    ['connect to mx.b.example[192.0.2.1]:25: No route to host', 'network'],
    ['lost connection with mx.b.example[192.0.2.1] while sending RCPT TO', 'network'],
    ['Host or domain name not found. Name service error for name=b.example type=A: Host not found', 'dns'],
    ['Domain b.example does not accept mail (nullMX)', 'dns'],
    ['retry time not reached', 'local'],
    ['550 5.2.1 something', 'no-such-user'],
    ['471 unheard of', 'other'],
  ] as const)('%s is %s', (line, expected) => {
    const judged = classify(replyOf(line), null);
    expect(judged.class).toBe(expected);
    expect(judged.greylistWords).toBe(expected === 'greylisting');
  });

  it('reads a provider’s words by who says them', () => {
    const closing = replyOf('421 4.7.0 Try again later, closing connection.');
    expect(classify(closing, from('google')).class).toBe('volume');
    expect(classify(closing, from('mx.example.org')).class).toBe('outage');
  });

  it('reads Yahoo’s codes at a host that Yahoo runs for somebody else', () => {
    const reply = replyOf('421 4.7.0 [TS01] Messages from 192.0.2.7 temporarily deferred');
    expect(classify(reply, { id: 'bt', name: 'BT Mail', by: 'mx', operator: 'yahoo' })).toMatchObject({
      class: 'reputation',
      explainedBy: { source: expect.stringContaining('yahoo.com') },
    });
  });
});

describe('grouping replies', () => {
  it.each([
    ['451 4.7.1 <a.b+c@mx.example.org>: Greylisted 300 s', '451 4.7.1 <address>: Greylisted <n> s'],
    [
      '421 4.7.0 [TSS04] Messages from 192.0.2.7 temporarily deferred',
      '421 4.7.0 [TSS04] Messages from <ip> temporarily deferred',
    ],
    [
      '550 blocked (S3150) [DB3EUR04FT007.eop-eur04.prod.protection.outlook.com]',
      '550 blocked (S3150) [<host>]',
    ],
    ['250 Ok: queued as 1a8f2ab60a4c0a8', '250 Ok: queued as <id>'],
    [
      'connect to mx.example.org[2001:db8::1]:25: Connection refused',
      'connect to <host>[<ip>]:<n>: Connection refused',
    ],
    ['421 x OFR_999 [999] see https://postmaster.orange.fr/?a=1', '421 x OFR_999 [<n>] see <url>'],
    [
      "retry time not reached for any host for 'example.org'",
      "retry time not reached for any host for '<host>'",
    ],
    ['lookup of host "mx.example.org" failed', 'lookup of host <id> failed'],
    ['421 d9443c01a7336-2349fdcd1f5si12345678ad.12 - gsmtp', '421 <id> - gsmtp'],
    ['message 1xVTOy-0002GS-1n at 12:44:08', 'message <id> at <n>:<n>:<n>'],
  ])('%s', (reply, grouped) => {
    expect(normalise(reply)).toBe(grouped);
  });

  const words = fc.constantFrom(
    ...[
      '451',
      '4.7.1',
      '<a@b.example>',
      'mx.example.org',
      '192.0.2.7',
      '::1',
      '"',
      "'",
      '<',
      '>',
      ':',
      '-',
      '\\n',
      '@',
    ],
    ...[
      '1xVTOy-0002GS-1n',
      'x',
      'aBcDeFgHiJk',
      '12',
      'https://e.example/',
      '=',
      '[',
      ']',
      '..',
      '<n>',
      '<<id>>',
      ' ',
    ],
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 3000 }),
    fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.array(words, { maxLength: 40 }).map((parts) => parts.join(' ')),
  );

  it('changes nothing more the second time, whatever the text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = normalise(text);
        expect(normalise(once)).toBe(once);
        expect(once.length).toBeLessThanOrEqual(2000);
      }),
      { numRuns: 3000 },
    );
  });

  it('reads and judges anything', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const reply = replyOf(text);
        expect(reply.text.length).toBeLessThanOrEqual(2000);
        expect(classify(reply, null).meaning).not.toBe('');
      }),
    );
  });

  it('takes a bounded time for hostile texts', () => {
    const hostile = [
      'a',
      '1',
      '.',
      ':',
      '<',
      '"',
      "'",
      '@',
      'a.',
      '1.',
      'a1',
      '<a@b',
      'host ',
      'user ',
      'tls ',
      '421-',
      '\\n',
      'SMTP error from remote mail server after ',
    ];
    const began = performance.now();
    for (const piece of hostile) {
      const text = piece.repeat(200_000 / piece.length);
      for (const line of [
        text,
        `SMTP error from remote mail server after ${text}`,
        `host ${text} said: ${text}`,
      ])
        classify(replyOf(line), null);
      normalise(text);
    }
    // 72 texts; each is a fraction of a millisecond here, and would be minutes if any pattern were quadratic in 200 kB.
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

/** Numbers between 0 and 1 that are the same every time: mulberry32. */
function dice(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Receiver {
  takes(key: string, at: number, first: number, known: boolean): boolean;
}

/** Mail of 40 pairs of people over a day, some of it repeated, retried as Exim does under a queue runner. */
function attemptsAt(receiver: Receiver, random: () => number): Attempt[] {
  const attempts: Attempt[] = [];
  const known = new Set<string>();
  const first = new Map<string, number>();
  const due = Array.from({ length: 70 }, () => ({
    key: `pair ${Math.floor(random() * 40)}`,
    at: random() * 86_400,
    tries: 0,
  }));
  for (;;) {
    const mail = due.sort((a, b) => b.at - a.at).pop();
    if (!mail) break;
    const { key, at, tries } = mail;
    if (!first.has(key)) first.set(key, at);
    const taken = receiver.takes(key, at, first.get(key)!, known.has(key));
    attempts.push({ key, at, outcome: taken ? 'delivered' : 'deferred', host: 'mx.example.org' });
    if (taken) known.add(key);
    else if (tries < 20)
      due.push({ key, at: at + (tries < 8 ? 900 : 3600) * (0.8 + 0.6 * random()), tries: tries + 1 });
  }
  return attempts;
}

describe('greylisting told from throttling', () => {
  const seeds = Array.from({ length: 25 }, (_, i) => i + 1);

  it.each([60, 300, 1800, 3600])('knows a receiver that greylists for %i s', (wait) => {
    for (const seed of seeds) {
      const random = dice(seed);
      const is = greylistTriplets(
        attemptsAt({ takes: (_, at, first, known) => known || (at > first && at - first >= wait) }, random),
      );
      expect(is.greylisting.score, `seed ${seed}`).toBeGreaterThan(8);
      expect(is.greylisting.score - is.throttling.score, `seed ${seed}`).toBeGreaterThan(5);
      expect(is.longestRefused ?? 0).toBeLessThan(wait);
      expect(is.shortestAccepted).toBeGreaterThanOrEqual(wait);
      expect(is.repeats.accepted).toBe(is.repeats.tried);
      expect(is.threshold?.misfits).toBe(0);
      expect(is.firstRetryPast.accepted).toBe(is.firstRetryPast.tried);
    }
  });

  it('knows one that greylists, though half of the senders are on its white list', () => {
    for (const seed of seeds) {
      const is = greylistTriplets(
        attemptsAt(
          {
            takes: (key, at, first, known) =>
              known || key.endsWith('1') || key.endsWith('3') || at - first >= 300,
          },
          dice(seed),
        ),
      );
      expect(is.greylisting.score, `seed ${seed}`).toBeGreaterThan(is.throttling.score + 5);
    }
  });

  it('knows one that throttles for some hours, and then takes all', () => {
    for (const seed of seeds) {
      const random = dice(seed);
      const from = 20_000 + 10_000 * random();
      const until = from + 15_000 + 15_000 * random();
      const is = greylistTriplets(attemptsAt({ takes: (_, at) => at < from || at > until }, random));
      expect(is.throttling.score, `seed ${seed}`).toBeGreaterThan(8);
      expect(is.throttling.score - is.greylisting.score, `seed ${seed}`).toBeGreaterThan(5);
    }
  });

  it('takes one that refuses by chance for neither', () => {
    for (const seed of seeds) {
      const random = dice(seed);
      const is = greylistTriplets(attemptsAt({ takes: () => random() < 0.6 }, random));
      expect(is.greylisting.score, `seed ${seed}`).toBeLessThan(3);
      expect(is.throttling.score, `seed ${seed}`).toBeLessThan(6);
    }
  });

  it('says nothing of nothing, and stands any attempts', () => {
    expect(greylistTriplets([])).toMatchObject({ triplets: 0, waits: null, threshold: null });
    const attempt = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      at: fc.double(),
      outcome: fc.constantFrom('deferred' as const, 'delivered' as const, 'failed' as const),
      host: fc.constant('mx.example.org'),
    });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
        const is = greylistTriplets(attempts);
        expect(Number.isFinite(is.greylisting.score) && Number.isFinite(is.throttling.score)).toBe(true);
      }),
    );
  });

  it('is quick for many attempts', () => {
    const began = performance.now();
    const many = Array.from({ length: 200_000 }, (_, i) => ({
      key: `pair ${i % 5000}`,
      at: i * 7,
      outcome: i % 3 === 0 ? ('delivered' as const) : ('deferred' as const),
      host: 'mx.example.org',
    }));
    expect(greylistTriplets(many).triplets).toBe(5000);
    expect(performance.now() - began).toBeLessThan(4000);
  });
});
