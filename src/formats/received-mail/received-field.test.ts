import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReceivedField, readReceived } from './received-field.js';

const AT = Date.parse('2022-04-11T09:40:02Z');
const DATE = 'Mon, 11 Apr 2022 11:40:02 +0200';
type Row = [mta: string, field: string, expected: Partial<ReceivedField>];

const peer = (
  name: string | null,
  address: string | null,
  reverse: string | null = null,
  helo = reverse && name,
) => ({
  name,
  helo,
  reverse,
  address,
});

describe('a Received field', () => {
  it.each<Row>([
    [
      'Postfix',
      `from out.sender.example (mail.sender.example [192.0.2.25]) (using TLSv1.3 with cipher X (256/256 bits)) by mx.receiver.example (Postfix) with ESMTPS id 4KcXyz1Q2Rz9sT for <ben@receiver.example>; ${DATE} (CEST)`,
      {
        from: peer('out.sender.example', '192.0.2.25', 'mail.sender.example'),
        by: 'mx.receiver.example',
        byComment: 'Postfix',
        with: 'ESMTPS',
        id: '4KcXyz1Q2Rz9sT',
        for: 'ben@receiver.example',
      },
    ],
    [
      'Postfix, no reverse name',
      `from evil (unknown [192.0.2.25]) by mx.example (Postfix) with SMTP id 1; ${DATE}`,
      { from: { name: 'evil', helo: 'evil', reverse: null, address: '192.0.2.25' } },
    ],
    [
      'Postfix, from userid',
      `by web.example (Postfix, from userid 33) id 7C1F2A0; ${DATE}`,
      { from: null, by: 'web.example', byComment: 'Postfix, from userid 33', id: '7C1F2A0', with: null },
    ],
    [
      'Exim',
      `from mail.sender.example ([192.0.2.25] helo=out) by mx.example with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384 (Exim 4.96) (envelope-from <a@sender.example>) id 1njbGQ-005LxL-M5 for b@receiver.example; ${DATE}`,
      {
        from: {
          name: 'mail.sender.example',
          helo: 'out',
          reverse: 'mail.sender.example',
          address: '192.0.2.25',
        },
        with: 'esmtps',
        id: '1njbGQ-005LxL-M5',
        for: 'b@receiver.example',
      },
    ],
    [
      'Exim, address only',
      `from [198.51.100.7] (helo=annas-laptop) by mx.example with esmtpsa (Exim 4.94.2) id 1njbGQ-005LxL-M5; ${DATE}`,
      { from: { name: 'annas-laptop', helo: 'annas-laptop', reverse: null, address: '198.51.100.7' } },
    ],
    [
      'Exim, IPv6 with port',
      `from [2001:db8::7]:4711 (helo=x) by mx.example with esmtp id 1njbGQ-005LxL-M5; ${DATE}`,
      { from: { name: 'x', helo: 'x', reverse: null, address: '2001:db8::7' } },
    ],
    [
      'sendmail',
      `from out.sender.example (mail.sender.example [192.0.2.25] (may be forged)) by mx.example (8.15.2/8.15.2) with ESMTP id 23B9e5aB012345 (version=TLSv1.2 verify=NO) for <b@c.example>; ${DATE}`,
      { from: peer('out.sender.example', '192.0.2.25', 'mail.sender.example'), id: '23B9e5aB012345' },
    ],
    [
      'qmail',
      `from unknown (HELO out.sender.example) (192.0.2.25) by mx.example with SMTP; ${DATE}`,
      {
        from: {
          name: 'out.sender.example',
          helo: 'out.sender.example',
          reverse: null,
          address: '192.0.2.25',
        },
        by: 'mx.example',
      },
    ],
    [
      'qmail, its own',
      `(qmail 10876 invoked by uid 0); ${DATE}`,
      { from: null, by: null, byComment: 'qmail 10876 invoked by uid 0' },
    ],
    [
      'Exchange',
      `from A.example (2001:db8::5) by B.example (192.0.2.8) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_X) id 15.20.5144.29 via Frontend Transport; ${DATE}`,
      {
        from: peer('A.example', '2001:db8::5'),
        by: 'B.example',
        with: 'Microsoft SMTP Server',
        id: '15.20.5144.29',
        via: 'Frontend Transport',
      },
    ],
    [
      'Exchange, mapi',
      `from S1.corp.example ([fe80::1]) by S1.corp.example ([fe80::1%14]) with mapi id 14.03.0123.003; ${DATE}`,
      { by: 'S1.corp.example', with: 'mapi', id: '14.03.0123.003' },
    ],
    [
      'IIS pickup',
      `from mail pickup service by web.example with Microsoft SMTPSVC; ${DATE}`,
      { by: 'web.example', with: 'Microsoft SMTPSVC' },
    ],
    [
      'Google',
      `by 2002:a05:6402:1d4c:0:0:0:0 with SMTP id dz12csp123456edb; ${DATE}`,
      { by: '2002:a05:6402:1d4c:0:0:0:0', with: 'SMTP', id: 'dz12csp123456edb' },
    ],
    [
      'Yahoo',
      `from 192.0.2.25 (EHLO out.sender.example) (192.0.2.25) by mta.mail.yahoo.example with SMTP; ${DATE}`,
      {
        from: {
          name: 'out.sender.example',
          helo: 'out.sender.example',
          reverse: null,
          address: '192.0.2.25',
        },
      },
    ],
    [
      'Domino',
      `from a.example ([192.0.2.25]) by d.example (Lotus Domino Release 8.5.3FP6) with ESMTP id 2022041111400200-12 ; ${DATE}`,
      { by: 'd.example', id: '2022041111400200-12' },
    ],
    [
      'fetchmail',
      `from pop.provider.example [192.0.2.110] by home.example with POP3 (fetchmail-6.4.16) for <ben@localhost> (single-drop); ${DATE}`,
      { by: 'home.example', with: 'POP3', for: 'ben@localhost' },
    ],
    [
      'PowerMTA: a comment behind the date',
      `from localhost (192.0.2.21) by vmta.example (PowerMTA(TM) v3.5r17) id hra for <b@c.example>; ${DATE} (envelope-from <a@b.example>)`,
      { by: 'vmta.example', byComment: 'PowerMTA(TM) v3.5r17', id: 'hra' },
    ],
    [
      'SendGrid: no semicolon',
      'by filter01.sender.example with SMTP id filter01-1-5AB8 2022-04-11 09:40:02 +0000 UTC',
      { by: 'filter01.sender.example', id: 'filter01-1-5AB8' },
    ],
    [
      'no semicolon, as RFC 5322',
      `from a.example by b.example (SG) with ESMTP id gDQR ${DATE} (UTC)`,
      { by: 'b.example', id: 'gDQR' },
    ],
    ['capitals', `From a.example By b.example With LMTP; ${DATE}`, { by: 'b.example', with: 'LMTP' }],
    [
      'clauses twice',
      `by me.example by you.example with this with that; ${DATE}`,
      { by: 'me.example', with: 'this' },
    ],
  ])('of %s', (_, field, expected) => {
    const read = readReceived(field);
    expect(read).toMatchObject(expected);
    expect(read.date?.at).toBe(AT);
  });

  it.each(['', ';', 'nothing of the kind', 'from a by b', '; 22 Apr 2018', 'from a by b; soon'])(
    'without a date: %j',
    (field) => {
      expect(readReceived(field).date).toBeNull();
    },
  );

  it('keeps what it cannot read', () => {
    expect(readReceived('from a by b; sometime in April').written).toBe('sometime in April');
  });

  it('survives anything, in one pass', () => {
    const words = fc.constantFrom(
      'from ',
      'by ',
      'with ',
      'id ',
      'for ',
      ';',
      '(',
      ')',
      '[',
      ']',
      '"',
      '\\',
      'a.b ',
      DATE,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string())), (parts) => void readReceived(parts.join(''))),
    );
    const begun = performance.now();
    for (const piece of ['(', '"', ';', 'from ', '[1.2.3.4', 'helo=', '\\', 'Mon, 1 Jan ', 'a '])
      readReceived(piece.repeat(32_768 / piece.length));
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});
