/**
 * Providers of mailboxes and filters, by the suffix of their MX hosts and by their own recipient domains. A suffix
 * stands for itself and everything below it; `yahoo.*` stands for the name under any public suffix.
 *
 * `from` and `until` (UTC days, `until` not included) say when a name was this provider's: where several providers
 * had a name, the day decides. `operator` is the id of whose servers they are, when that is somebody else: it answers
 * with the operator's codes. Only names that are the provider's own are here, not those of its customers' servers; a
 * provider that is missing is told by the registrable domain of its MX hosts all the same.
 *
 * Source: each entry's own; "mxsniff" is the list of jace/mxsniff (BSD, at ec26e90), "KumoMTA" is KumoMTA's
 *         shaping.toml (Apache-2.0, at 3ebc1e85), "Sisimai" is sisimai/rb-sisimai rhost.rb (BSD-2, at 9c4a1847).
 */
export interface ProviderName {
  name: string;
  from?: string;
  until?: string;
  operator?: string;
}

/** Where the provider tells senders what it wants, takes complaints about blocks, and reports complaints. */
export interface SenderHelp {
  postmaster?: string;
  form?: string;
  feedbackLoop?: string;
  /** When the addresses were last seen to be right. */
  asOf: string;
}

export interface MailProvider {
  id: string;
  name: string;
  mx: (string | ProviderName)[];
  domains: (string | ProviderName)[];
  source: string;
  help?: SenderHelp;
}

export const MAIL_PROVIDERS: MailProvider[] = [
  {
    id: 'google',
    name: 'Google (Gmail, Workspace)',
    mx: ['google.com', 'googlemail.com', 'psmtp.com'],
    domains: ['gmail.com', 'googlemail.com', 'google.com'],
    source: 'https://support.google.com/a/answer/140034; KumoMTA; mxsniff',
    help: {
      postmaster: 'https://support.google.com/mail/answer/81126',
      form: 'https://support.google.com/mail/contact/gmail_bulk_sender_escalation',
      feedbackLoop: 'https://postmaster.google.com/',
      asOf: '2026-03',
    },
  },
  {
    id: 'yahoo',
    name: 'Yahoo (with AOL)',
    mx: ['yahoodns.net', 'mail.yahoo.com'],
    domains: [
      'yahoo.*',
      'ymail.com',
      'rocketmail.com',
      'myyahoo.com',
      'aol.*',
      'aim.com',
      'netscape.net',
      'verizon.net',
      'sky.com',
    ],
    source: 'https://senders.yahooinc.com/; KumoMTA; mxsniff',
    help: {
      postmaster: 'https://senders.yahooinc.com/smtp-error-codes/',
      form: 'https://senders.yahooinc.com/contact/',
      feedbackLoop: 'https://senders.yahooinc.com/complaint-feedback-loop/',
      asOf: '2026-02',
    },
  },
  {
    id: 'yahoo-japan',
    name: 'Yahoo! Japan',
    mx: ['mail.yahoo.co.jp'],
    domains: ['yahoo.co.jp', 'ybb.ne.jp'],
    source: 'mxsniff; KumoMTA (both keep it apart from Yahoo)',
  },
  {
    id: 'aol',
    name: 'AOL (before it moved to Yahoo)',
    mx: ['mx.aol.com'],
    domains: [],
    source: 'mxsniff',
  },
  {
    id: 'bt',
    name: 'BT Mail',
    mx: [
      { name: 'bt.mail.yahoo.com', until: '2013-05-01', operator: 'yahoo' },
      { name: 'cpcloud.co.uk', from: '2013-05-01', operator: 'openwave' },
    ],
    domains: [
      { name: 'btinternet.com', until: '2013-05-01', operator: 'yahoo' },
      { name: 'btinternet.com', from: '2013-05-01', operator: 'openwave' },
      { name: 'btopenworld.com', until: '2013-05-01', operator: 'yahoo' },
      { name: 'btopenworld.com', from: '2013-05-01', operator: 'openwave' },
      { name: 'talk21.com', until: '2013-05-01', operator: 'yahoo' },
      { name: 'talk21.com', from: '2013-05-01', operator: 'openwave' },
    ],
    source:
      'http://blog.frankleonhardt.com/tag/bt-internet/ (Critical Path, later Openwave, took over from Yahoo in May 2013); mailboxes moved until summer 2014: https://gixtools.net/2014/07/email-migration-woes-headaches-bt-mail-users/',
    help: {
      postmaster: 'https://www.bt.com/help/email/fix-a-problem/problems-with-email/bt-email-error-messages',
      asOf: '2026',
    },
  },
  {
    id: 'outlook',
    name: 'Outlook.com (Hotmail, Live, MSN)',
    mx: ['olc.protection.outlook.com', 'hotmail.com'],
    domains: [
      'hotmail.*',
      'outlook.*',
      'msn.com',
      'passport.com',
      'windowslive.com',
      'live.com',
      'live.co.uk',
      'live.fr',
      'live.nl',
      'live.it',
      'live.be',
      'live.ca',
      'live.se',
      'live.dk',
      'live.no',
      'live.at',
      'live.ie',
      'live.in',
      'live.jp',
      'live.com.au',
      'live.com.mx',
      'live.com.pt',
      'live.com.ar',
    ],
    source: 'https://sendersupport.olc.protection.outlook.com/pm/; KumoMTA; mxsniff',
    help: {
      postmaster: 'https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx',
      form: 'https://olcsupport.office.com/',
      feedbackLoop: 'https://sendersupport.olc.protection.outlook.com/snds/JMRP.aspx',
      asOf: '2026-06',
    },
  },
  {
    id: 'microsoft-365',
    name: 'Microsoft 365 (Exchange Online)',
    mx: ['mail.protection.outlook.com', 'mail.eo.outlook.com', 'mx.microsoft', 'outlook.com'],
    domains: ['onmicrosoft.com'],
    source:
      'https://learn.microsoft.com/en-us/purview/how-smtp-dane-works (mx.microsoft); KumoMTA; https://bentonow.com/smtp-errors/microsoft (mail.eo.outlook.com)',
    help: {
      postmaster:
        'https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online',
      form: 'https://sender.office.com/',
      asOf: '2026',
    },
  },
  {
    id: 'apple',
    name: 'iCloud Mail (Apple)',
    mx: ['icloud.com', 'me.com'],
    domains: ['icloud.com', 'me.com', 'mac.com'],
    source: 'https://support.apple.com/en-us/102322; KumoMTA; Sisimai',
    help: { postmaster: 'https://support.apple.com/en-us/102322', asOf: '2025-02' },
  },
  {
    id: 'united-internet',
    name: 'GMX, WEB.DE, mail.com',
    mx: ['gmx.net', 'gmx.com', 'web.de', 'mail.com'],
    domains: [
      'gmx.de',
      'gmx.net',
      'gmx.at',
      'gmx.ch',
      'gmx.com',
      'gmx.us',
      'gmx.co.uk',
      'gmx.fr',
      'gmx.es',
      'gmx.it',
      'gmx.eu',
      'gmx.se',
      'gmx.li',
      'gmx.org',
      'gmx.info',
      'gmx.biz',
      'gmx.tm',
      'web.de',
      'mail.com',
      'usa.com',
    ],
    source: 'https://smtp.codes/unitedinternet/; mxsniff',
    help: {
      postmaster: 'https://postmaster.gmx.net/en/error-messages',
      form: 'https://postmaster.gmx.net/en/contact',
      asOf: '2025',
    },
  },
  {
    id: 'ionos',
    name: 'IONOS (1&1)',
    mx: ['ionos.com', 'ionos.de', 'ionos.co.uk', 'ionos.fr', 'ionos.es', 'kundenserver.de', '1and1.*'],
    domains: [],
    source: 'https://www.ionos.com/help/domains/configuring-mail-servers-and-other-related-records/; mxsniff',
  },
  {
    id: 't-online',
    name: 'T-Online (Telekom)',
    mx: ['t-online.de'],
    domains: ['t-online.de', 'magenta.de'],
    source: 'https://postmaster.t-online.de/index.en.html',
    help: { postmaster: 'https://postmaster.t-online.de/index.en.html', asOf: '2025' },
  },
  {
    id: 'freenet',
    name: 'freenet',
    mx: ['freenet.de'],
    domains: ['freenet.de'],
    source: 'emig.freenet.de in https://pastebin.com/BRukKemg',
  },
  {
    id: 'orange',
    name: 'Orange and Wanadoo (France)',
    mx: ['orange.fr', 'wanadoo.fr'],
    domains: ['orange.fr', 'wanadoo.fr', 'voila.fr'],
    source: 'https://postmaster.orange.fr; KumoMTA; Sisimai',
    help: {
      postmaster: 'https://postmaster.orange.fr',
      feedbackLoop: 'https://www.signal-spam.fr/',
      asOf: '2026-05',
    },
  },
  {
    id: 'free',
    name: 'Free (France)',
    mx: ['free.fr'],
    domains: ['free.fr', 'online.fr'],
    source: 'https://postmaster.free.fr',
    help: { postmaster: 'https://postmaster.free.fr', form: 'https://postmaster.free.fr', asOf: '2025' },
  },
  {
    id: 'laposte',
    name: 'La Poste (laposte.net)',
    mx: ['laposte.net'],
    domains: ['laposte.net'],
    source: 'https://www.postmastery.com/laposte-net-postmaster-smtp-error-codes-lpn/; Sisimai',
    help: {
      postmaster: 'https://www.postmastery.com/laposte-net-postmaster-smtp-error-codes-lpn/',
      feedbackLoop: 'https://www.signal-spam.fr/',
      asOf: '2025',
    },
  },
  {
    id: 'comcast',
    name: 'Comcast (Xfinity)',
    mx: ['comcast.net'],
    domains: ['comcast.net'],
    source: 'http://postmaster.comcast.net/mail-error-codes.html; KumoMTA',
    help: {
      postmaster: 'https://www.xfinity.com/support/articles/email-errors',
      form: 'https://spa.xfinity.com/report',
      asOf: '2025',
    },
  },
  {
    id: 'cox',
    name: 'Cox',
    mx: ['cox.net'],
    domains: ['cox.net'],
    source: 'https://www.cox.com/residential/support/email-error-codes.html; Sisimai',
    help: {
      postmaster: 'https://www.cox.com/residential/support/email-error-codes.html',
      asOf: '2025',
    },
  },
  {
    id: 'spectrum',
    name: 'Spectrum (Charter)',
    mx: ['charter.net'],
    domains: ['charter.net'],
    source: 'https://www.spectrumbusiness.net/support/internet/understanding-email-error-codes; Sisimai',
    help: {
      postmaster: 'https://www.spectrum.net/support/internet/understanding-email-error-codes',
      asOf: '2025',
    },
  },
  {
    id: 'att',
    name: 'AT&T Mail',
    mx: [{ name: 'prodigy.net', operator: 'yahoo' }],
    domains: [
      { name: 'att.net', operator: 'yahoo' },
      { name: 'sbcglobal.net', operator: 'yahoo' },
      { name: 'bellsouth.net', operator: 'yahoo' },
      { name: 'pacbell.net', operator: 'yahoo' },
      { name: 'ameritech.net', operator: 'yahoo' },
      { name: 'swbell.net', operator: 'yahoo' },
    ],
    source: 'mxsniff (prodigy.net); https://www.att.com/support/ (AT&T Mail is powered by Yahoo)',
  },
  {
    id: 'virginmedia',
    name: 'Virgin Media (UK)',
    mx: [],
    domains: ['virginmedia.com', 'ntlworld.com', 'blueyonder.co.uk', 'virgin.net'],
    source: 'https://www.virginmedia.com/help/virgin-media-email',
  },
  {
    id: 'talktalk',
    name: 'TalkTalk (UK)',
    mx: ['talktalk.net'],
    domains: ['talktalk.net', 'tiscali.co.uk', 'lineone.net'],
    source: 'https://community.talktalk.co.uk/',
  },
  {
    id: 'proton',
    name: 'Proton Mail',
    mx: ['protonmail.ch'],
    domains: ['proton.me', 'protonmail.com', 'protonmail.ch', 'pm.me'],
    source: 'https://proton.me/support/custom-domain; mxsniff',
  },
  {
    id: 'zoho',
    name: 'Zoho Mail',
    mx: ['zoho.com', 'zoho.eu', 'zoho.in', 'zohomail.com'],
    domains: ['zoho.com', 'zohomail.com'],
    source: 'https://www.zoho.com/mail/help/adminconsole/configure-email-delivery.html; mxsniff',
  },
  {
    id: 'yandex',
    name: 'Yandex Mail',
    mx: ['yandex.ru', 'yandex.net'],
    domains: ['yandex.ru', 'yandex.com', 'ya.ru'],
    source: 'https://yandex.com/support/mail/; mxsniff',
  },
  {
    id: 'mail-ru',
    name: 'Mail.ru',
    mx: ['mail.ru'],
    domains: ['mail.ru', 'bk.ru', 'inbox.ru', 'list.ru', 'internet.ru'],
    source: 'https://postmaster.mail.ru/',
    help: { postmaster: 'https://postmaster.mail.ru/', asOf: '2025' },
  },
  {
    id: 'tencent',
    name: 'QQ Mail (Tencent)',
    mx: ['qq.com'],
    domains: ['qq.com', 'foxmail.com'],
    source: 'https://service.mail.qq.com/; KumoMTA; Sisimai',
    help: { postmaster: 'https://service.mail.qq.com/', asOf: '2025' },
  },
  {
    id: 'netease',
    name: 'NetEase (163, 126)',
    mx: ['netease.com'],
    domains: ['163.com', '126.com', 'yeah.net'],
    source: 'KumoMTA',
  },
  {
    id: 'naver',
    name: 'Naver',
    mx: ['naver.com'],
    domains: ['naver.com'],
    source: 'https://mail.naver.com/',
  },
  {
    id: 'fastmail',
    name: 'Fastmail',
    mx: ['messagingengine.com'],
    domains: ['fastmail.com', 'fastmail.fm'],
    source: 'https://www.fastmail.help/hc/en-us/articles/360060591153; mxsniff',
  },
  {
    id: 'mimecast',
    name: 'Mimecast',
    mx: ['mimecast.com', 'mimecast.co.za', 'mimecast-offshore.com'],
    domains: [],
    source: 'KumoMTA; mxsniff',
    help: {
      postmaster:
        'https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691-Policies-Mimecast-SMTP-Error-Codes',
      asOf: '2025',
    },
  },
  {
    id: 'proofpoint',
    name: 'Proofpoint',
    mx: ['pphosted.com', 'ppe-hosted.com'],
    domains: [],
    source: 'https://help.proofpoint.com/; mxsniff',
    help: { form: 'https://ipcheck.proofpoint.com/', asOf: '2025' },
  },
  {
    id: 'barracuda',
    name: 'Barracuda',
    mx: ['barracudanetworks.com'],
    domains: [],
    source: 'mxsniff',
    help: { form: 'https://www.barracudacentral.org/rbl/removal-request', asOf: '2025' },
  },
  {
    id: 'symantec',
    name: 'Symantec Email Security (MessageLabs)',
    mx: ['messagelabs.com', 'inboundmx.com'],
    domains: [],
    source: 'mxsniff',
  },
  {
    id: 'forcepoint',
    name: 'Forcepoint',
    mx: ['mailcontrol.com'],
    domains: [],
    source: 'mxsniff',
  },
  {
    id: 'spamexperts',
    name: 'SpamExperts (N-able Mail Assure)',
    mx: ['spamexperts.com', 'spamexperts.eu', 'spamexperts.net', 'antispamcloud.com'],
    domains: [],
    source: 'mxsniff; https://documentation.n-able.com/mail-assure/',
  },
  {
    id: 'ovh',
    name: 'OVHcloud',
    mx: [
      'mail.ovh.net',
      'redirect.ovh.net',
      'mx1.ovh.net',
      'mx2.ovh.net',
      'mx3.ovh.net',
      'mx4.ovh.net',
      'mxb.ovh.net',
    ],
    domains: [],
    source: 'https://help.ovhcloud.com/csm/en-dns-servers-mx; mxsniff',
  },
  { id: 'gandi', name: 'Gandi', mx: ['mail.gandi.net'], domains: [], source: 'mxsniff' },
  {
    id: 'strato',
    name: 'STRATO',
    mx: ['rzone.de'],
    domains: [],
    source: 'https://www.strato.de/faq/ (smtpin.rzone.de)',
  },
  {
    id: 'rackspace',
    name: 'Rackspace Email',
    mx: ['emailsrvr.com'],
    domains: [],
    source:
      'https://docs.rackspace.com/docs/set-up-dns-records-for-cloud-office-email-and-skype-for-business; mxsniff',
  },
  {
    id: 'godaddy',
    name: 'GoDaddy',
    mx: [
      'smtp.secureserver.net',
      'mailstore1.secureserver.net',
      'europe.secureserver.net',
      'asia.secureserver.net',
    ],
    domains: [],
    source: 'https://www.godaddy.com/help/add-my-mx-records-3594; mxsniff; Sisimai',
  },
  {
    id: 'namecheap',
    name: 'Namecheap Private Email',
    mx: ['privateemail.com'],
    domains: [],
    source: 'mxsniff',
  },
  { id: 'dreamhost', name: 'DreamHost', mx: ['mail.dreamhost.com'], domains: [], source: 'mxsniff' },
  { id: 'migadu', name: 'Migadu', mx: ['migadu.com'], domains: [], source: 'mxsniff' },
  {
    id: 'cloudflare',
    name: 'Cloudflare Email Routing',
    mx: ['mx.cloudflare.net'],
    domains: [],
    source: 'https://developers.cloudflare.com/email-routing/',
    help: { postmaster: 'https://developers.cloudflare.com/email-routing/postmaster/', asOf: '2025' },
  },
  {
    id: 'amazon-ses',
    name: 'Amazon SES (receiving)',
    mx: [
      'inbound-smtp.us-east-1.amazonaws.com',
      'inbound-smtp.us-east-2.amazonaws.com',
      'inbound-smtp.us-west-2.amazonaws.com',
      'inbound-smtp.ca-central-1.amazonaws.com',
      'inbound-smtp.eu-central-1.amazonaws.com',
      'inbound-smtp.eu-west-1.amazonaws.com',
      'inbound-smtp.eu-west-2.amazonaws.com',
      'inbound-smtp.ap-northeast-1.amazonaws.com',
      'inbound-smtp.ap-southeast-1.amazonaws.com',
      'inbound-smtp.ap-southeast-2.amazonaws.com',
    ],
    domains: [],
    source: 'https://docs.aws.amazon.com/ses/latest/dg/receiving-email-mx-record.html; mxsniff',
  },
  { id: 'mailgun', name: 'Mailgun', mx: ['mailgun.org'], domains: [], source: 'mxsniff' },
  { id: 'kpn', name: 'KPN', mx: ['kpnmail.nl'], domains: [], source: 'KumoMTA' },
];
