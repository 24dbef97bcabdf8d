import { describe, expect, it } from 'vitest';
import { detectAccessLog } from '../access-log/detect.js';
import { detectPostfixLog } from './detect.js';

const line = (prefix: string) => `${prefix}connect from a.test[192.0.2.1]\n`;
const RFC3164 = line('Nov 23 12:44:05 mx1 postfix/smtpd[77]: ');
const CRON = 'Nov 23 12:44:05 mx1 CRON[1]: (root) CMD (true)\n';
const found = (text: string) => detectPostfixLog(Buffer.from(text), 'mail.log');

describe('a log with lines of Postfix', () => {
  it.each([
    ['rfc3164', RFC3164],
    ['rfc3164', line('<22>Nov 23 12:44:05 mx1 postfix/smtpd[77]: ')],
    ['iso', line('2026-11-23T12:44:05.123456+01:00 mx1 postfix/smtpd[77]: ')],
    ['rfc5424', line('<22>1 2026-11-23T12:44:05Z mx1 postfix/smtpd 77 - - ')],
    [
      'journal-json',
      '{"__REALTIME_TIMESTAMP":"1795437845000000","SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":"connect from a[192.0.2.1]"}\n',
    ],
  ])('is known by one whole line: %s', (stamp, text) => {
    expect(found(text)).toMatchObject({ how: { stamp, lastAt: null }, read: 1, lines: 1 });
  });

  it('is known among lines of others', () => {
    expect(found(CRON.repeat(400) + RFC3164.repeat(3))).toMatchObject({ read: 3, lines: 403 });
  });

  it('is known on the 29th of February', () => {
    expect(found(RFC3164.replace('Nov 23', 'Feb 29'))).toMatchObject({ read: 1 });
  });

  it('is known by a last line that breaks off behind it', () => {
    expect(found(`${RFC3164}Nov 23 12:44:05 mx1 post`)).toMatchObject({ read: 1, lines: 1 });
  });
});

describe('what is none', () => {
  it.each([
    ['one line among hundreds', CRON.repeat(400) + RFC3164],
    ['other programs', CRON.repeat(5)],
    ['Exim', '2026-11-23 12:44:05 1abcde-000001-AA <= a@x.test H=x [192.0.2.1] P=esmtp S=1\n'],
    ['an access log', '192.0.2.1 - - [23/Nov/2026:12:44:05 +0100] "GET /postfix/smtpd HTTP/1.1" 200 5\n'],
    ['nothing', ''],
    ['bytes', '\0\n\xff\n{\n<\n'],
  ])('%s', (_, text) => {
    expect(found(text)).toBeNull();
  });

  it('is not Exim, which writes into syslog too', () => {
    const exim =
      'Nov 23 12:44:05 mx1 exim[1]: 2026-11-23 12:44:05 1abcde-000001-AA <= a@x.test P=esmtp S=1\n';
    expect(found(exim)).toMatchObject({ read: 1, lines: 1 });
  });

  it('is not taken for an access log either', () => {
    expect(detectAccessLog(Buffer.from(RFC3164), 'mail.log')).toBeNull();
  });
});
