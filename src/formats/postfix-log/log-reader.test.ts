import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOW, type ReadRow, readPostfix } from '../../../test/read-postfix.js';
import { MailFlag } from '../mail-log/columns.js';
import { UNREAD_REASONS } from '../unread.js';

const STAMP = 'Nov 23 12:44:05 mx1 ';
const TIME = '2026-11-23T12:44:05.000Z';

/** The one row of one line, without what every line has. */
function row(text: string): Record<string, unknown> {
  const { rows, unread } = readPostfix([`${STAMP}${text}\n`]);
  if (rows.length !== 1) throw new Error(`${rows.length} rows: ${unread[0]}`);
  const { line, time, pid, ...rest } = rows[0]!;
  expect(time).toBe(TIME);
  return rest;
}

const unreadOf = (text: string) => readPostfix([`${text}\n`]).unread[0];

/** Lines of Postfix 3.7.11 as it wrote them, where nothing else is said; what a person reads in them. */
const LINES: [line: string, expected: Record<string, unknown>][] = [
  [
    'postfix/smtp[31824]: 7709F15D: to=<five@plain.test>, relay=mx.example.net[192.0.2.3]:2532, conn_use=2, delay=0.09, delays=0.01/0.09/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 1A20EEAA1BC)',
    {
      kind: 'delivered',
      flags: MailFlag.reused,
      message: '7709F15D',
      address: 'five@plain.test',
      host: 'mx.example.net',
      ip: '192.0.2.3',
      port: 2532,
      transport: 'smtp',
      dsn: '2.0.0',
      reply: '250 2.0.0 Ok: queued as 1A20EEAA1BC',
      code: 250,
      queue_ms: 90,
      before_ms: 10,
      active_ms: 90,
      connect_ms: 0,
      transmit_ms: 0,
    },
  ],
  [
    'postfix-out/smtp[31820]: 8FB9413D: to=<u0@grey.test>, relay=192.0.2.4[192.0.2.4]:25, delay=1204, delays=1200/0.01/2/1.5, dsn=4.2.0, status=deferred (host 192.0.2.4[192.0.2.4] said: 450 4.2.0 <x@grey>: Recipient address rejected: Greylisted, see http://example.org/ (1) ) (in reply to RCPT TO command))',
    {
      kind: 'deferred',
      message: '8FB9413D',
      address: 'u0@grey.test',
      host: '192.0.2.4',
      ip: '192.0.2.4',
      port: 25,
      transport: 'postfix-out/smtp',
      dsn: '4.2.0',
      reply:
        'host 192.0.2.4[192.0.2.4] said: 450 4.2.0 <x@grey>: Recipient address rejected: Greylisted, see http://example.org/ (1) ) (in reply to RCPT TO command)',
      code: 450,
      queue_ms: 1_204_000,
      before_ms: 1_200_000,
      active_ms: 10,
      connect_ms: 2000,
      transmit_ms: 1500,
    },
  ],
  [
    'postfix/smtp[1]: 92CB9140: to=<u@x.test>, relay=192.0.2.3[192.0.2.3]:2526, delay=0.03, delays=0/0.03/0/0, dsn=4.7.0, status=deferred (host 192.0.2.3[192.0.2.3] refused to talk to me: 421 4.7.0 [TSS04] Messages from 192.0.2.2 temporarily deferred)',
    {
      kind: 'deferred',
      message: '92CB9140',
      address: 'u@x.test',
      host: '192.0.2.3',
      ip: '192.0.2.3',
      port: 2526,
      transport: 'smtp',
      dsn: '4.7.0',
      reply:
        'host 192.0.2.3[192.0.2.3] refused to talk to me: 421 4.7.0 [TSS04] Messages from 192.0.2.2 temporarily deferred',
      code: 421,
      queue_ms: 30,
      before_ms: 0,
      active_ms: 30,
      connect_ms: 0,
      transmit_ms: 0,
    },
  ],
  // Counted as a deferral too: nothing was tried, for the queue manager knew better (postfix_exporter#302).
  [
    'postfix/error[29644]: 72E5D159: to=<a@x.test>, relay=none, delay=0.12, delays=0/0.12/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.x.test[192.0.2.9]:25: Connection timed out)',
    {
      kind: 'deferred',
      message: '72E5D159',
      address: 'a@x.test',
      host: 'mx.x.test',
      ip: '192.0.2.9',
      port: 25,
      transport: 'error',
      dsn: '4.4.1',
      reply: 'delivery temporarily suspended: connect to mx.x.test[192.0.2.9]:25: Connection timed out',
      queue_ms: 120,
      before_ms: 0,
      active_ms: 120,
      connect_ms: 0,
      transmit_ms: 0,
    },
  ],
  [
    'postfix/local[29620]: 75E2115C: to=<alias@local.test>, orig_to=<post>, relay=local, delay=0.03, delays=0.01/0.02/0/0.01, dsn=2.0.0, status=sent (forwarded as 7C0DC165)',
    {
      kind: 'delivered',
      message: '75E2115C',
      related: '7C0DC165',
      address: 'alias@local.test',
      original: 'post',
      router: 'local',
      transport: 'local',
      dsn: '2.0.0',
      reply: 'forwarded as 7C0DC165',
      queue_ms: 30,
      before_ms: 10,
      active_ms: 20,
      connect_ms: 0,
      transmit_ms: 10,
    },
  ],
  // Postfix before 2.3: no delays, no dsn, no port.
  [
    'postfix/lmtp[5]: 1A2B3C4D5: to=<b@x.test>, relay=mx1[private/dovecot-lmtp], delay=2, status=bounced (host mx1[private/dovecot-lmtp] said: 550 no such user)',
    {
      kind: 'failed',
      message: '1A2B3C4D5',
      address: 'b@x.test',
      host: 'mx1',
      router: 'private/dovecot-lmtp',
      transport: 'lmtp',
      reply: 'host mx1[private/dovecot-lmtp] said: 550 no such user',
      code: 550,
      queue_ms: 2000,
    },
  ],
  [
    'postfix/smtp[5]: 4XyZ1k2QzWz1b: to=<"quoted, >, relay=local"@x.test>, relay=mx.x.test[2001:db8::25]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)',
    {
      kind: 'delivered',
      message: '4XyZ1k2QzWz1b',
      address: '"quoted, >, relay=local"@x.test',
      host: 'mx.x.test',
      ip: '2001:db8::25',
      port: 25,
      transport: 'smtp',
      dsn: '2.0.0',
      reply: '250 ok',
      code: 250,
      queue_ms: 1000,
      before_ms: 1000,
      active_ms: 0,
      connect_ms: 0,
      transmit_ms: 0,
    },
  ],
  // Postfix 3.11 tells of TLS policies.
  [
    'postfix/smtp[5]: 4XyZ1k2QzWz1b: to=<u@x.test>, relay=none, delay=1, tls=dane/!sts, dsn=4.7.5, status=SOFTBOUNCE (Server certificate not trusted)',
    {
      kind: 'deferred',
      message: '4XyZ1k2QzWz1b',
      address: 'u@x.test',
      transport: 'smtp',
      dsn: '4.7.5',
      reply: 'Server certificate not trusted',
      queue_ms: 1000,
    },
  ],
  [
    'postfix/smtp[5]: 9C94F1A2: to=<probe@plain.test>, relay=none, delay=0, delays=0/0/0/0, dsn=5.1.1, status=undeliverable (no)',
    {
      kind: 'remark',
      message: '9C94F1A2',
      address: 'probe@plain.test',
      transport: 'smtp',
      dsn: '5.1.1',
      reply: 'no',
      queue_ms: 0,
      before_ms: 0,
      active_ms: 0,
      connect_ms: 0,
      transmit_ms: 0,
    },
  ],
  [
    'postfix/qmgr[29560]: 6273B13B: from=<sender0@example.com>, size=320, nrcpt=1 (queue active)',
    {
      kind: 'active',
      message: '6273B13B',
      address: 'sender0@example.com',
      transport: 'qmgr',
      bytes: 320,
      recipients: 1,
    },
  ],
  [
    'postfix/qmgr[29560]: 6273B13B: from=<>, size=2512, nrcpt=3 (queue active)',
    {
      kind: 'active',
      flags: MailFlag.nullSender,
      message: '6273B13B',
      transport: 'qmgr',
      bytes: 2512,
      recipients: 3,
    },
  ],
  ['postfix/qmgr[29560]: 631FC13C: removed', { kind: 'completed', message: '631FC13C', transport: 'qmgr' }],
  [
    'postfix/qmgr[29560]: 900A318A: from=<a@x.test>, status=expired, returned to sender',
    { kind: 'failed', message: '900A318A', transport: 'qmgr', reply: 'expired, returned to sender' },
  ],
  [
    'postfix/qmgr[29560]: 900A318A: skipped, still being delivered',
    { kind: 'waiting', message: '900A318A', transport: 'qmgr', reply: 'skipped, still being delivered' },
  ],
  [
    'postfix/postsuper[3]: 6DBDD14D: removed',
    { kind: 'removed', message: '6DBDD14D', transport: 'postsuper' },
  ],
  [
    'postfix/postsuper[3]: 9490C142: placed on hold',
    { kind: 'frozen', message: '9490C142', transport: 'postsuper', reply: 'placed on hold' },
  ],
  [
    'postfix/postsuper[3]: 9490C142: released from hold',
    { kind: 'unfrozen', message: '9490C142', transport: 'postsuper', reply: 'released from hold' },
  ],
  [
    'postfix/postsuper[3]: Deleted: 1 message',
    { kind: 'other', transport: 'postsuper', reply: 'Deleted: 1 message' },
  ],
  [
    'postfix/submission/smtpd[7]: 9CAF01A5: client=host.x.test[192.0.2.9]:4711, sasl_method=PLAIN, sasl_username=me@x.test, orig_queue_id=7C0DC165, orig_client=o.x.test[192.0.2.8]',
    {
      kind: 'connection',
      message: '9CAF01A5',
      related: '7C0DC165',
      address: 'me@x.test',
      host: 'host.x.test',
      ip: '192.0.2.9',
      port: 4711,
      transport: 'submission/smtpd',
      reply:
        'sasl_method=PLAIN, sasl_username=me@x.test, orig_queue_id=7C0DC165, orig_client=o.x.test[192.0.2.8]',
    },
  ],
  [
    'postfix/pickup[29559]: 6946D21D: uid=0 from=<root>',
    { kind: 'connection', message: '6946D21D', address: 'root', transport: 'pickup', reply: 'uid=0' },
  ],
  [
    'postfix/cleanup[2]: 6273B13B: message-id=<20261124185627.6273B13B@mx1.example.com>',
    {
      kind: 'arrival',
      message: '6273B13B',
      transport: 'cleanup',
      header: '20261124185627.6273B13B@mx1.example.com',
    },
  ],
  [
    'postfix/cleanup[2]: 91DDE194: message-id=',
    { kind: 'arrival', message: '91DDE194', transport: 'cleanup' },
  ],
  [
    'postfix/cleanup[2]: 91DDE194: resent-message-id=<re@sent>',
    { kind: 'remark', message: '91DDE194', transport: 'cleanup', header: 're@sent' },
  ],
  [
    'postfix/bounce[29611]: 631FC13C: sender non-delivery notification: 704D5152',
    {
      kind: 'notification',
      message: '631FC13C',
      related: '704D5152',
      transport: 'bounce',
      reply: 'sender non-delivery notification',
    },
  ],
  [
    'postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.6]:4711: 554 5.7.1 <out@example.org>: Relay access denied; from=<> to=<out@example.org> proto=ESMTP helo=<client.example.com>',
    {
      kind: 'rejected',
      flags: MailFlag.nullSender,
      address: 'out@example.org',
      ip: '192.0.2.6',
      port: 4711,
      router: 'RCPT',
      transport: 'smtpd',
      protocol: 'ESMTP',
      dsn: '5.7.1',
      reply: '554 5.7.1 <out@example.org>: Relay access denied',
      code: 554,
    },
  ],
  // An envelope within what a client may choose.
  [
    'postfix/smtpd[1]: NOQUEUE: reject: RCPT from a.test[192.0.2.6]: 450 4.7.1 <b@x.test>: no; from=<"a> to=<w@x.test"@x.test> to=<b@x.test> proto=SMTP helo=<; from=<> to=<c@x.test>',
    {
      kind: 'rejected',
      address: 'b@x.test',
      host: 'a.test',
      ip: '192.0.2.6',
      router: 'RCPT',
      transport: 'smtpd',
      protocol: 'SMTP',
      dsn: '4.7.1',
      reply: '450 4.7.1 <b@x.test>: no',
      code: 450,
    },
  ],
  [
    'postfix/postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.4]:58591: 550 5.5.1 Protocol error; from=<a@example.com>, to=<out@example.org>, proto=ESMTP, helo=<client.example.com>',
    {
      kind: 'rejected',
      address: 'out@example.org',
      ip: '192.0.2.4',
      port: 58591,
      router: 'RCPT',
      transport: 'postscreen',
      protocol: 'ESMTP',
      dsn: '5.5.1',
      reply: '550 5.5.1 Protocol error',
      code: 550,
    },
  ],
  [
    'postfix/cleanup[1]: 8B74B183: reject: header Subject: now; from=<x> from localhost[127.0.0.1]; from=<a@example.com> to=<u@plain.test> proto=ESMTP helo=<client.example.com>: 5.7.1 spam (here)',
    {
      kind: 'rejected',
      message: '8B74B183',
      address: 'u@plain.test',
      host: 'localhost',
      ip: '127.0.0.1',
      router: 'header',
      transport: 'cleanup',
      protocol: 'ESMTP',
      dsn: '5.7.1',
      reply:
        'header Subject: now; from=<x> from localhost[127.0.0.1]; from=<a@example.com> to=<u@plain.test> proto=ESMTP helo=<client.example.com>: 5.7.1 spam (here)',
    },
  ],
  [
    'postfix/cleanup[1]: 8B74B183: milter-reject: END-OF-MESSAGE from m.test[192.0.2.1]: 5.7.1 Spam message rejected; from=<a@x.test> to=<u@plain.test> proto=ESMTP helo=<m>',
    {
      kind: 'rejected',
      message: '8B74B183',
      address: 'u@plain.test',
      host: 'm.test',
      ip: '192.0.2.1',
      router: 'END-OF-MESSAGE',
      transport: 'cleanup',
      protocol: 'ESMTP',
      dsn: '5.7.1',
      reply: '5.7.1 Spam message rejected',
    },
  ],
  [
    'postfix/smtpd[1]: proxy-reject: END-OF-MESSAGE: 550 5.7.1 no; from=<a@x.test> to=<u@plain.test> proto=ESMTP helo=<m>',
    {
      kind: 'rejected',
      address: 'u@plain.test',
      router: 'END-OF-MESSAGE',
      transport: 'smtpd',
      protocol: 'ESMTP',
      dsn: '5.7.1',
      reply: '550 5.7.1 no',
      code: 550,
    },
  ],
  [
    'postfix/smtpd[1]: NOQUEUE: hold: RCPT from localhost[127.0.0.1]: <hold@plain.test>: Recipient address because; from=<a@example.com> to=<hold@plain.test> proto=ESMTP helo=<x>',
    {
      kind: 'frozen',
      address: 'hold@plain.test',
      host: 'localhost',
      ip: '127.0.0.1',
      router: 'RCPT',
      transport: 'smtpd',
      protocol: 'ESMTP',
      reply: '<hold@plain.test>: Recipient address because',
    },
  ],
  [
    'postfix/cleanup[1]: 8C6D3184: warning: header Subject: x from localhost[127.0.0.1]; from=<a@example.com> to=<u@plain.test> proto=ESMTP helo=<c>: look',
    {
      kind: 'remark',
      message: '8C6D3184',
      address: 'u@plain.test',
      host: 'localhost',
      ip: '127.0.0.1',
      router: 'header',
      transport: 'cleanup',
      protocol: 'ESMTP',
      reply:
        'header Subject: x from localhost[127.0.0.1]; from=<a@example.com> to=<u@plain.test> proto=ESMTP helo=<c>: look',
    },
  ],
  [
    'postfix/smtp[1]: 6828E144: host mx.example.net[192.0.2.3] said: 421 4.3.0 try again later (in reply to MAIL FROM command)',
    {
      kind: 'hostError',
      message: '6828E144',
      host: 'mx.example.net',
      ip: '192.0.2.3',
      transport: 'smtp',
      dsn: '4.3.0',
      reply: 'host mx.example.net[192.0.2.3] said: 421 4.3.0 try again later (in reply to MAIL FROM command)',
      code: 421,
    },
  ],
  [
    'postfix/smtp[1]: connect to mx.example.net[2001:db8::3]:25: Network is unreachable',
    {
      kind: 'hostError',
      host: 'mx.example.net',
      ip: '2001:db8::3',
      port: 25,
      transport: 'smtp',
      reply: 'connect to mx.example.net[2001:db8::3]:25: Network is unreachable',
    },
  ],
  [
    'postfix/smtp[1]: 6828E144: conversation with mx.example.net[192.0.2.3] timed out while sending message body',
    {
      kind: 'hostError',
      message: '6828E144',
      host: 'mx.example.net',
      ip: '192.0.2.3',
      transport: 'smtp',
      reply: 'conversation with mx.example.net[192.0.2.3] timed out while sending message body',
    },
  ],
  [
    'postfix/smtp[1]: 67B9F143: Cannot start TLS: handshake failure',
    {
      kind: 'tlsError',
      message: '67B9F143',
      transport: 'smtp',
      reply: 'Cannot start TLS: handshake failure',
    },
  ],
  // smtp_trouble.c: why the next host is tried, in any words.
  [
    'postfix/smtp[1]: 67B9F143: some words of a later Postfix about mx.example.net[192.0.2.3]:25',
    {
      kind: 'hostError',
      message: '67B9F143',
      host: 'mx.example.net',
      ip: '192.0.2.3',
      port: 25,
      transport: 'smtp',
      reply: 'some words of a later Postfix about mx.example.net[192.0.2.3]:25',
    },
  ],
  [
    'postfix/smtp[1]: SSL_connect error to mx.example.net[192.0.2.3]:25: -1',
    {
      kind: 'tlsError',
      host: 'mx.example.net',
      ip: '192.0.2.3',
      port: 25,
      transport: 'smtp',
      reply: 'SSL_connect error to mx.example.net[192.0.2.3]:25: -1',
    },
  ],
  [
    'postfix/smtp[1]: Verified TLS connection established to mx.example.net[192.0.2.3]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256',
    {
      kind: 'connection',
      flags: MailFlag.tls | MailFlag.verified,
      host: 'mx.example.net',
      ip: '192.0.2.3',
      port: 25,
      transport: 'smtp',
      tls: 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384',
      reply: 'Verified TLS connection established',
    },
  ],
  [
    'postfix/smtpd[1]: connect from unknown[192.0.2.6]',
    { kind: 'connection', ip: '192.0.2.6', transport: 'smtpd', reply: 'connect' },
  ],
  [
    'postfix/smtpd[1]: disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=7/9 data=1 quit=1 commands=11/13',
    {
      kind: 'connection',
      host: 'localhost',
      ip: '127.0.0.1',
      transport: 'smtpd',
      reply: 'ehlo=1 mail=1 rcpt=7/9 data=1 quit=1 commands=11/13',
    },
  ],
  [
    'postfix/smtpd[1]: disconnect from localhost[127.0.0.1]',
    { kind: 'connection', host: 'localhost', ip: '127.0.0.1', transport: 'smtpd', reply: 'disconnect' },
  ],
  [
    'postfix/smtpd[1]: lost connection after DATA (6000 bytes) from localhost[127.0.0.1]',
    {
      kind: 'connection',
      host: 'localhost',
      ip: '127.0.0.1',
      transport: 'smtpd',
      reply: 'lost connection after DATA',
      bytes: 6000,
    },
  ],
  [
    'postfix/smtpd[1]: 3F2A51234: timeout after END-OF-MESSAGE from localhost[127.0.0.1]',
    {
      kind: 'connection',
      message: '3F2A51234',
      host: 'localhost',
      ip: '127.0.0.1',
      transport: 'smtpd',
      reply: 'timeout after END-OF-MESSAGE',
    },
  ],
  [
    'postfix/smtpd[1]: warning: a.test[192.0.2.6]: SASL LOGIN authentication failed: UGFzc3dvcmQ6',
    {
      kind: 'warning',
      host: 'a.test',
      ip: '192.0.2.6',
      transport: 'smtpd',
      reply: 'warning: a.test[192.0.2.6]: SASL LOGIN authentication failed: UGFzc3dvcmQ6',
    },
  ],
  [
    'postfix/qmgr[1]: warning: 3F2A51234: queue file corrupt',
    {
      kind: 'warning',
      message: '3F2A51234',
      transport: 'qmgr',
      reply: 'warning: 3F2A51234: queue file corrupt',
    },
  ],
  [
    'postfix/master[1]: fatal: bind 0.0.0.0 port 25: Address already in use',
    { kind: 'warning', transport: 'master', reply: 'fatal: bind 0.0.0.0 port 25: Address already in use' },
  ],
  [
    'postfix/master[29558]: daemon started -- version 3.7.11, configuration /etc/postfix',
    {
      kind: 'daemonStart',
      transport: '3.7.11',
      reply: 'daemon started -- version 3.7.11, configuration /etc/postfix',
    },
  ],
  [
    'postfix/postscreen[1]: CONNECT from [192.0.2.6]:58401 to [192.0.2.1]:25',
    {
      kind: 'connection',
      ip: '192.0.2.6',
      port: 58401,
      local_ip: '192.0.2.1',
      local_port: 25,
      transport: 'postscreen',
      reply: 'CONNECT',
    },
  ],
  [
    'postfix/postscreen[1]: DNSBL rank 6 for [192.0.2.6]:58401',
    { kind: 'connection', ip: '192.0.2.6', port: 58401, transport: 'postscreen', reply: 'DNSBL rank 6' },
  ],
  [
    'postfix/anvil[1]: statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Nov 23 12:40:00',
    {
      kind: 'other',
      transport: 'anvil',
      reply: 'statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Nov 23 12:40:00',
    },
  ],
];

describe('a line of Postfix', () => {
  it.each(LINES)('%s', (line, expected) => {
    expect(row(line)).toEqual(expected);
  });

  it('keeps bytes that are no UTF-8 visible', () => {
    const bytes = Buffer.from(`${STAMP}postfix/smtpd[1]: warning: caf\xe9 \x1b[2J\n`, 'latin1');
    expect(readPostfix([bytes]).rows[0]!.reply).toBe('warning: caf\\xe9 \x1b[2J');
  });

  it('has no number that its column does not hold', () => {
    const line = `${STAMP}postfix/qmgr[99999999999]: 6273B13B: from=<a>, size=99999999999999999999, nrcpt=9999999999 (queue active)\n`;
    const [read] = readPostfix([line]).rows;
    expect(read).toMatchObject({ bytes: 0x7fff_ffff, recipients: 0x7fff_ffff });
    expect(read).not.toHaveProperty('pid');
    expect(
      row('postfix/smtp[1]: 6273B13B: to=<a>, relay=none, delay=99999999, delays=1e9/x/./, status=sent (x)'),
    ).toMatchObject({ queue_ms: 0x7fff_ffff });
  });

  it('gives as many rows as syslogd says it was repeated', () => {
    const { rows, records } = readPostfix([
      `${STAMP}postfix/smtpd[1]: message repeated 3 times: [ connect from unknown[192.0.2.6]]\n`,
      `${STAMP}postfix/smtpd[1]: message repeated 4000000000 times: [ connect from unknown[192.0.2.6]]\n`,
    ]);
    expect(records).toBe(2);
    expect(rows.filter(({ line }) => line === 0)).toHaveLength(3);
    expect(rows.filter(({ line }) => line === 1)).toHaveLength(100);
    expect(rows[0]).toMatchObject({ ip: '192.0.2.6', reply: 'connect' });
    expect(rows[0]).not.toHaveProperty('flags');
    expect(rows.at(-1)).toMatchObject({ flags: MailFlag.partly });
  });
});

describe('a line that is not read', () => {
  it.each([
    [`${STAMP}dovecot: imap(a): Logged out`, 9],
    [`${STAMP}amavis[1]: (1-2) Passed CLEAN`, 9],
    [`${STAMP}cyrus/master[1]: about to exec`, 9],
    [`${STAMP}master[1]: daemon started -- version 3.7.11`, 9],
    [`${STAMP}last message repeated 3 times`, 9],
    [`${STAMP}postfix/smtpd[1]: words of no known line`, 10],
    [`${STAMP}postfix/smtpd[1]: 6273B13B: words of no known line`, 10],
    [`${STAMP}postfix/smtp[1]: 6273B13B: to=<a@x.test>, relay=none, status=odd (x)`, 10],
    [`${STAMP}postfix/smtp[1]: 6273B13B: to=<a@x.test>, relay=none, delay=`, 6],
    [`${STAMP}postfix/smtp[1]: 6273B13B: to=<a@x.test>, relay=none, status=se`, 6],
    [`${STAMP}postfix/qmgr[1]: 6273B13B: from=<a@x`, 6],
    ['Nov 31 12:44:05 mx1 postfix/smtpd[1]: connect from a[192.0.2.1]', 2],
    ['Nov 23 12:44:99 mx1 postfix/smtpd[1]: connect from a[192.0.2.1]', 2],
    ['-- Boot 6a7b8c --', 2],
    ['Nov 23 12:44:05 mx1', 1],
    ['<13>', 2],
    ['{"MESSAGE":"connect from a[192.0.2.1]","SYSLOG_IDENTIFIER":"postfix/smtpd"}', 7],
    ['{"MESSAGE":', 7],
    ['{"__REALTIME_TIMESTAMP":"1","MESSAGE":null,"SYSLOG_IDENTIFIER":"postfix/smtpd"}', 1],
  ] as const)('%s', (line, reason) => {
    expect(unreadOf(line)).toBe(UNREAD_REASONS[reason]);
  });

  it('is kept as far as it goes when only its text was cut', () => {
    expect(
      row('postfix/smtp[1]: 6273B13B: to=<a@x.test>, relay=none, dsn=4.4.1, status=deferred (conn'),
    ).toEqual({
      kind: 'deferred',
      flags: MailFlag.partly,
      message: '6273B13B',
      address: 'a@x.test',
      transport: 'smtp',
      dsn: '4.4.1',
      reply: 'conn',
    });
  });
});

const BODY = 'connect from a.test[192.0.2.1]:25';
const AT = Date.parse(TIME) / 1000;
const json = (more: Record<string, unknown>) =>
  JSON.stringify({
    __CURSOR: 's=1;i={"',
    __REALTIME_TIMESTAMP: `${AT}123456`,
    _HOSTNAME: 'mx1',
    SYSLOG_IDENTIFIER: 'postfix/smtpd',
    MESSAGE: BODY,
    _PID: '77',
    ...more,
  });

describe('what stands before the text', () => {
  it.each([
    ['Nov 23 12:44:05 mx1 postfix/smtpd[77]: ', {}],
    ['<22>Nov 23 12:44:05 mx1 postfix/smtpd[77]: ', {}],
    ['Nov 23 2026 12:44:05 mx1 postfix/smtpd[77]: ', {}],
    ['Nov 23 12:44:05.123 mx1 postfix/smtpd[77]: ', { time: '2026-11-23T12:44:05.123Z' }],
    ['Nov 23 12:44:05 postfix/smtpd[77]: ', {}],
    ['Nov 23 12:44:05 mx1 postfix/smtpd[77]: [ID 197553 mail.info] ', {}],
    ['Nov 23 12:44:05 <mail.info> mx1 postfix/smtpd[77]: ', {}],
    [
      '2026-11-23T12:44:05.123456+01:00 mx1 postfix/smtpd[77]: ',
      { time: '2026-11-23T11:44:05.123Z', zone_min: 60 },
    ],
    ['2026-11-23T12:44:05+0530 mx1 postfix/smtpd[77]: ', { time: '2026-11-23T07:14:05.000Z', zone_min: 330 }],
    ['2026-11-23T12:44:05Z mx1 postfix/smtpd[77]: ', { zone_min: 0 }],
    ['2026-11-23 12:44:05 mx1 postfix/smtpd[77]: ', {}],
    ['Mon 2026-11-23 12:44:05 UTC mx1 postfix/smtpd[77]: ', { zone_min: 0 }],
    ['Mon 2026-11-23 12:44:05 CET mx1 postfix/smtpd[77]: ', {}],
    // rsyslog 8.2302 with RSYSLOG_SyslogProtocol23Format: two spaces, and no program.
    ['<22>1 2026-11-23T12:44:05Z mx1 postfix 77 - -  ', { zone_min: 0, transport: 'postfix' }],
    [
      '<22>1 2026-11-23T12:44:05.5-03:00 mx1 postfix/smtpd 77 - - ',
      { time: '2026-11-23T15:44:05.500Z', zone_min: -180 },
    ],
    ['<22>1 2026-11-23T12:44:05Z mx1 postfix/smtpd 77 ID1 [a@1 b="x\\"]"][c d="e"] \ufeff', { zone_min: 0 }],
  ])('%s', (prefix, more) => {
    const { rows, unread } = readPostfix([`${prefix}${BODY}\n`]);
    expect(unread).toEqual({});
    expect(rows).toEqual([
      {
        line: 0,
        time: TIME,
        kind: 'connection',
        pid: 77,
        host: 'a.test',
        ip: '192.0.2.1',
        port: 25,
        transport: 'smtpd',
        reply: 'connect',
        ...more,
      },
    ]);
  });

  it('may have a day of one digit, padded or not', () => {
    const days = ['Nov  3 12:44:05', 'Nov 3 12:44:05', 'Nov 03 12:44:05', 'Nov 3 2026 12:44:05'];
    const { rows } = readPostfix(days.map((day) => `${day} mx1 postfix/smtpd[77]: ${BODY}\n`));
    expect(rows.map(({ time }) => time)).toEqual(days.map(() => '2026-11-03T12:44:05.000Z'));
  });

  it.each([
    ['a string', {}],
    ['bytes', { MESSAGE: [...Buffer.from(BODY)] }],
    ['several values, of which the first counts', { SYSLOG_IDENTIFIER: ['postfix/smtpd', 'other'] }],
    ['the number that the program itself gave', { _PID: undefined, SYSLOG_PID: '77' }],
  ])('may be the journal as JSON: %s', (_, more) => {
    const { rows } = readPostfix([
      `${json(more)}
`,
    ]);
    expect(rows).toEqual([
      {
        line: 0,
        time: '2026-11-23T12:44:05.123Z',
        zone_min: 0,
        kind: 'connection',
        pid: 77,
        host: 'a.test',
        ip: '192.0.2.1',
        port: 25,
        transport: 'smtpd',
        reply: 'connect',
      },
    ]);
  });

  it('reads what JSON escapes as it was', () => {
    const text = 'warning: "quoted" \\ back/slash \t tab é € 😀 end';
    const escaped = json({ MESSAGE: text }).replace(/[^ -~]/g, (c) =>
      [...Array(c.length)].map((_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
    );
    for (const line of [json({ MESSAGE: text }), escaped])
      expect(readPostfix([`${line}\n`]).rows[0]!.reply).toBe(
        readPostfix([`${STAMP}postfix/smtpd[1]: ${text}\n`]).rows[0]!.reply,
      );
  });

  it('reads plain lines rightly behind those of the journal', () => {
    const { rows } = readPostfix([`${json({})}\n${STAMP}postfix/smtpd[77]: ${BODY}\n`]);
    expect(rows.map(({ host }) => host)).toEqual(['a.test', 'a.test']);
  });
});

describe('the year that a line does not have', () => {
  const yearOf = (stamp: string, lastAt: number | null) =>
    readPostfix([`${stamp} mx1 postfix/smtpd[1]: ${BODY}\n`], { ...HOW, lastAt }).rows[0]?.time.slice(0, 10);
  const at = (text: string) => Date.parse(`${text}Z`) / 1000;

  it.each([
    ['Nov 23 12:44:05', '2026-11-23T12:44:05', '2026-11-23'],
    ['Nov 24 12:44:05', '2026-11-23T12:44:05', '2026-11-24'],
    ['Nov 24 12:44:06', '2026-11-23T12:44:05', '2025-11-24'],
    ['Dec 31 23:59:59', '2026-01-05T00:00:00', '2025-12-31'],
    ['Jan  5 00:00:00', '2026-01-05T00:00:00', '2026-01-05'],
    ['Jan  1 00:30:00', '2026-12-31T23:30:00', '2027-01-01'],
    ['Feb 29 10:00:00', '2026-11-23T00:00:00', '2024-02-29'],
    ['Feb 29 10:00:00', '2028-02-29T00:00:00', '2028-02-29'],
    ['Feb 29 10:00:00', '2028-02-27T00:00:00', '2024-02-29'],
    ['Feb 29 10:00:00', '2103-01-01T00:00:00', '2096-02-29'],
  ])('%s with %s is %s', (stamp, lastAt, expected) => {
    expect(yearOf(stamp, at(lastAt))).toBe(expected);
  });

  it('is not invented', () => {
    expect(yearOf('Nov 23 12:44:05', null)).toBeUndefined();
  });

  it('follows New Year in the middle of a file, in any order of lines', () => {
    const lines = ['Dec 31 23:59:59', 'Jan  1 00:00:01', 'Dec 31 23:59:58'].map(
      (stamp) => `${stamp} mx1 postfix/smtpd[1]: ${BODY}\n`,
    );
    const { rows } = readPostfix(lines, { ...HOW, lastAt: at('2026-01-02T00:00:00') });
    expect(rows.map(({ time }) => time.slice(0, 4))).toEqual(['2025', '2026', '2025']);
  });
});

/** As a log counts them: newlines, and a last line that has none. */
const linesOf = (bytes: Uint8Array) =>
  bytes.filter((b) => b === 10).length + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0);

const real = LINES.map(([line]) => Buffer.from(`${STAMP}${line}`, 'latin1'));
/** Real lines, cut, changed in a byte, or any bytes. */
const anyLine = fc.oneof(
  fc.constantFrom(...real),
  fc
    .tuple(fc.constantFrom(...real, Buffer.from(json({}))), fc.nat(400), fc.nat(255), fc.boolean())
    .map(([line, at, byte, cut]) => {
      const changed = Buffer.from(line);
      changed[at % changed.length] = byte;
      return cut ? changed.subarray(0, at) : changed;
    }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);

describe('any bytes', () => {
  it('are all accounted for, and give the same rows in any chunks', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 30 }), fc.nat(200), anyLine, (lines, size, last) => {
        const bytes = Buffer.concat([...lines.flatMap((line) => [line, Buffer.from('\n')]), last]);
        const whole = readPostfix([bytes]);
        const chunks: Buffer[] = [];
        for (let i = 0; i < bytes.length; i += size + 1) chunks.push(bytes.subarray(i, i + size + 1));
        expect(readPostfix(chunks)).toEqual(whole);
        expect(whole.lines).toBe(linesOf(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('take no longer than their length', () => {
    const parts = [
      '[',
      '[1',
      '; ',
      '; from=<',
      ' from a[1.1.1.1]',
      '"',
      '>',
      '<',
      '=',
      ' said: ',
      ', ',
      '\\',
      'a=<',
      ':',
    ];
    const heads = [
      '6273B13B: to=<',
      '6273B13B: to=<"',
      '6273B13B: reject: header ',
      'NOQUEUE: reject: RCPT from a[192.0.2.1]: 450 4.7.1 ',
      'warning: ',
      'connect from ',
      '6273B13B: client=',
      '6273B13B: host ',
      '6273B13B: to=<a>, relay=x, status=deferred (',
    ];
    const spent: [string, number][] = [];
    for (const head of heads)
      for (const part of parts) {
        const line = `${STAMP}postfix/smtp[1]: ${head}${part.repeat(Math.floor(100_000 / part.length))}]\n`;
        const before = process.cpuUsage();
        readPostfix([line]);
        const { user, system } = process.cpuUsage(before);
        spent.push([head + part, (user + system) / 1e6]);
      }
    const worst = spent.reduce((a, b) => (b[1] > a[1] ? b : a));
    // That is read in milliseconds; anything quadratic takes many seconds.
    expect(worst[1], worst[0]).toBeLessThan(1);
  }, 60_000);
});

describe('rows', () => {
  it('come in the order of their lines', () => {
    const { rows } = readPostfix(real.map((line) => Buffer.concat([line, Buffer.from('\n')])));
    expect(rows.map(({ line }: ReadRow) => line)).toEqual(real.map((_, n) => n));
  });
});
