import { getDomain } from 'tldts';
import type { Impact, Note, Remedy } from '../../findings/finding.js';
import { MAIL_PROVIDERS, type SenderHelp } from '../../knowledge/mail-providers.js';
import { EXIM_DEFAULT_RULE, POSTFIX_RETRY_DEFAULTS } from '../../knowledge/retry-defaults.js';
import { classify, replyOf } from '../mail/replies.js';
import { retryParametersText } from '../mail/retry.js';
import { eximRetryRemedy, postfixRetryRemedies, postfixSlowTransport } from '../mail/retry-remedies.js';
import type { CulpritId } from './hypotheses.js';
import { type RetryStudy, savedImpact, studyRetries } from './retry-share.js';
import type { Kind, MailScene, ProviderCourse } from './scene.js';

/** Which mail program this is, and where its configuration says what a remedy would change. */
interface MailServer {
  program: 'exim' | 'postfix';
  /** Debian's split configuration: a new rule is a line in a file of its own section. */
  split: boolean;
  retry: { name: string; value: string; path: string; line: number } | null;
  smtpTransport: { name: string; path: string; line: number } | null;
  main: string | null;
}

async function serverOf({ store }: MailScene): Promise<MailServer> {
  const row = await store.row<{ program: string }>(
    'SELECT program FROM message_facts GROUP BY program ORDER BY count(*) DESC LIMIT 1',
  );
  const settings = async (program: string, where: string) =>
    store.row<{ section: string; name: string; value: string; path: string; line: number }>(
      `SELECT t.section, t.name, t.value, s.path, t.line FROM settings t JOIN sources s USING (source_id)
       WHERE t.program = $1 AND ${where} ORDER BY t.seq LIMIT 1`,
      [program],
    );
  if (row?.program === 'postfix') {
    const main = await settings('postfix', "section = 'main'");
    return { program: 'postfix', split: false, retry: null, smtpTransport: null, main: main?.path ?? null };
  }
  // A rule for single domains is in force for these only; the one for everything is what applies to most.
  const retry =
    (await settings('exim', "section = 'retry' AND starts_with(name, '* ')")) ??
    (await settings('exim', "section = 'retry'"));
  const smtp = await settings(
    'exim',
    "starts_with(section, 'transport ') AND name = 'driver' AND value = 'smtp'",
  );
  return {
    program: 'exim',
    split: /\/conf\.d\//.test(retry?.path ?? smtp?.path ?? ''),
    retry: retry ?? null,
    smtpTransport: smtp
      ? { name: smtp.section.slice('transport '.length), path: smtp.path, line: smtp.line }
      : null,
    main: smtp?.path ?? null,
  };
}

/** What is to be done about a culprit, exactly, for this server; and what makes it worse. */
export async function remediesFor(
  scene: MailScene,
  culprit: CulpritId,
  course: ProviderCourse,
  kinds: Kind[],
): Promise<{ remedies: Remedy[]; avoid: string[]; impact: Impact[] }> {
  const server = await serverOf(scene);
  const names = await namesOf(scene, course);
  const help = MAIL_PROVIDERS.find((p) => p.id === course.id)?.help;
  const rule = server.retry?.value ?? null;
  const study = await studyRetries(scene, server.program, course, rule);
  const at = { server, study, names, course, kinds, help };
  const remedies = REMEDIES[culprit](at).map((r, i) => ({ ...r, preferred: i === 0 }));
  return { remedies, avoid: AVOID[culprit], impact: course.id === 'all' ? [] : savedImpact(study) };
}

interface At {
  server: MailServer;
  study: RetryStudy;
  names: { hosts: string[]; domains: string[]; mxHost: string | null };
  course: ProviderCourse;
  kinds: Kind[];
  help: SenderHelp | undefined;
}

type Change = Omit<Remedy, 'preferred'>;

/** The provider's MX hosts by their common end, and the recipient domains most of its late mail is for. */
async function namesOf(scene: MailScene, course: ProviderCourse): Promise<At['names']> {
  if (course.id === 'all') return { hosts: [], domains: [], mxHost: null };
  const rows = await scene.store.rows<{ mx: string | null; domain: string | null }>(
    'SELECT mx, domain FROM judged WHERE provider = $1 AND late GROUP BY mx, domain ORDER BY count(*) DESC LIMIT 50',
    [course.id],
  );
  const safe = (name: string | null): name is string => name !== null && /^[a-z0-9.-]+$/.test(name);
  return {
    hosts: [
      ...new Set(
        rows
          .map((r) => r.mx)
          .filter(safe)
          .map((mx) => getDomain(mx) ?? mx),
      ),
    ].slice(0, 3),
    domains: [...new Set(rows.map((r) => r.domain).filter(safe))].slice(0, 6),
    mxHost: rows.map((r) => r.mx).find(safe) ?? null,
  };
}

/** Refused before any recipient was named: the retry time is the host's, else each address’s own. */
const ofHost = (kinds: Kind[]): boolean =>
  ['connect', 'banner', 'ehlo', 'tls', 'mail'].includes(kinds[0]?.phase ?? '') ||
  kinds[0]?.class === 'network';

/** The same without the configuration at hand. Spec chapter 32: host errors match the host’s name, then the domain. */
function eximRetry(at: At, parameters: string): Change {
  const { names, kinds } = at;
  const patterns =
    ofHost(kinds) || names.domains.length === 0 ? names.hosts.map((h) => `*.${h}`) : names.domains;
  return {
    title: 'Try again sooner at this receiver',
    change: patterns.map((p) => `${p.padEnd(24)} *  ${parameters}`).join('\n'),
    where:
      'Exim’s configuration, below “begin retry”, above the rule that begins with * (Debian: a new file conf.d/retry/20_local; then update-exim4.conf and systemctl reload exim4)',
    cost: 'more tries at this receiver; they happen at queue runs, so these must come as often (Debian: QUEUEINTERVAL in /etc/default/exim4)',
    undo: 'take the rule out and reload Exim; retry times that are set already hold until they are over',
  };
}

function shorterRetries(at: At): Change[] {
  const { server, names, course, kinds, study } = at;
  const provider = {
    name: course.name,
    mxDomain: names.hosts.length === 1 ? names.hosts[0]! : null,
    domains: names.domains,
    mxHost: names.mxHost,
  };
  if (server.program === 'postfix')
    return postfixRetryRemedies(
      provider,
      {
        mainCf: server.main ?? '/etc/postfix/main.cf',
        masterCf: 'master.cf',
        transportMaps: null,
        minimalBackoff_s: POSTFIX_RETRY_DEFAULTS.minimalBackoff_s,
        maximalBackoff_s: POSTFIX_RETRY_DEFAULTS.maximalBackoff_s,
        queueRunDelay_s: POSTFIX_RETRY_DEFAULTS.queueRunDelay_s,
      },
      900,
    );
  const refused = ofHost(kinds) ? 'host-or-message' : 'recipient';
  const place = server.retry
    ? { scheme: schemeOf(server.retry.path), current: { ...server.retry, parameters: study.parameters } }
    : null;
  const exact =
    place && eximRetryRemedy(provider, refused, place, study.shorter, study.queueRun_s, study.gain);
  return [exact ?? eximRetry(at, retryParametersText(study.shorter))];
}

function schemeOf(path: string): 'monolithic' | 'debian-split' | 'debian-template' {
  if (path.includes('/conf.d/')) return 'debian-split';
  return path.endsWith('exim4.conf.template') ? 'debian-template' : 'monolithic';
}

function providerPage({ help, course }: At): Change[] {
  if (!help) return [];
  const pages = [
    help.form && `form: ${help.form}`,
    help.postmaster && `rules: ${help.postmaster}`,
    help.feedbackLoop && `complaints: ${help.feedbackLoop}`,
  ];
  return [
    {
      title: `Ask ${course.name}, with the text of the refusal and this server’s address`,
      change: pages.filter(Boolean).join('\n'),
      where: `pages of ${course.name}, as of ${help.asOf}`,
      cost: 'an answer takes days; worth it when the refusals go on for two days',
      undo: 'nothing to undo',
    },
  ];
}

const REMEDIES: Record<CulpritId, (at: At) => Change[]> = {
  greylisting: (at) => [
    ...shorterRetries(at),
    {
      title: 'Ask the receiver’s administrator to let this server through',
      change:
        'the address and name of this server in their greylisting’s list of known senders (postgrey: whitelist_clients)',
      where: `postmaster of ${at.names.domains[0] ?? at.course.name}`,
      cost: 'one mail; nothing changes here',
      undo: 'nothing to undo',
    },
    {
      title: 'Leave it: greylisting delays only the first mail of each sender to each recipient',
      change: 'nothing',
      where: '—',
      cost: 'first mails stay late by about this server’s first retry interval',
      undo: 'nothing to undo',
    },
  ],

  'provider-deferral': (at) => {
    const said = at.kinds.map((k) => classify(replyOf(k.text), null)).find((c) => c.doThis.length > 0);
    const authentication = at.kinds.some((k) => k.class === 'authentication');
    const advice: Change[] = said
      ? [
          {
            title: 'Do what the refusal asks for',
            change: [`It says: ${said.meaning}`, ...said.doThis].join('\n'),
            where: said.explainedBy
              ? `as explained in ${said.explainedBy.source} (${said.explainedBy.date})`
              : 'this server',
            cost: 'none but the work',
            undo: 'nothing to undo',
          },
        ]
      : [];
    const slowTransport =
      at.server.program === 'postfix'
        ? postfixSlowTransport(
            { name: at.course.name, mxDomain: null, domains: at.names.domains, mxHost: null },
            {
              mainCf: at.server.main ?? '/etc/postfix/main.cf',
              masterCf: 'master.cf',
              transportMaps: null,
              minimalBackoff_s: POSTFIX_RETRY_DEFAULTS.minimalBackoff_s,
              maximalBackoff_s: POSTFIX_RETRY_DEFAULTS.maximalBackoff_s,
              queueRunDelay_s: POSTFIX_RETRY_DEFAULTS.queueRunDelay_s,
            },
            { concurrency: 2, rateDelay_s: 1, recipients: 20 },
          )
        : null;
    const slower: Change | null =
      at.server.program === 'postfix'
        ? slowTransport
        : {
            title: 'Send to this receiver more slowly',
            change: [
              `serialize_hosts = ${at.names.hosts.map((h) => `*.${h}`).join(' : ') || '*'}`,
              'connection_max_messages = 20',
              'hosts_max_try = 2',
            ].join('\n'),
            where: at.server.smtpTransport
              ? `${at.server.smtpTransport.path}, transport ${at.server.smtpTransport.name} (line ${at.server.smtpTransport.line})`
              : 'the smtp transport in Exim’s configuration (Debian: conf.d/transport/30_exim4-config_remote_smtp)',
            cost: 'one connection at a time to these hosts; connection_max_messages and hosts_max_try hold for all hosts of the transport',
            undo: 'take the lines out and reload Exim',
          };
    const prove: Change[] = authentication
      ? [
          {
            title: 'Have all mail pass SPF, DKIM and DMARC, and the address resolve both ways',
            change:
              'DNS of each sender domain: v=spf1 with this server’s address; a DKIM key and signing of all that leaves; _dmarc with at least p=none. Reverse DNS of the address = the name in EHLO',
            where:
              'the domains’ DNS, and the smtp transport’s dkim_* options (Exim) or an OpenDKIM milter (Postfix)',
            cost: 'work; mail that others send in your name without signing may then fail',
            undo: 'take the records out',
          },
        ]
      : [];
    return [...advice, ...prove, ...(slower ? [slower] : []), ...providerPage(at)];
  },

  'unreachable-host': (at) => [
    {
      title: 'Find where the connection ends',
      change: `for h in $(dig +short MX ${at.names.domains[0] ?? 'DOMAIN'} | cut -d' ' -f2); do nc -vz -w5 "$h" 25; nc -6 -vz -w5 "$h" 25; done`,
      where: 'on this server; from another network too',
      cost: 'none: it only connects',
      undo: 'nothing to undo',
    },
    ...(at.server.program === 'exim'
      ? [
          {
            title: 'If only IPv6 fails: leave it out for this receiver',
            change: [
              'ipv4_only:',
              '  driver = dnslookup',
              `  domains = ${at.names.domains.join(' : ') || 'DOMAIN'}`,
              `  transport = ${at.server.smtpTransport?.name ?? 'remote_smtp'}`,
              '  ignore_target_hosts = <; ::0/0',
              '  no_more',
            ].join('\n'),
            where: 'a router of its own, before dnslookup',
            cost: 'mail to it goes by IPv4 only',
            undo: 'take the router out and reload Exim',
          },
        ]
      : [
          {
            title: 'If only IPv6 fails: prefer IPv4',
            change: 'smtp_address_preference = ipv4',
            where: at.server.main ?? '/etc/postfix/main.cf; then postfix reload',
            cost: 'IPv4 is tried first everywhere',
            undo: 'postconf -X smtp_address_preference; postfix reload',
          },
        ]),
    providerPage(at)[0] ?? {
      title: 'Tell the receiver’s administrator by another way',
      change: 'their hosts do not answer on port 25 from this address',
      where: at.names.domains[0] ?? at.course.name,
      cost: 'none',
      undo: 'nothing to undo',
    },
  ],

  'dns-failure': (at) => [
    {
      title: 'Ask the resolver what the mail program asked',
      change: `dig MX ${at.names.domains[0] ?? 'DOMAIN'}; dig +trace MX ${at.names.domains[0] ?? 'DOMAIN'}; cat /etc/resolv.conf`,
      where:
        'on this server: SERVFAIL from the resolver but an answer by +trace means the resolver; no answer by both, the domain’s own servers',
      cost: 'none',
      undo: 'nothing to undo',
    },
    {
      title: 'A resolver of this server’s own',
      change: 'apt install unbound; nameserver 127.0.0.1 in /etc/resolv.conf',
      where: 'this server',
      cost: 'one small service; blocklists that refuse shared resolvers work again as well',
      undo: 'the old nameserver line; apt remove unbound',
    },
  ],

  'tls-failure': (at) => [
    {
      title: 'See what the other side offers',
      change: `openssl s_client -starttls smtp -connect ${at.names.hosts[0] ? `MX-HOST.${at.names.hosts[0]}` : 'HOST'}:25 </dev/null`,
      where: 'on this server',
      cost: 'none',
      undo: 'nothing to undo',
    },
    at.server.program === 'exim'
      ? {
          title: 'Send without TLS to these hosts until they have mended theirs',
          change: `hosts_avoid_tls = ${at.names.hosts.map((h) => `*.${h}`).join(' : ') || 'HOST'}`,
          where: at.server.smtpTransport
            ? `${at.server.smtpTransport.path}, transport ${at.server.smtpTransport.name} (line ${at.server.smtpTransport.line})`
            : 'the smtp transport in Exim’s configuration',
          cost: 'mail to them can be read on the way',
          undo: 'take the line out and reload Exim',
        }
      : {
          title: 'Send without TLS to these domains until they have mended theirs',
          change: `# /etc/postfix/tls_policy, then postmap\n${(at.names.domains.length > 0 ? at.names.domains : ['DOMAIN']).map((d) => `${d}    none`).join('\n')}\n# main.cf\nsmtp_tls_policy_maps = hash:/etc/postfix/tls_policy`,
          where: at.server.main ?? '/etc/postfix',
          cost: 'mail to them can be read on the way',
          undo: 'take the lines out, postmap, postfix reload',
        },
  ],

  'local-queueing': (at) =>
    at.server.program === 'exim'
      ? [
          {
            title: 'Deliver on arrival again, and run the queue more often',
            change:
              "no queue_only, queue_only_load or queue_smtp_domains for this mail; QUEUEINTERVAL='5m' in /etc/default/exim4",
            where:
              at.server.main ??
              'Exim’s main configuration and /etc/default/exim4; then systemctl restart exim4',
            cost: 'more deliveries side by side when much mail comes at once (queue_run_max, remote_max_parallel limit it)',
            undo: 'the old lines',
          },
        ]
      : [
          {
            title: 'Find what holds the queue manager, and let it run',
            change:
              'qshape active; postconf default_process_limit qmgr_message_active_limit default_destination_concurrency_limit defer_transports',
            where:
              'on this server: a full active queue waits for slow destinations; defer_transports and content filters hold mail before the first try',
            cost: 'none: it only looks',
            undo: 'nothing to undo',
          },
        ],

  'own-retry-rule': (at) => shorterRetries(at),
};

const AVOID: Record<CulpritId, string[]> = {
  greylisting: [
    'Retrying every few seconds: the wait starts anew at some receivers, and others take it for abuse.',
  ],
  'provider-deferral': [
    'Forcing the queue again and again (exim -qff, postqueue -f): more tries make the deferral last longer.',
    'Sending from another address of the same network: reputation goes by network too.',
  ],
  'unreachable-host': ['A shorter retry rule: a host that does not answer does not answer sooner.'],
  'dns-failure': [
    'Writing the addresses into /etc/hosts: the mail program asks for MX records, and they change.',
  ],
  'tls-failure': ['Switching TLS off for everybody.'],
  'local-queueing': ['Asking the providers: they had not been asked yet when the mail waited.'],
  'own-retry-rule': [
    `Minutes between tries for days: after the first hours the usual rule (${EXIM_DEFAULT_RULE}) is enough.`,
  ],
};

/** Changes of packages within two days before the harm began: shared observations, not proof. */
export async function changesNear({ store }: MailScene, since: string | null): Promise<Note[]> {
  if (since === null) return [];
  const rows = await store.rows<{
    at: string;
    package: string;
    old: string | null;
    new: string | null;
    path: string;
    line: number;
  }>(
    `SELECT strftime(p.changed_at, '%Y-%m-%d %H:%M') AS at, p.package, p.old_version AS old, p.new_version AS new, s.path, p.line
     FROM package_changes p JOIN sources s USING (source_id)
     WHERE p.changed_at BETWEEN $1::TIMESTAMP - INTERVAL '2 days' AND $1::TIMESTAMP + INTERVAL '1 hour'
       AND regexp_matches(p.package, '^(exim4|postfix|linux-image|libgnutls|libssl|openssl|bind9|unbound|dnsmasq|systemd|nftables|iptables|ca-certificates)')
     ORDER BY p.changed_at DESC LIMIT 5`,
    [since],
  );
  return rows.map((r) => ({
    says: `${r.package} ${r.old ?? '(new)'} → ${r.new ?? '(removed)'} on ${r.at}`,
    from: [{ path: r.path, line: r.line }],
  }));
}
