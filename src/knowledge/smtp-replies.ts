/**
 * Replies and delivery errors: what a wording means, who uses it, and what the sender's administrator can do.
 *
 * `pattern` is held against "code enhanced-code text", on one line. Entries of one provider come before those of
 * everybody, and the first that fits counts. `onlyFrom` is set where other servers use the same words for another
 * thing. `sample` is a whole line as an MTA logs it. Every pattern takes linear time: no nested repetition, and every
 * gap is bounded.
 *
 * Meanings of a provider's codes are the provider's own words put shortly, as of `date`. Where blogs disagree with
 * the provider (Yahoo's TS01 to TS03), the provider is right; where the provider says nothing, so does the entry.
 */
export type ReplyClass =
  | 'greylisting'
  | 'reputation'
  | 'volume'
  | 'authentication'
  | 'policy'
  | 'content'
  | 'mailbox-full'
  | 'no-such-user'
  | 'outage'
  | 'tls'
  | 'dns'
  | 'network'
  | 'local'
  | 'other';

export interface ReplyKnowledge {
  pattern: RegExp;
  replyClass: ReplyClass;
  /** Who is known for it: an id of mail-providers.ts. */
  provider?: string;
  onlyFrom?: string[];
  meaning: string;
  doThis: string[];
  source: string;
  /** When the source said so. */
  date: string;
  sample: string;
}

const YAHOO = 'https://senders.yahooinc.com/smtp-error-codes/';
const YAHOO_4XX = 'https://help.yahoo.com/kb/review-xx-smtp-sln26151.html';
const GOOGLE = 'https://support.google.com/a/answer/3726730';
const GOOGLE_GUIDE = 'https://support.google.com/mail/answer/81126';
const MICROSOFT_POSTMASTER = 'https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx';
const MICROSOFT_NDR =
  'https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online';
const MICROSOFT_THROTTLE =
  'https://support.office.com/en-ie/article/fix-email-delivery-issues-for-error-code-451-4-7-500-699-asxxx-in-office-365-51356082-9fef-4639-a18a-fc7c5beae0c8';
const MICROSOFT_VOLUME =
  'https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/strengthening-email-ecosystem-outlook%E2%80%99s-new-requirements-for-high%E2%80%90volume-senders/4399730';
const COMCAST = 'http://postmaster.comcast.net/mail-error-codes.html';
const MIMECAST =
  'https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691-Policies-Mimecast-SMTP-Error-Codes';
const EXIM = 'Exim src/transports/smtp.c at 13835a3c1';
const EXIM_ROUTE = 'Exim src/routers/dnslookup.c, src/route.c, src/deliver.c at 13835a3c1';
const POSTFIX = 'Postfix src/smtp/smtp_connect.c, smtp_proto.c, smtp_trouble.c, smtp_addr.c at 17830e5';
const POSTFIX_SERVER = 'postconf(5), reject_* restrictions; Postfix src/smtpd/smtpd_check.c';
const EXPERIENCE = 'RFC 3463; RFC 5321 section 4.2; wordings of common servers';

const WAIT = 'Nothing is broken: the next attempts deliver it.';
const SEND_LESS =
  'Send less at once to this provider: fewer connections side by side, fewer messages on each.';
const FIND_SOURCE =
  'Look for what sends it: a hacked account or form, a forwarded mailbox full of spam, an old mailing list.';
const AUTHENTICATE = 'Have SPF, DKIM and DMARC pass for the From domain of all that leaves this host.';
const RETRY_SLOWLY = 'Let the queue retry at its own pace; forced queue runs make the deferral last longer.';
const ASK_RECIPIENT = 'Tell the recipient by another way; nothing on this host helps.';
const DELIST = 'Find the list in the reply, mend what it names, then ask that list to remove the address.';
const FIX_PTR =
  'Have the owner of the address set its reverse DNS to the name that this host says in EHLO, and that name resolve back.';

export const SMTP_REPLIES: ReplyKnowledge[] = [
  // ── Yahoo, AOL ───────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /\[TS0[12]\]/i,
    replyClass: 'reputation',
    provider: 'yahoo',
    meaning:
      'Yahoo puts mail from this address off: unusual traffic from it, or its mail draws complaints from Yahoo users.',
    doThis: [
      RETRY_SLOWLY,
      FIND_SOURCE,
      AUTHENTICATE,
      'If it lasts over 48 hours, send a Sender Support Request.',
    ],
    source: YAHOO_4XX,
    date: '2016',
    sample:
      'SMTP error from remote mail server after end of data: 421 4.7.0 [TS01] Messages from 192.0.2.7 temporarily deferred due to user complaints - 4.16.55.1; see https://help.yahoo.com/kb/postmaster/SLN3434.html',
  },
  {
    pattern: /\[TS03\]/i,
    replyClass: 'volume',
    provider: 'yahoo',
    meaning:
      'Yahoo sees a high volume of messages from this address, as bulk mail has; it advises not to resend before that is mended.',
    doThis: [
      FIND_SOURCE,
      SEND_LESS,
      'Only then let the queue retry; after 48 hours send a Sender Support Request.',
    ],
    source: 'http://help.yahoo.com/kb/index?page=content&id=SLN3436',
    date: '2014',
    sample:
      'SMTP error from remote mail server after MAIL FROM:<a@example.org> SIZE=2307: host mta7.am0.yahoodns.net [192.0.2.25]: 421 4.7.1 [TS03] All messages from 192.0.2.7 will be permanently deferred; Retrying will NOT succeed. See https://help.yahoo.com/kb/postmaster/SLN3436.html',
  },
  {
    pattern: /\[TSS?0?(?:09|11)\]/i,
    replyClass: 'reputation',
    provider: 'yahoo',
    meaning: 'Yahoo refuses all mail from this address for good, although it says "deferred".',
    doThis: [FIND_SOURCE, AUTHENTICATE, 'Send a Sender Support Request with the code and the address.'],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      'host mx-eu.mail.am0.yahoodns.net[192.0.2.25] refused to talk to me: 553 5.7.2 [TSS09] All messages from 192.0.2.7 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes',
  },
  {
    pattern: /\[(?:BL2[0-9]|TSS07)\]|because the ip is in spamhaus's list/i,
    replyClass: 'reputation',
    provider: 'yahoo',
    meaning: 'Yahoo refuses this address because Spamhaus lists it.',
    doThis: ['Look the address up at https://check.spamhaus.org/ and follow what it says.', FIND_SOURCE],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      "host mta5.am0.yahoodns.net[192.0.2.25] refused to talk to me: 553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.7, because the ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html",
  },
  {
    pattern: /\[?(?:TSS?|IPTS)\d\d\]?.{0,80}(?:defer|unexpected volume|complaints)|\[(?:TSS|IPTS)\d\d\]/i,
    replyClass: 'reputation',
    provider: 'yahoo',
    meaning:
      'Yahoo puts mail from this address off: complaints of its users, a poor reputation of the address or its network, content like spam, or unusual traffic.',
    doThis: [
      RETRY_SLOWLY,
      'Yahoo asks senders to retry after about four hours.',
      FIND_SOURCE,
      AUTHENTICATE,
      'If it lasts over 48 hours, send a Sender Support Request with the code and the address.',
    ],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      'SMTP error from remote mail server after initial connection: 421 4.7.0 [TSS04] Messages from 192.0.2.7 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
  },
  {
    pattern: /\[PH\d\d\].{0,60}policy reasons/i,
    replyClass: 'content',
    provider: 'yahoo',
    meaning: 'Yahoo refuses something in the content: a link or attachment it takes for malware or phishing.',
    doThis: ['Look at the links and attachments of this message.', FIND_SOURCE],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      'host mta7.am0.yahoodns.net[192.0.2.25] said: 554 Message not allowed - [PH01] Email not accepted for policy reasons. Please visit https://postmaster.yahooinc.com/error-codes (in reply to end of DATA command)',
  },
  {
    pattern: /yahoo requires all senders to authenticate/i,
    replyClass: 'authentication',
    provider: 'yahoo',
    meaning: 'Yahoo refuses mail that neither SPF nor DKIM authenticates.',
    doThis: [AUTHENTICATE],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      'host mta7.am0.yahoodns.net[192.0.2.25] said: 550 5.7.9 This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM. (in reply to end of DATA command)',
  },
  {
    pattern: /unresolvable rfc\.?532[12] (?:from )?domain/i,
    replyClass: 'dns',
    provider: 'yahoo',
    meaning: 'Yahoo cannot resolve the sender domain; it asks for an SOA record.',
    doThis: ['Check that the domain of the sender (and its SOA) resolves from outside.'],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      'host mta7.am0.yahoodns.net[192.0.2.25] said: 451 Message temporarily deferred due to unresolvable RFC.5321 from domain. See https://senders.yahooinc.com/error-codes#unresolvable-from-domain (in reply to end of DATA command)',
  },
  {
    pattern: /resources (?:are )?(?:temporarily|not) (?:not )?available.{0,40}\[?#?4\.16\.\d/i,
    replyClass: 'outage',
    provider: 'yahoo',
    meaning: 'The Yahoo servers were busy when the connection was made; such a thing is brief.',
    doThis: [WAIT],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      'SMTP error from remote mail server after initial connection: 451 Resources temporarily not available - Please try again later [#4.16.5].',
  },
  {
    pattern: /dd this user doesn't have a |dd requested mail action aborted, mailbox not found/i,
    replyClass: 'no-such-user',
    provider: 'yahoo',
    meaning: 'There is no such Yahoo account.',
    doThis: ['Take the address off lists; do not retry.'],
    source: YAHOO,
    date: '2026-02-15',
    sample:
      "host mta7.am0.yahoodns.net[192.0.2.25] said: 554 delivery error: dd This user doesn't have a yahoo.com account (nobody@yahoo.com) [-5] - mta123.mail.mud.yahoo.com (in reply to end of DATA command)",
  },
  // ── Google ───────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /very low reputation of the sending (?:ip address|domain)/i,
    replyClass: 'reputation',
    provider: 'google',
    meaning: 'Google holds this address or domain for a poor sender.',
    doThis: [
      'See its reputation and spam rate in Postmaster Tools (https://postmaster.google.com/).',
      FIND_SOURCE,
      AUTHENTICATE,
    ],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'SMTP error from remote mail server after pipelined end of data: 421-4.7.0 [192.0.2.7      19] Our system has detected that this message is\\n421-4.7.0 suspicious due to the very low reputation of the sending IP address.\\n421-4.7.0 To protect our users from spam, mail sent from your IP address has been\\n421 4.7.0 temporarily rate limited. - gsmtp',
  },
  {
    pattern: /[45]\.7\.(?:0|1|28) .{0,120}unusual rate of (?:unsolicited )?(?:e?mail|messages)/i,
    replyClass: 'volume',
    provider: 'google',
    meaning:
      'Google sees more unwanted mail than usual from this address, network or domain, or with the same link, and limits its rate.',
    doThis: [FIND_SOURCE, SEND_LESS, RETRY_SLOWLY],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'host gmail-smtp-in.l.google.com[192.0.2.26] said: 421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating 421-4.7.28 from your IP address. To protect our users from spam, mail sent 421-4.7.28 from your IP address has been temporarily rate limited. 421 4.7.28 https://support.google.com/mail/?p=UnsolicitedRateLimitError - gsmtp (in reply to end of DATA command)',
  },
  {
    pattern: /4\.7\.28 .{0,200}same message-id/i,
    replyClass: 'volume',
    provider: 'google',
    meaning: 'Google has been sent too many messages with the same Message-ID.',
    doThis: ['Give each message its own Message-ID.'],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'host gmail-smtp-in.l.google.com[192.0.2.26] said: 421 4.7.28 Gmail has detected this message exceeded its quota for sending messages with the same Message-ID:. - gsmtp (in reply to end of DATA command)',
  },
  {
    pattern: /421 4\.7\.0 .{0,60}try again later, closing connection/i,
    replyClass: 'volume',
    provider: 'google',
    onlyFrom: ['google'],
    meaning: 'Google closes the connection early; its page gives too many connections as the usual reason.',
    doThis: [SEND_LESS, RETRY_SLOWLY],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'host aspmx.l.google.com[192.0.2.26] said: 421 4.7.0 Try again later, closing connection. (EHLO) a1b2c3-d4e5 - gsmtp (in reply to EHLO command)',
  },
  {
    pattern:
      /(?:sending ip|ip address sending this message|sending ip address for this message) .{0,40}(?:have|has) (?:no|a) ptr record|does not meet ipv6 sending guidelines|ip you're using to send mail is not authorized/i,
    replyClass: 'authentication',
    provider: 'google',
    meaning: 'Google found no reverse DNS for this address, or one that does not resolve back.',
    doThis: [FIX_PTR, 'Over IPv6 the same holds; until it is mended, send to Google over IPv4 only.'],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'SMTP error from remote mail server after end of data: 550-5.7.25 [192.0.2.7] The IP address sending this message does not have a\\n550-5.7.25 PTR record setup, or the corresponding forward DNS entry does not\\n550 5.7.25 point to the sending IP. - gsmtp',
  },
  {
    pattern: /[45]\.7\.(?:1|24|26|27|29|30|32|40) .{0,260}(?:authenticat|spf|dkim|dmarc|align|tls)/i,
    replyClass: 'authentication',
    provider: 'google',
    onlyFrom: ['google'],
    meaning:
      'Google wants this mail authenticated: SPF, DKIM, a DMARC record, alignment with From, or TLS is lacking.',
    doThis: [AUTHENTICATE, `The code tells which: ${GOOGLE}`],
    source: GOOGLE_GUIDE,
    date: '2026-03-11',
    sample:
      'SMTP error from remote mail server after pipelined end of data: 550-5.7.26 This mail has been blocked because the sender is unauthenticated.\\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\\n550-5.7.26 \\n550-5.7.26  Authentication results:\\n550-5.7.26  DKIM = did not pass\\n550 5.7.26 SPF [example.org] with ip: [192.0.2.7] = did not pass - gsmtp',
  },
  {
    pattern: /likely unsolicited mail|nature of the content (?:and\/)?or the links within/i,
    replyClass: 'content',
    provider: 'google',
    meaning: 'Google takes this message for spam by its content or links.',
    doThis: ['Look at what the message says and links to.', FIND_SOURCE],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'SMTP error from remote mail server after end of data: 550-5.7.1 [192.0.2.7] Our system has detected that this message is\\n550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail,\\n550 5.7.1 this message has been blocked. - gsmtp',
  },
  {
    pattern: /receiving mail (?:too quickly|at a rate that)/i,
    replyClass: 'volume',
    meaning: 'This one mailbox gets more mail than it may just now.',
    doThis: ['Look for a loop or a notifier that floods this recipient.', WAIT],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'host gmail-smtp-in.l.google.com[192.0.2.26] said: 450-4.2.1 The user you are trying to contact is receiving mail at a rate that 450-4.2.1 prevents additional messages from being delivered. - gsmtp (in reply to RCPT TO command)',
  },
  {
    pattern: /inbox is out of storage space/i,
    replyClass: 'mailbox-full',
    provider: 'google',
    meaning: 'The mailbox is full.',
    doThis: [ASK_RECIPIENT],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      "host gmail-smtp-in.l.google.com[192.0.2.26] said: 452-4.2.2 The recipient's inbox is out of storage space. Please direct the 452-4.2.2 recipient to 452 4.2.2 https://support.google.com/mail/?p=OverQuotaTemp - gsmtp (in reply to RCPT TO command)",
  },
  {
    pattern:
      /421 4\.3\.0 .{0,20}temporary system problem|421 4\.4\.5 .{0,20}server busy|421 4\.7\.0 .{0,20}connection expired/i,
    replyClass: 'outage',
    provider: 'google',
    meaning: 'A passing trouble on Google’s side.',
    doThis: [WAIT],
    source: GOOGLE,
    date: '2026-02-15',
    sample:
      'host gmail-smtp-in.l.google.com[192.0.2.26] said: 421 4.3.0 Temporary System Problem. Try again later (10) a1b2c3 - gsmtp (in reply to end of DATA command)',
  },
  // ── Microsoft ────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /4\.7\.65\d .{0,140}temporarily rate limited due to ip reputation/i,
    replyClass: 'reputation',
    provider: 'outlook',
    meaning: 'Outlook.com limits the rate of this address because of its reputation.',
    doThis: [
      'See the address in SNDS (https://sendersupport.olc.protection.outlook.com/snds/); complaints there name the source.',
      FIND_SOURCE,
      SEND_LESS,
      'Ask for mitigation at https://olcsupport.office.com/ once it is mended.',
    ],
    source: MICROSOFT_POSTMASTER,
    date: '2026-06-15',
    sample:
      'SMTP error from remote mail server after MAIL FROM:<a@example.org> SIZE=2307: 451 4.7.650 The mail server [192.0.2.7] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775) [DB8EUR06FT014.eop-eur06.prod.protection.outlook.com]',
  },
  {
    pattern: /4\.7\.(?:5\d\d|6\d\d) .{0,80}(?:server busy|access denied, please try again later)/i,
    replyClass: 'volume',
    provider: 'microsoft-365',
    meaning:
      'Microsoft throttles this address: it sends much more than it used to, or is new to them. Their page calls it a kind of greylisting that ends as a history builds up over days.',
    doThis: [SEND_LESS, 'Raise the volume over some days.', FIND_SOURCE],
    source: MICROSOFT_THROTTLE,
    date: '2017',
    sample:
      'host example-org.mail.protection.outlook.com[192.0.2.36] said: 451 4.7.500 Server busy. Please try again later from [192.0.2.7]. (AS77712344) [DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com] (in reply to RCPT TO command)',
  },
  {
    pattern:
      /4\.7\.700 .{0,20}pfa agent busy|4\.4\.(?:3|62|4|24|25|28)\b.{0,80}(?:attr\d|replicat)|4\.7\.0 temporary server error\. please try again later\. prx/i,
    replyClass: 'outage',
    provider: 'microsoft-365',
    meaning: 'A passing trouble inside Microsoft’s service; Microsoft does not document the text.',
    doThis: [WAIT],
    source: 'Sisimai rhost/microsoft.rb at 9c4a1847 (seen in logs)',
    date: '2024',
    sample:
      'host apc.olc.protection.outlook.com[192.0.2.36] said: 451 4.7.700 PFA agent busy, please try again. [SG2APC01FT038.eop-APC01.prod.protection.outlook.com] (in reply to MAIL FROM command)',
  },
  {
    pattern: /on our block list|\(S31[45]0\)|550 (?:SC|RP)-00\d/i,
    replyClass: 'reputation',
    provider: 'outlook',
    meaning: 'Outlook.com blocks this address, or the network around it, because of its reputation.',
    doThis: [
      'Ask for mitigation at https://olcsupport.office.com/; if the neighbourhood is meant, ask the owner of the network.',
      'See the address in SNDS (https://sendersupport.olc.protection.outlook.com/snds/).',
      FIND_SOURCE,
    ],
    source: MICROSOFT_POSTMASTER,
    date: '2026-06-15',
    sample:
      "SMTP error from remote mail server after MAIL FROM:<a@example.org> SIZE=2307: 550 5.7.1 Unfortunately, messages from [192.0.2.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [DB3EUR04FT007.eop-eur04.prod.protection.outlook.com]",
  },
  {
    pattern: /5\.7\.(?:511|6\d\d) .{0,20}access denied, banned send/i,
    replyClass: 'reputation',
    provider: 'microsoft-365',
    meaning: 'Microsoft 365 has banned this address for what it sent.',
    doThis: [
      FIND_SOURCE,
      'Then ask to be removed at https://sender.office.com/ (for 5.7.511: delist@microsoft.com).',
    ],
    source: MICROSOFT_NDR,
    date: '2025',
    sample:
      'host example-org.mail.protection.outlook.com[192.0.2.36] said: 550 5.7.606 Access denied, banned sending IP [192.0.2.7]. To request removal from this list please visit https://sender.office.com/ and follow the directions. (AS16012609) (in reply to RCPT TO command)',
  },
  {
    pattern: /5\.7\.515 .{0,20}access denied/i,
    replyClass: 'authentication',
    provider: 'outlook',
    meaning: 'Outlook.com wants SPF, DKIM and DMARC from domains that send it much mail.',
    doThis: [AUTHENTICATE],
    source: MICROSOFT_VOLUME,
    date: '2025-08-02',
    sample:
      'host eur.olc.protection.outlook.com[192.0.2.36] said: 550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level. (in reply to end of DATA command)',
  },
  {
    pattern: /5\.4\.1 .{0,120}recipient address rejected: access denied/i,
    replyClass: 'no-such-user',
    provider: 'microsoft-365',
    meaning: 'The recipient does not exist there.',
    doThis: ['Check the address with the recipient.'],
    source: MICROSOFT_NDR,
    date: '2025',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 550 5.4.1 [a@example.org]: Recipient address rejected: Access denied. AS(201806281) [DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com]',
  },
  // ── Apple, Comcast, Cox, BT ──────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /deferred due to excessive volume/i,
    replyClass: 'volume',
    provider: 'apple',
    meaning: 'iCloud Mail puts this off because of the amount of mail.',
    doThis: [SEND_LESS, 'Write to icloudadmin@apple.com with addresses, errors and since when, if it lasts.'],
    source: 'https://support.apple.com/en-us/102322',
    date: '2025-02-25',
    sample:
      'host mx01.mail.icloud.com[192.0.2.46] said: 421 4.7.1 Messages to a@icloud.com deferred due to excessive volume. Try again later - https://support.apple.com/en-us/HT204137 (in reply to end of DATA command)',
  },
  {
    pattern: /\[(?:CS01|HME1)\]/,
    replyClass: 'policy',
    provider: 'apple',
    meaning: 'iCloud Mail refuses this by a rule of its own.',
    doThis: [AUTHENTICATE, 'Write to icloudadmin@apple.com with the error and what was sent.'],
    source: 'https://support.apple.com/en-us/102322',
    date: '2025-02-25',
    sample:
      'host mx01.mail.icloud.com[192.0.2.46] said: 550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137 (in reply to end of DATA command)',
  },
  {
    pattern: /\bRL0000\d\d\b|421 4\.1\.0 .{0,60}throttled - try again later/i,
    replyClass: 'volume',
    provider: 'comcast',
    meaning: 'Comcast limits the rate of this address or domain; how much it takes depends on its past mail.',
    doThis: [SEND_LESS, WAIT],
    source: COMCAST,
    date: '2013',
    sample:
      'host mx1.comcast.net[192.0.2.56] said: 421 4.1.0 192.0.2.7 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000001 (in reply to MAIL FROM command)',
  },
  {
    pattern: /\b(?:BL|ES)0000\d\d\b/i,
    replyClass: 'reputation',
    provider: 'comcast',
    meaning:
      'Comcast blocks this address: mail like spam, a public block list, or a residential network (ES).',
    doThis: [DELIST, FIND_SOURCE, 'Ask for removal at https://spa.xfinity.com/report'],
    source: COMCAST,
    date: '2013',
    sample:
      'host mx1.comcast.net[192.0.2.56] refused to talk to me: 554 resimta-po-15v.sys.comcast.net comcast 192.0.2.7 Comcast block for spam. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000000',
  },
  {
    pattern: /AUP#(?:CXBL|CDRBL|IPBL)/i,
    replyClass: 'reputation',
    provider: 'cox',
    meaning: 'Cox blocks this address for what it sent, or because a block list has it.',
    doThis: [DELIST, FIND_SOURCE],
    source: 'https://www.cox.com/residential/support/email-error-codes.html',
    date: '2025',
    sample:
      'host cxr.mx.a.cloudfilter.net[192.0.2.57] refused to talk to me: 554 cxr.mx.a.cloudfilter.net cox 192.0.2.7 blocked. Error Code: AUP#CXBL',
  },
  {
    pattern: /AUP#(?:CXCNCT|CXMXRT)/i,
    replyClass: 'volume',
    provider: 'cox',
    meaning: 'Too many connections or messages at once for Cox.',
    doThis: [SEND_LESS],
    source: 'https://www.cox.com/residential/support/email-error-codes.html',
    date: '2025',
    sample:
      'host cxr.mx.a.cloudfilter.net[192.0.2.57] refused to talk to me: 421 cxr.mx.a.cloudfilter.net cox Too many concurrent SMTP connections; please try again later. AUP#CXCNCT',
  },
  {
    pattern: /too many messages \(1\.5\.6\.1\)/i,
    replyClass: 'volume',
    provider: 'bt',
    meaning:
      'BT’s servers (Openwave) take only so many messages a day from one address; an administrator counted about fifty in 2013 and 2014.',
    doThis: [
      'Look for forwarding to BT mailboxes: forwarded spam counts against this host.',
      SEND_LESS,
      RETRY_SLOWLY,
    ],
    source: 'http://blog.frankleonhardt.com/tag/bt-internet/',
    date: '2014',
    sample:
      'SMTP error from remote mail server after initial connection: 421 Too many messages (1.5.6.1) from 192.0.2.7',
  },
  {
    pattern: /system policy engine error/i,
    replyClass: 'outage',
    provider: 'bt',
    meaning:
      'An error inside the filter of BT’s servers (Openwave); seen for days in January 2016, mostly for forwarded mail of domains whose SPF record ends in -all.',
    doThis: [RETRY_SLOWLY, 'If it hits forwarded mail only, rewrite the envelope sender (SRS).'],
    source: 'https://hcidata.info/BT-not-accepting-emails.htm',
    date: '2016-01',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@btinternet.com>: 451 System policy engine error',
  },
  {
    pattern: /message rejected, policy \(3\.2\.1\.1\)/i,
    replyClass: 'content',
    provider: 'bt',
    meaning: 'BT’s servers (Openwave) take this message for spam.',
    doThis: ['Look at what the message says and links to.', FIND_SOURCE],
    source: 'http://blog.frankleonhardt.com/tag/bt-internet/',
    date: '2014',
    sample:
      'SMTP error from remote mail server after end of data: 554 Message rejected, policy (3.2.1.1) - Your message looks like SPAM or has been reported as SPAM please read',
  },
  // ── France ───────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /\b(?:OFR|LPN|LPNAAA)\d{0,3}_?(?:104)\b/i,
    replyClass: 'volume',
    provider: 'orange',
    meaning: 'Too many connections at once for Orange or La Poste.',
    doThis: [
      'Open at most two connections at a time to them (KumoMTA does), with up to 100 messages on each.',
      WAIT,
    ],
    source: 'https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/',
    date: '2025',
    sample:
      'SMTP error from remote mail server after initial connection: 421 mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104 [104]',
  },
  {
    pattern: /\b(?:OFR|LPN|LPNAAA)\d{0,3}_?(?:101|102|103|10[5-9]|201|50[35]|510|630|999)\b/i,
    replyClass: 'reputation',
    provider: 'orange',
    meaning: 'Orange or La Poste refuses this address for now, or blocks it for spam.',
    doThis: [
      'Look the address up at Spamhaus, Abusix and Cloudmark, which they ask.',
      FIND_SOURCE,
      RETRY_SLOWLY,
      'See https://postmaster.orange.fr for the code and for whom to write to.',
    ],
    source:
      'https://postmaster.orange.fr; https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/',
    date: '2025',
    sample:
      'SMTP error from remote mail server after initial connection: 421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]',
  },
  {
    pattern: /\b(?:OFR|LPN)\d{0,3}_?(?:401|415|40[35]|517)\b|veuillez verifier la configuration spf/i,
    replyClass: 'authentication',
    provider: 'orange',
    meaning:
      'Orange or La Poste does not accept the sender: its domain does not resolve, or SPF or DMARC fails.',
    doThis: [AUTHENTICATE, 'Check that the domain of the sender resolves and takes mail.'],
    source:
      'https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/; https://www.postmastery.com/laposte-net-postmaster-smtp-error-codes-lpn/',
    date: '2025',
    sample:
      'host smtpz4.laposte.net[192.0.2.66] said: 450 4.1.8 <a@example.org>: Sender address rejected: Emetteur invalide. Invalid Sender. LPN007_405 (in reply to RCPT TO command)',
  },
  {
    pattern: /\b(?:OFR|LPN)\d{0,3}_?416\b/i,
    replyClass: 'no-such-user',
    provider: 'orange',
    meaning: 'No such mailbox at Orange or La Poste.',
    doThis: ['Take the address off lists.'],
    source: 'https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/',
    date: '2025',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@orange.fr>: 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]',
  },
  {
    pattern: /\b(?:OFR|LPN)\d{0,3}_?417\b/i,
    replyClass: 'mailbox-full',
    provider: 'orange',
    meaning: 'The mailbox is full.',
    doThis: [ASK_RECIPIENT],
    source: 'https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/',
    date: '2025',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@orange.fr>: 552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]',
  },
  {
    pattern: /\bOFR\d{0,3}_?506\b/i,
    replyClass: 'content',
    provider: 'orange',
    meaning: 'Orange takes this message for spam.',
    doThis: ['Look at what the message says and links to.', FIND_SOURCE],
    source: 'https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/',
    date: '2025',
    sample:
      'SMTP error from remote mail server after end of data: 550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]',
  },
  {
    pattern: /550 spam detected/i,
    replyClass: 'content',
    provider: 'free',
    meaning: 'Free takes this message for spam; an address that sends more is blocked for up to 24 hours.',
    doThis: ['See https://postmaster.free.fr, which also tells whether the address is blocked.', FIND_SOURCE],
    source: 'https://postmaster.free.fr',
    date: '2025',
    sample: 'SMTP error from remote mail server after end of data: 550 spam detected',
  },
  // ── Germany ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /IP=\S{1,60} - (?:A problem occurred|None\/bad reputation)|\bx\.t-online\.de\b/i,
    replyClass: 'reputation',
    provider: 't-online',
    meaning:
      'T-Online takes no mail from addresses with a bad or unknown reputation; that includes addresses that have not sent it any for a year or so.',
    doThis: [
      'Have the host name lead to a page that says who runs it, then write to postmaster@rx.t-online.de.',
      'Tell them the address, and that it is new or what was mended.',
    ],
    source:
      'https://www.spamresource.com/2020/06/whoops-t-onlinede-not-accepting-mail.html; https://postmaster.t-online.de/index.en.html',
    date: '2020-06',
    sample:
      'host mx02.t-online.de[192.0.2.76] refused to talk to me: 554 IP=192.0.2.7 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL)',
  },
  {
    pattern: /nemesis esmtp service not available.{0,160}(?:block|black) ?list/i,
    replyClass: 'reputation',
    provider: 'united-internet',
    meaning: 'GMX or WEB.DE blocks this address because a list has it.',
    doThis: ['Open the link at the end of the reply: it names the case and has a form.', FIND_SOURCE],
    source: 'https://postmaster.gmx.net/en/error-messages',
    date: '2025',
    sample:
      'host mx00.emig.gmx.net[192.0.2.77] refused to talk to me: 554-gmx.net (mxgmx104) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is block listed. 554 For explanation visit https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=198.51.100.42&r=1MNcgj-1ue23t3pyV-00S2YR',
  },
  {
    pattern: /nemesis esmtp service not available|postmaster\.(?:gmx\.net|web\.de)\/\S{0,20}case/i,
    replyClass: 'reputation',
    provider: 'united-internet',
    meaning: 'GMX or WEB.DE refuses the connection or the message; the link in the reply tells why.',
    doThis: ['Open the link at the end of the reply.', FIX_PTR],
    source: 'https://postmaster.gmx.net/en/error-messages',
    date: '2025',
    sample:
      'host mx-ha02.web.de[192.0.2.77] refused to talk to me: 554-web.de (mxweb012) Nemesis ESMTP Service not available 554-No SMTP service 554-Bad DNS PTR resource record. 554 For explanation visit https://postmaster.web.de/en/case?c=r0401',
  },
  {
    pattern: /(?:4\d\d|5\d\d) .{0,80}reject due to policy (?:restrictions|violations)/i,
    replyClass: 'policy',
    provider: 'united-internet',
    meaning:
      'GMX, WEB.DE or IONOS refuses this address for now, often after many mails to mailboxes that do not exist.',
    doThis: ['Take dead addresses off lists.', FIND_SOURCE, RETRY_SLOWLY],
    source:
      'https://postmaster.gmx.net/en/error-messages; https://new-faq.comservice-ffo.de/smtp-fehlermeldungen-e-mail-fehler/',
    date: '2025',
    sample:
      'host mx01.emig.gmx.net[192.0.2.77] said: 450 Reject due to policy violations. For explanation visit https://postmaster.gmx.net/ (in reply to RCPT TO command)',
  },
  // ── Filters ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /451 .{0,20}internal resources? (?:is |are )?temporarily unavailable/i,
    replyClass: 'greylisting',
    provider: 'mimecast',
    meaning:
      'Mimecast greylists: it wants the same sender and recipient again from this address after one minute and within twelve hours. (Rarely it is a poor reputation instead.)',
    doThis: [WAIT, 'A customer of Mimecast can let this sender pass.'],
    source: MIMECAST,
    date: '2022-06-17',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 451 Internal resource is temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451 [Aj3QXapeMpqZYaeFwWhjzw.us32]',
  },
  {
    pattern:
      /451 .{0,20}(?:ip temporarily blacklisted|recipient temporarily unavailable)|local ct ip reputation/i,
    replyClass: 'reputation',
    provider: 'mimecast',
    meaning: 'Mimecast puts this address off for its reputation.',
    doThis: [FIND_SOURCE, RETRY_SLOWLY],
    source: MIMECAST,
    date: '2022-06-17',
    sample:
      'host eu-smtp-inbound-1.mimecast.com[192.0.2.86] said: 451 IP temporarily blacklisted - https://community.mimecast.com/docs/DOC-1369#451 (in reply to RCPT TO command)',
  },
  {
    pattern: /(?:support|ipcheck)\.proofpoint\.com|proofpoint (?:dynamic )?reputation/i,
    replyClass: 'reputation',
    provider: 'proofpoint',
    meaning: 'Proofpoint blocks this address for its reputation.',
    doThis: ['Look it up and ask for removal at https://ipcheck.proofpoint.com/', FIND_SOURCE],
    source: 'https://ipcheck.proofpoint.com/',
    date: '2025',
    sample:
      'host mx1-us1.ppe-hosted.com[192.0.2.87] refused to talk to me: 550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.7',
  },
  {
    pattern:
      /barracuda ?(?:central|networks)?\.?(?:org|com)?\/(?:reputation|rbl|lookups)|blocked using (?:barracuda|b\.barracudacentral)/i,
    replyClass: 'reputation',
    provider: 'barracuda',
    meaning: 'Barracuda’s list has this address.',
    doThis: ['Ask for removal at https://www.barracudacentral.org/rbl/removal-request', FIND_SOURCE],
    source: 'https://www.barracudacentral.org/rbl',
    date: '2025',
    sample:
      'host mx.example.org[192.0.2.88] said: 554 Service unavailable; Client host [mail.example.net] blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?r=1&ip=192.0.2.7 (in reply to MAIL FROM command)',
  },
  // ── Greylisting, everybody ───────────────────────────────────────────────────────────────────────────────────
  {
    pattern: /gr[ea]y[ -]?list/i,
    replyClass: 'greylisting',
    meaning:
      'The receiver greylists: the first attempt of an unknown sender, recipient and network is put off, a later one is taken.',
    doThis: [
      WAIT,
      'The delay is this host’s retry interval: a first retry after 5 to 15 minutes costs least.',
      'Retry from the same address: a pool of addresses starts anew with each.',
    ],
    source: 'RFC 6647; postgrey(8), sqlgrey(1), milter-greylist, Exim wiki, KumoMTA',
    date: '2012-06',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 451 4.7.1 Greylisting in action, please come back later',
  },
  {
    pattern: /is not yet authorized to deliver mail from/i,
    replyClass: 'greylisting',
    meaning: 'The receiver greylists with greylistd.',
    doThis: [WAIT],
    source: 'greylistd-setup-exim4(8), Debian greylistd 0.9',
    date: '2023',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 451 192.0.2.7 is not yet authorized to deliver mail from <b@example.net> to <a@example.org>. Please try later.',
  },
  {
    pattern:
      /^4\d\d(?: 4\.7\.1)? (?:try again later\.?|temporary failure, please try again later\.?)(?: \S{1,80})?$/i,
    replyClass: 'greylisting',
    meaning:
      'Probably greylisting: these are the very words of rspamd ("Try again later") and OpenBSD spamd.',
    doThis: [WAIT],
    source: 'rspamd greylist.lua (message); OpenBSD spamd(8)',
    date: '2023',
    sample:
      'host mx.example.org[192.0.2.88] said: 451 4.7.1 Try again later (in reply to end of DATA command)',
  },
  {
    pattern:
      /^4\d\d .{0,80}(?:come back (?:later|in \d)|(?:first|initial|new|unknown) (?:attempt|triplet|sender|contact).{0,60}(?:try|retry|later)|please (?:try|retry) again in \d{1,5} (?:s|m))/i,
    replyClass: 'greylisting',
    meaning: 'The words of greylisting: come again after a set time.',
    doThis: [WAIT],
    source: 'RFC 6647',
    date: '2012-06',
    sample:
      'host mx.example.org[192.0.2.88] said: 450 4.2.0 <a@example.org>: Recipient address rejected: please come back in 300 seconds (in reply to RCPT TO command)',
  },
  // ── Block lists, everybody ───────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /spamhaus|\bzen\.|spamcop|\brbl\b|dnsbl|blocked using|block ?list(?:ed)?\b|black ?list(?:ed)?\b|(?:sorbs|uceprotect|abusix|invaluement|manitu|cloudmark|senderscore)/i,
    replyClass: 'reputation',
    meaning: 'A block list has this address or domain.',
    doThis: [DELIST, FIND_SOURCE],
    source: 'https://www.spamhaus.org/faqs/; postconf(5) reject_rbl_client',
    date: '2025',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7',
  },
  {
    pattern:
      /(?:poor|bad|low|no|insufficient) (?:sender |sending |ip |email )?reputation|reputation (?:of|too|is|score)/i,
    replyClass: 'reputation',
    meaning: 'The receiver holds this address or domain for a poor sender.',
    doThis: [FIND_SOURCE, AUTHENTICATE],
    source: EXPERIENCE,
    date: '2025',
    sample:
      "host mx.example.org[192.0.2.88] refused to talk to me: 554-mx.example.org 554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
  },
  // ── Who sends: DNS names, authentication ─────────────────────────────────────────────────────────────────────
  {
    pattern:
      /(?:cannot|could not|can't|unable to|failed to) (?:find|resolve|verify) your (?:reverse )?(?:host ?name|address)|(?:no|missing|invalid|bad|lacks?|without|have a(?: valid)?|must have(?: a)?) (?:valid )?(?:ptr|rdns|reverse[ -]dns|reverse (?:host|name|lookup))|(?:ptr|rdns|reverse[ -]?dns|reverse (?:hostname|lookup)) .{0,40}(?:fail|missing|required|not |mismatch|does)/i,
    replyClass: 'authentication',
    meaning: 'The receiver wants this address to have a name in reverse DNS that resolves back.',
    doThis: [FIX_PTR],
    source: `${POSTFIX_SERVER} (reject_unknown_client_hostname)`,
    date: '2023',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]',
  },
  {
    pattern: /helo (?:command|name|host|argument)|(?:invalid|bad|fake|rejected).{0,20}\b[eh][eh]lo\b/i,
    replyClass: 'policy',
    meaning: 'The receiver does not accept the name that this host says in EHLO.',
    doThis: [
      'Set the name in EHLO (Exim primary_hostname, Postfix myhostname) to one that resolves to this host.',
    ],
    source: `${POSTFIX_SERVER} (reject_unknown_helo_hostname)`,
    date: '2023',
    sample:
      'host mx.example.org[192.0.2.88] said: 450 4.7.1 <localhost>: Helo command rejected: Host not found (in reply to RCPT TO command)',
  },
  {
    pattern:
      /sender address rejected|(?:sender|mail from|from) (?:domain|address).{0,50}(?:not (?:found|exist|resolve|valid|verif)|does not|doesn't|unresolv|cannot be verified|could not be verified)|sender verif(?:y|ication) failed|unroutable sender/i,
    replyClass: 'policy',
    meaning:
      'The receiver does not accept the sender’s address: its domain does not resolve, or a check of it failed.',
    doThis: ['Check that the sender’s domain resolves and has an MX that takes mail for that address.'],
    source: `${POSTFIX_SERVER} (reject_unknown_sender_domain); Exim spec, "verify = sender"`,
    date: '2023',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 450 4.1.8 <b@mail.example.net>: Sender address rejected: Domain not found',
  },
  {
    pattern:
      /\b(?:spf|dkim|dmarc|arc)\b|sender policy framework|not authenticated|unauthenticated|failed authentication/i,
    replyClass: 'authentication',
    meaning: 'SPF, DKIM or DMARC does not pass.',
    doThis: [AUTHENTICATE, 'Forwarded mail breaks SPF: rewrite the envelope sender (SRS) or do not forward.'],
    source: 'RFC 7208; RFC 6376; RFC 7489; RFC 7372',
    date: '2015',
    sample:
      'SMTP error from remote mail server after end of data: 550 5.7.1 Email rejected per DMARC policy for example.net',
  },
  // ── Content ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /\bvirus\b|malware|infected|phish|\bspam|unsolicited|junk mail|bulk mail|content (?:rejected|denied|filter)|message content|blocked (?:attachment|by content)|attachment .{0,30}(?:not allowed|forbidden|blocked)|banned (?:file|content)/i,
    replyClass: 'content',
    meaning: 'The receiver takes this message for spam or finds forbidden content in it.',
    doThis: ['Look at what the message says, links to and has attached.', FIND_SOURCE],
    source: EXPERIENCE,
    date: '2025',
    sample: 'SMTP error from remote mail server after end of data: 550 High probability of spam',
  },
  // ── Size, mailbox, user ──────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /(?:message|mail|size|email).{0,40}(?:too (?:big|large)|exceed.{0,30}(?:limit|maximum|size|fixed)|larger than)|maximum (?:email|message) size|size limit exceeded|(?:^|\s)5\.(?:3\.4|2\.3)\b/i,
    replyClass: 'policy',
    meaning: 'The message is bigger than the receiver takes.',
    doThis: ['Send the file by a link; an attachment grows by a third on the way.'],
    source: 'RFC 1870',
    date: '1995',
    sample:
      'SMTP error from remote mail server after MAIL FROM:<a@example.org> SIZE=83886080: 552 5.3.4 Message size exceeds fixed limit',
  },
  {
    pattern:
      /over ?quota|quota (?:exceeded|is full|limit)|exceed(?:ed|s)?.{0,20}quota|(?:mailbox|inbox|mail ?box|maildir|account|user).{0,30}(?:is )?full\b|insufficient (?:mailbox|user) (?:space|storage)|out of storage|(?:^|\s)[45]\.2\.2\b/i,
    replyClass: 'mailbox-full',
    meaning: 'The mailbox is full.',
    doThis: [ASK_RECIPIENT],
    source: 'RFC 3463 (X.2.2)',
    date: '2003',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 452 4.2.2 The email account that you tried to reach is over quota',
  },
  {
    pattern:
      /relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|prohibited)|unable to relay|not (?:permitted|allowed) to relay|open relay not allowed|no relaying/i,
    replyClass: 'policy',
    meaning: 'The host does not take mail for that domain: the MX record is wrong, or its configuration.',
    doThis: ['Check the MX records of the recipient’s domain; if they are right, tell its administrator.'],
    source: `${POSTFIX_SERVER} (reject_unauth_destination); Exim spec, "relay not permitted"`,
    date: '2023',
    sample: 'SMTP error from remote mail server after RCPT TO:<a@example.org>: 550 relay not permitted',
  },
  {
    pattern:
      /(?:user|recipient|mailbox|account|address|alias)(?: \S{1,120})? ?(?:is )?(?:unknown|not found|does(?:n't| not) exist|doesn't have|no longer|invalid|inactive|disabled|suspended|unavailable|rejected: (?:user )?unknown)|(?:no such|unknown|invalid|non-?existent|inactive|bad destination) (?:user|recipient|mailbox|account|local ?part|address|or illegal alias)|unrouteable address|no mailbox here|(?:^|\s)5\.1\.1\b/i,
    replyClass: 'no-such-user',
    meaning: 'There is no such mailbox, or it is closed.',
    doThis: ['Check the address with the recipient, and take it off lists.'],
    source: 'RFC 3463 (X.1.1, X.2.1); RFC 5321 section 4.2.3',
    date: '2003',
    sample:
      'SMTP error from remote mail server after RCPT TO:<a@example.org>: 550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table',
  },
  // ── Volume, everybody ────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /too many (?:concurrent |simultaneous )?(?:connections?|sessions?|messages?|mails?|e-?mails?|recipients?|errors?|requests?|attempts?)|(?:connection|message|rate|sending|hourly|daily|session)s? (?:rate )?limit|rate[ -]?limit|ratelimit|throttl|slow(?:ing)? down|(?:excessive|unusual|unexpected) (?:volume|rate|traffic)|exceed(?:ed|s|ing)?.{0,40}(?:connections?|messages|recipients|rate|per hour)|maximum (?:number of )?(?:concurrent )?connections/i,
    replyClass: 'volume',
    meaning: 'Too much at once for the receiver: connections, messages or recipients.',
    doThis: [SEND_LESS, RETRY_SLOWLY],
    source: 'RFC 3463 (X.5.3, X.4.5); Postfix anvil(8)',
    date: '2023',
    sample:
      'SMTP error from remote mail server after initial connection: 421 4.7.0 mx.example.org Error: too many connections from 192.0.2.7',
  },
  // ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /tls (?:session|handshake|error|negotiation|is required|required|not available|connection)|a tls session is required|cannot start tls|refused to start tls|starttls (?:is )?(?:required|first|failed)|must issue a starttls|handshake fail|gnutls_|ssl_(?:connect|accept|error|read)|certificate (?:verif|expired|not|has|host|name)|(?:not|un)trusted.{0,20}certificate|server certificate|\bdane\b|tlsa|mta-sts|encryption required|route requires (?:encryption|tls|high-strength)|bad first read from tls|(?:^|\s)[45]\.7\.1[01]\b/i,
    replyClass: 'tls',
    meaning:
      'TLS failed: no common version or cipher, a certificate that does not hold, or TLS that one side demands and the other lacks.',
    doThis: [
      'Try it by hand: openssl s_client -starttls smtp -connect HOST:25',
      'Where TLS is forced for this destination (hosts_require_tls, smtp_tls_policy_maps, DANE, MTA-STS), check that it still offers it.',
    ],
    source: `${EXIM}; ${POSTFIX}`,
    date: '2025-12',
    sample: 'TLS session: (gnutls_handshake): A TLS fatal alert has been received: handshake failure',
  },
  // ── DNS and routing ──────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /all relevant mx records point to non-existent hosts|mx or srv record indicated no smtp service|does not accept mail \(nullmx\)|null ?mx|no mx record|has no mx|no valid mx|mx host .{0,80}has a valid address/i,
    replyClass: 'dns',
    meaning: 'The domain has no host that takes mail: a null MX, or an MX that leads nowhere.',
    doThis: ['Check the domain for a typing error; else its owner must mend the MX record.'],
    source: `${EXIM_ROUTE}; RFC 7505`,
    date: '2025-12',
    sample: 'all relevant MX records point to non-existent hosts',
  },
  {
    pattern:
      /lowest numbered mx record points to local host|remote host address is the local host|loops? back to myself|mail loop|too many hops|hop count exceeded/i,
    replyClass: 'dns',
    meaning:
      'The mail comes back to this host: its MX points here, but the domain is not set up here, or a forwarding loop.',
    doThis: ['Add the domain to the local or relay domains of this host, or mend its MX record.'],
    source: `${EXIM_ROUTE}; ${POSTFIX}`,
    date: '2025-12',
    sample: 'lowest numbered MX record points to local host: example.org',
  },
  {
    pattern:
      /host lookup did not complete|lookup of host .{0,255}(?:failed|not complete)|all host address lookups|host or domain name not found|name service error|host not found|unable to look up host|servfail|dns (?:lookup|server|error|problem|failure|timeout)|could ?n[o']t resolve|(?:domain|name) (?:does not|doesn't) resolve|nxdomain|temporary failure in name resolution|lookup for .{0,80} failed/i,
    replyClass: 'dns',
    meaning: 'The name of the domain or its mail host could not be resolved.',
    doThis: [
      'Ask by hand: dig MX DOMAIN, and dig A for each host, with this host’s resolver and with another.',
      'If only this host’s resolver fails, mend it (/etc/resolv.conf, unbound, DNSSEC time); else it is the domain’s.',
    ],
    source: `${EXIM_ROUTE}; ${POSTFIX}`,
    date: '2025-12',
    sample:
      'Host or domain name not found. Name service error for name=example.org type=MX: Host not found, try again',
  },
  // ── Our own side ─────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /retry time not (?:yet )?reached|have been failing for a long time|connection limit reached for all hosts|explicitly queued|message is frozen|spool file .{0,60}is locked|retry timeout exceeded|mail transport unavailable|transport concurrency limit|queue_domains|no space left on device|cannot allocate memory|too many open files|disk quota exceeded|failed to (?:expand|open|create|lock|write)|load average|unknown mail transport error/i,
    replyClass: 'local',
    meaning:
      'This host itself waits or fails: the retry time of an earlier failure, a limit, a full disk, a setting.',
    doThis: [
      'Look at the earlier failure of the same host or domain: the wait only repeats it.',
      'Exim: exinext ADDRESS tells when it tries next; Postfix: postqueue -p.',
    ],
    source: `${EXIM}; ${EXIM_ROUTE}; Postfix qmgr(8)`,
    date: '2025-12',
    sample: "retry time not reached for any host for 'example.org'",
  },
  // ── Network ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /connection refused|no route to host|network is unreachable|host is (?:down|unreachable)|connect(?:ion)? timed out|connection timeout|operation timed out|etimedout|econnrefused/i,
    replyClass: 'network',
    meaning: 'No connection to the host came about.',
    doThis: [
      'Try it by hand from this host: nc -vz HOST 25, over IPv4 and IPv6.',
      'If other hosts fail likewise, port 25 is blocked on the way or IPv6 is broken here; if it is this host alone, it is down.',
    ],
    source: `${EXIM}; ${POSTFIX}; connect(2)`,
    date: '2025-12',
    sample: 'connect to mx.example.org[192.0.2.88]:25: Connection refused',
  },
  {
    pattern:
      /smtp timeout after|timed out while|timeout (?:exceeded|while|waiting)|lost connection|remote host closed connection|connection (?:reset|closed|dropped|lost|was closed)|broken pipe|unexpected eof|end of file|malformed smtp reply|data timeout|timeout - closing/i,
    replyClass: 'network',
    meaning: 'The connection broke or fell silent midway.',
    doThis: [
      'See in which phase it breaks: while the message is sent, look for a path MTU, firewall or window trouble; at the greeting, the far host is overloaded.',
    ],
    source: `${EXIM}; ${POSTFIX}`,
    date: '2025-12',
    sample: 'SMTP timeout after sending data block (163840 bytes written)',
  },
  // ── The receiver’s own trouble ───────────────────────────────────────────────────────────────────────────────
  {
    pattern:
      /insufficient (?:system|disk) (?:storage|space|resources)|disk full|system storage|maintenance|(?:server|system|service|resources?).{0,30}(?:temporarily |currently |is |not )*(?:busy|unavailable|not available|overload|down)|temporar(?:y|ily) (?:local |server |system |internal |lookup |dns |configuration |backend )?(?:problem|failure|error|unavailable|rejected)|local (?:error|problem|configuration)|internal (?:error|server|software)|server configuration (?:problem|error)|queue file write error|system not accepting|high load|load too high|try (?:again )?later|(?:^|\s)4\.3\.[0-9]\b/i,
    replyClass: 'outage',
    meaning:
      'The receiving server has trouble of its own: overload, maintenance, a full disk, a lookup that failed.',
    doThis: [WAIT, 'If it lasts for hours, tell the receiver’s administrator.'],
    source: 'RFC 3463 (X.3.0 to X.3.2); RFC 5321 section 4.2.3',
    date: '2008',
    sample: 'SMTP error from remote mail server after end of data: 451 4.3.0 Error: queue file write error',
  },
  {
    pattern:
      /policy|access denied|not (?:authorized|authorised|allowed|permitted|accepted)|administrative prohibition|refused|rejected|denied|prohibited/i,
    replyClass: 'policy',
    meaning: 'The receiver refuses it by a rule that it does not explain.',
    doThis: ['Ask the receiver’s administrator with the whole reply and its time.'],
    source: 'RFC 3463 (X.7.1)',
    date: '2003',
    sample:
      'SMTP error from remote mail server after MAIL FROM:<a@example.org>: 554 5.7.1 You are not allowed to connect',
  },
];
