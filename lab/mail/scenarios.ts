/**
 * What can make mail late, and what only looks like it. The culprits' ids are those of the `mail-late` investigation.
 *
 * Times are seconds of the scenario: minutes and hours of a real server, shortened by the daemon's configuration.
 */
import type { Settings } from './daemon.js';
import type { Mailing } from './mailing.js';
import { PROVIDER_NAMES, PROVIDERS, type ProviderName } from './providers.js';
import type { Manners, Refusal, Script, Window } from './receiver.js';

export interface Plan {
  /** One sentence: what is the case. */
  summary: string;
  /** No `culprit`: nobody may be accused. */
  culprit?: string;
  /** Whose mail is late, or fails; absent: nobody's, or everybody's. */
  provider?: ProviderName;
  /** Who else makes whose mail late. */
  also?: readonly { culprit: string; provider: ProviderName }[];
  /** When the fault was there; absent: always, or never. */
  fault?: Window;
  script: Script;
  settings?: Partial<Settings>;
  mailing?: Partial<Mailing>;
  /** Domains whose name servers do not answer during the fault. */
  broken?: readonly string[];
  /** The text that the culprit speaks, as sent. */
  reply?: string;
  /** It costs so little that it is as right to accuse nobody. */
  mild?: boolean;
  /** Some messages will never leave the queue: that is no reason to wait. */
  undeliverable?: boolean;
}

type Scenario = (about: About) => Plan;

interface About {
  seed: number;
  daemon: 'exim' | 'postfix';
}

const FAULT = { from: 2, until: 20 };

// Texts as the providers' own pages and senders' reports give them, with the documentation's addresses.
const TSS04 =
  '421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes';
const S775 =
  '451 4.7.650 The mail server [{ip}] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775) [DB5EUR01FT048.eop-EUR01.prod.protection.outlook.com]';
const UNUSUAL_RATE = [
  '421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating',
  '421-4.7.28 from your IP address [{ip}]. To protect our users from spam, mail',
  '421-4.7.28 sent from your IP address has been temporarily rate limited. For',
  '421-4.7.28 more information, go to',
  '421 4.7.28  https://support.google.com/mail/answer/81126 to review our Bulk Email Senders Guidelines. - gsmtp',
];
const TOO_MANY_FROM_IP = '421 Too many messages (1.5.6.1) from {ip}';
const POSTGREY =
  '450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example-school.org.uk.html';
const GREYLISTING = '451 4.7.1 Greylisting in action, please come back later';
const MAILBOX_FULL = '452 4.2.2 <{to}>: mailbox is over quota, please try again later';
const LOOKUP_FAILED = '451 4.3.0 <{to}>: Temporary lookup failure';
const NO_SUCH_USER =
  "550-5.1.1 The email account that you tried to reach does not exist. Please try|550-5.1.1 double-checking the recipient's email address for typos or|550-5.1.1 unnecessary spaces. For more information, go to|550 5.1.1  https://support.google.com/mail/?p=NoSuchUser 5b1f17b1804b1-3fa1ac7be5csi1841235e9.211 - gsmtp".split(
    '|',
  );
const CONTENT =
  '554 5.7.1 [CS01] Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes';
const BLOCKED =
  "550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.";
const TOO_MANY_RECIPIENTS =
  '452 4.5.3 Too many recipients for this message, send the rest in another transaction';

export const SCENARIOS = {
  healthy: () => ({ summary: 'every provider takes all mail at once', script: {} }),

  greylist({ seed }) {
    const reply = seed % 2 === 1 ? POSTGREY : GREYLISTING;
    return {
      summary: 'the school defers each new triplet of client, sender and recipient for 12 s',
      culprit: 'greylisting',
      provider: 'school',
      script: { school: { greylist: { seconds: 12, reply: [reply] } } },
      reply,
    };
  },

  'provider-deferral': () =>
    deferral('yahoo', { at: 'connect', reply: [TSS04] }, 'Yahoo answers 421 TSS04 to every connection'),
  /** It has not ended when the evidence is taken: the queue is full of its mail. */
  'provider-deferral-ongoing': () => ({
    ...deferral('yahoo', { at: 'connect', reply: [TSS04] }, ''),
    summary: 'Yahoo answers 421 TSS04 to every connection, to the end',
    fault: { from: 2 },
    script: { yahoo: { refusals: [{ at: 'connect', reply: [TSS04], from: 2 }] } },
    undeliverable: true,
  }),
  'provider-deferral-bt': () =>
    deferral('bt', { at: 'connect', reply: [TOO_MANY_FROM_IP] }, 'BT answers 421 to most connections', 0.8),
  'provider-deferral-rcpt': () =>
    deferral('microsoft', { at: 'rcpt', reply: [S775] }, 'Microsoft answers 451 (S775) to every recipient'),
  'provider-deferral-data': () =>
    deferral(
      'google',
      { at: 'data', reply: UNUSUAL_RATE },
      'Google answers 421 4.7.28 to most messages',
      0.7,
    ),

  /** One MX, and nothing there: refused, without a word, or with a router's word, by the seed. */
  'unreachable-host': ({ seed }) => unreachable('firm', seed),
  /** A provider of two addresses, where the other one takes the mail: it waits for a timeout, and nothing is deferred. */
  'one-address-dead': () => ({
    summary: "Google's first MX host vanishes for a while; its second takes the mail after a timeout",
    culprit: 'unreachable-host',
    mild: true,
    provider: 'google',
    fault: FAULT,
    script: { google: { port: [{ is: 'silent', hosts: ['gmail-smtp-in.l.google.com'], ...FAULT }] } },
    settings: { connect: 2, command: 4 },
  }),
  /** The machine thinks it has IPv6. */
  'ipv6-dead': () => ({
    summary: 'IPv6 leads nowhere: every host that has an IPv6 address is tried there in vain, then by IPv4',
    script: everybody({ port: [{ is: 'unreachable', ipv6: true }] }),
  }),

  'dns-failure': () => ({
    summary: 'the name servers of the firm do not answer for a while',
    culprit: 'dns-failure',
    provider: 'firm',
    fault: FAULT,
    broken: PROVIDERS.firm.domains,
    script: {},
  }),

  /** TLS is required for the firm, and its handshake fails: nonsense (odd seeds) or 454 (even seeds). */
  'tls-failure': ({ seed }) => ({
    summary: 'TLS is required for the firm, whose server cannot do it for a while',
    culprit: 'tls-failure',
    provider: 'firm',
    fault: FAULT,
    script: { firm: { tls: [{ is: seed % 2 === 1 ? 'broken' : 'unavailable', ...FAULT }] } },
    settings: { requireTls: PROVIDERS.firm.domains },
  }),
  /**
   * The twin: TLS fails as well, but is not required. Exim tries again in clear at once. Postfix does so only with
   * messages that have waited once (minimal_backoff_time), so there they are late, and TLS is why.
   */
  'tls-fallback': ({ seed, daemon }) => ({
    summary: "the firm's server cannot do TLS for a while; mail goes there in clear",
    ...(daemon === 'postfix' ? { culprit: 'tls-failure', provider: 'firm' } : {}),
    fault: FAULT,
    script: { firm: { tls: [{ is: seed % 2 === 1 ? 'broken' : 'unavailable', ...FAULT }] } },
  }),

  'local-queueing': ({ daemon }) => ({
    summary: 'mail waits on this server, to whomever it goes: every receiver takes it at once',
    culprit: 'local-queueing',
    // For Exim, messages wait for a queue run. For Postfix, for the only delivery process, which these replies keep busy.
    script: daemon === 'postfix' ? everybody({ slow: { reply: 0.1 } }) : {},
    settings: { queueing: true, queueRun: 15, retry: 15 },
    mailing: { messages: 50 },
  }),

  /** The provider was busy for a moment, for some; this server comes back only much later. */
  'own-retry-rule': () => ({
    summary:
      'BT defers some recipients once, and would take them at once; this server waits 35 s before it asks',
    culprit: 'own-retry-rule',
    provider: 'bt',
    script: { bt: { refusals: [{ at: 'rcpt', reply: [LOOKUP_FAILED], share: 0.6, times: 2 }] } },
    settings: { retry: 35 },
  }),

  'slow-everything': () => ({
    summary: 'every receiver is slow with every reply: nobody is singled out',
    script: everybody({ slow: { greeting: 1.5, reply: 0.3, message: 2 } }),
    mailing: { messages: 50 },
  }),
  'slow-receiver': () => ({
    summary: 'BT is slow with every reply, but takes all mail at the first attempt',
    script: { bt: { slow: { greeting: 2, reply: 0.5, message: 2 } } },
    mailing: { messages: 60 },
  }),

  /** A few mailboxes are full: their mail waits, their provider is not to blame. */
  'mailbox-full': () => ({
    summary: 'a few mailboxes at the school are full for a while',
    script: { school: { refusals: [{ at: 'rcpt', reply: [MAILBOX_FULL], share: 0.15, times: 4 }] } },
  }),

  rejected: () => ({
    summary:
      'Google knows some recipients not, Yahoo dislikes some content, Microsoft blocks this server: bounces',
    script: {
      google: { refusals: [{ at: 'rcpt', reply: NO_SUCH_USER, share: 0.3 }] },
      yahoo: { refusals: [{ at: 'data', reply: [CONTENT], share: 0.3 }] },
      microsoft: { refusals: [{ at: 'mail', reply: [BLOCKED] }] },
    },
    mailing: { nobody: 0.3 },
    undeliverable: true,
  }),

  /** Exim sends the rest at once (RFC 5321, 4.5.3.1.10); Postfix may leave a few for later. */
  newsletter: ({ daemon }) => ({
    summary: 'a newsletter goes to 100 recipients; Yahoo takes three at a time and defers the rest',
    ...(daemon === 'postfix' ? { culprit: 'provider-deferral', mild: true, provider: 'yahoo' } : {}),
    script: { yahoo: { refusals: [{ at: 'rcpt', reply: [TOO_MANY_RECIPIENTS], after: 3 }] } },
    mailing: { messages: 40, newsletter: 100 },
  }),

  /** Two things at once: each has its own mail. */
  'greylist-and-deferral': () => ({
    ...deferral(
      'yahoo',
      { at: 'connect', reply: [TSS04] },
      'Yahoo answers 421 TSS04, and the school greylists',
    ),
    also: [{ culprit: 'greylisting', provider: 'school' }],
    script: {
      yahoo: { refusals: [{ at: 'connect', reply: [TSS04], ...FAULT }] },
      school: { greylist: { seconds: 12, reply: [POSTGREY] } },
    },
  }),
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

function deferral(
  provider: ProviderName,
  refusal: Pick<Refusal, 'at' | 'reply'>,
  summary: string,
  share?: number,
): Plan {
  return {
    summary: `${summary} for a while, then takes mail again`,
    culprit: 'provider-deferral',
    provider,
    fault: FAULT,
    script: { [provider]: { refusals: [{ ...refusal, ...FAULT, ...(share ? { share } : {}) }] } },
    reply: refusal.reply.join('\n'),
  };
}

function unreachable(provider: ProviderName, seed: number): Plan {
  const is = (['unreachable', 'closed', 'silent'] as const)[seed % 3]!;
  return {
    summary: `the firm's only MX host is ${is} for a while`,
    culprit: 'unreachable-host',
    provider,
    fault: FAULT,
    script: { [provider]: { port: [{ is, ...FAULT }] } },
  };
}

function everybody(manners: Manners): Script {
  return Object.fromEntries(PROVIDER_NAMES.map((name) => [name, manners]));
}
