/**
 * What stands behind WITH in a Received field: how one host handed a mail to the next. `secured` and
 * `authenticated` are what the keyword says of the session; `kind` is what the transfer means for waiting.
 */
export interface ReceivedProtocol {
  /** In lower case; looked up without regard to case. */
  keyword: string;
  says: string;
  secured: boolean;
  authenticated: boolean;
  /** `relay`: handed on by a server; `local`: made on the host itself; `fetch`: lay in a mailbox until it was fetched. */
  kind: 'relay' | 'local' | 'fetch';
  source: string;
}

const IANA =
  'IANA, Mail Transmission Types for the Received header field (https://www.iana.org/assignments/mail-parameters)';

const relay = (keyword: string, says: string, source: string, flags = ''): ReceivedProtocol => ({
  keyword,
  says,
  secured: flags.includes('S'),
  authenticated: flags.includes('A'),
  kind: 'relay',
  source,
});

export const RECEIVED_PROTOCOLS: ReceivedProtocol[] = [
  relay('smtp', 'SMTP', `${IANA}; RFC 5321 section 4.4`),
  relay('esmtp', 'SMTP with extensions', `${IANA}; RFC 5321 section 4.4`),
  relay('esmtpa', 'SMTP, authenticated', `${IANA}; RFC 3848`, 'A'),
  relay('esmtps', 'SMTP with TLS', `${IANA}; RFC 3848`, 'S'),
  relay('esmtpsa', 'SMTP with TLS, authenticated', `${IANA}; RFC 3848`, 'SA'),
  relay('lmtp', 'LMTP', `${IANA}; RFC 3848`),
  relay('lmtpa', 'LMTP, authenticated', `${IANA}; RFC 3848`, 'A'),
  relay('lmtps', 'LMTP with TLS', `${IANA}; RFC 3848`, 'S'),
  relay('lmtpsa', 'LMTP with TLS, authenticated', `${IANA}; RFC 3848`, 'SA'),
  relay('mms', 'multimedia message service', `${IANA}; RFC 4356`),
  relay('utf8smtp', 'SMTP with UTF-8 addresses', `${IANA}; RFC 6531 section 4.3`),
  relay('utf8smtpa', 'SMTP with UTF-8 addresses, authenticated', `${IANA}; RFC 6531 section 4.3`, 'A'),
  relay('utf8smtps', 'SMTP with UTF-8 addresses and TLS', `${IANA}; RFC 6531 section 4.3`, 'S'),
  relay('utf8smtpsa', 'SMTP with UTF-8 addresses and TLS, authenticated', `${IANA}; RFC 6531 4.3`, 'SA'),
  relay('utf8lmtp', 'LMTP with UTF-8 addresses', `${IANA}; RFC 6531 section 4.3`),
  relay('utf8lmtpa', 'LMTP with UTF-8 addresses, authenticated', `${IANA}; RFC 6531 section 4.3`, 'A'),
  relay('utf8lmtps', 'LMTP with UTF-8 addresses and TLS', `${IANA}; RFC 6531 section 4.3`, 'S'),
  relay('utf8lmtpsa', 'LMTP with UTF-8 addresses and TLS, authenticated', `${IANA}; RFC 6531 4.3`, 'SA'),
  // Not registered, and common.
  relay('smtps', 'SMTP with TLS from the start', 'Exim specification, $received_protocol', 'S'),
  relay('asmtp', 'SMTP, authenticated', 'Exim specification, $received_protocol (before Exim 4.60)', 'A'),
  relay('http', 'a web mail page or interface', 'Yahoo Mail, Horde: their Received fields'),
  relay('https', 'a web interface', 'Exchange Online: its Received fields', 'S'),
  relay('httprest', 'the Gmail API', 'Gmail: "by gmailapi.google.com with HTTPREST"', 'SA'),
  relay('mapi', 'Exchange between its own servers', 'Exchange: "with mapi id"'),
  relay(
    'microsoft smtp server',
    'Exchange',
    'Exchange 2007 and later, Exchange Online: their Received fields',
  ),
  relay(
    'microsoft smtpsvc',
    'the SMTP service of IIS',
    'IIS SMTP and Exchange 2003: "with Microsoft SMTPSVC(…)"',
  ),
  relay('nnfmp', 'Yahoo between its own servers', 'Yahoo Mail: its Received fields'),
  relay('bizsmtp', 'SMTP between filters', 'bizanga/Cloudmark: "with bizsmtp"'),
  {
    keyword: 'local',
    says: 'made on the host itself',
    secured: false,
    authenticated: false,
    kind: 'local',
    source: 'Exim specification, $received_protocol',
  },
  ...['local-smtp', 'local-esmtp', 'local-bsmtp'].map(
    (keyword): ReceivedProtocol => ({
      keyword,
      says: 'made on the host itself, handed over on standard input',
      secured: false,
      authenticated: false,
      kind: 'local',
      source: 'Exim specification, $received_protocol',
    }),
  ),
  ...['pop2', 'pop3', 'apop', 'kpop', 'imap', 'imap4', 'etrn', 'odmr'].map(
    (keyword): ReceivedProtocol => ({
      keyword,
      says: 'fetched from a mailbox',
      secured: false,
      authenticated: true,
      kind: 'fetch',
      source: 'fetchmail(1), option --protocol; transact.c writes it into the Received field',
    }),
  ),
];

/**
 * Zones written by name. RFC 5322 4.3 defines the first eleven; other names mean nothing to it, but mail servers write
 * some of them, and these have one meaning only in mail. Minutes east of UTC.
 */
export const MAIL_ZONES: { name: string; minutes: number; source: string }[] = [
  ...(
    [
      ['ut', 0],
      ['gmt', 0],
      ['est', -300],
      ['edt', -240],
      ['cst', -360],
      ['cdt', -300],
      ['mst', -420],
      ['mdt', -360],
      ['pst', -480],
      ['pdt', -420],
      ['z', 0],
    ] as const
  ).map(([name, minutes]) => ({ name, minutes, source: 'RFC 5322 section 4.3 (z: RFC 822 section 5.1)' })),
  ...(
    [
      ['utc', 0],
      ['wet', 0],
      ['west', 60],
      ['cet', 60],
      ['cest', 120],
      ['met', 60],
      ['mest', 120],
      ['eet', 120],
      ['eest', 180],
      ['msk', 180],
      ['jst', 540],
      ['kst', 540],
      ['aest', 600],
      ['aedt', 660],
      ['nzst', 720],
      ['nzdt', 780],
    ] as const
  ).map(([name, minutes]) => ({ name, minutes, source: 'IANA time zone database, abbreviations of today' })),
];
