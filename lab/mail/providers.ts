/**
 * Who receives mail in the lab: providers whose MX hosts are named, and speak, like real ones. Addresses are private.
 */

export interface MxHost {
  name: string;
  addresses: readonly string[];
  /** The MX preference. */
  preference: number;
}

export interface Provider {
  domains: readonly string[];
  hosts: readonly MxHost[];
  /** What its certificate is made out to. */
  certificate: string;
  /** Behind `220 `. */
  banner: string;
  /** EHLO keywords besides STARTTLS. */
  features: readonly string[];
  /** The reply to a message that is taken; `id` is unlike any other. */
  taken(id: string, messageId: string): string;
}

const POSTFIX = [
  'PIPELINING',
  'SIZE 52428800',
  'ETRN',
  'ENHANCEDSTATUSCODES',
  '8BITMIME',
  'DSN',
  'SMTPUTF8',
  'CHUNKING',
];

export const PROVIDERS = {
  google: {
    domains: ['gmail.com', 'googlemail.com'],
    hosts: [
      { name: 'gmail-smtp-in.l.google.com', addresses: ['10.80.10.26', 'fd80:10::1a'], preference: 5 },
      { name: 'alt1.gmail-smtp-in.l.google.com', addresses: ['10.80.11.27', 'fd80:11::1b'], preference: 10 },
    ],
    certificate: 'mx.google.com',
    banner: 'mx.google.com ESMTP 5b1f17b1804b1-3fa1ac7be5csi1841235e9.211 - gsmtp',
    features: [
      'SIZE 157286400',
      '8BITMIME',
      'ENHANCEDSTATUSCODES',
      'PIPELINING',
      'CHUNKING',
      'SMTPUTF8',
    ] as const,
    taken: (id) => `250 2.0.0 OK  ${Math.floor(Date.now() / 1000)} ${id}si${id.slice(0, 7)}.42 - gsmtp`,
  },
  yahoo: {
    domains: ['yahoo.com', 'yahoo.co.uk', 'aol.com'],
    hosts: [
      { name: 'mx-eu.mail.am0.yahoodns.net', addresses: ['10.80.20.83', '10.80.20.85'], preference: 1 },
    ],
    certificate: '*.am0.yahoodns.net',
    banner: 'mtaproxy501.free.mail.ir2.yahoo.com ESMTP ready',
    features: ['PIPELINING', 'SIZE 41943040', '8BITMIME'],
    taken: () => '250 ok dirdel',
  },
  microsoft: {
    domains: ['hotmail.com', 'hotmail.co.uk', 'outlook.com'],
    hosts: [
      {
        name: 'outlook-com.olc.protection.outlook.com',
        addresses: ['10.80.40.33', 'fd80:40::21'],
        preference: 2,
      },
    ],
    certificate: 'mail.protection.outlook.com',
    banner: 'DB5EUR01FT048.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready',
    features: [
      'SIZE 49283072',
      'PIPELINING',
      'DSN',
      'ENHANCEDSTATUSCODES',
      '8BITMIME',
      'BINARYMIME',
      'CHUNKING',
      'SMTPUTF8',
    ],
    taken: (id, messageId) =>
      `250 2.6.0 <${messageId}> [InternalId=${Number.parseInt(id.slice(0, 10), 16)}, Hostname=LO2P265MB0001.GBRP265.PROD.OUTLOOK.COM] 9122 bytes in 0.113, 78.404 KB/sec Queued mail for delivery -> 250 2.1.5`,
  },
  bt: {
    domains: ['btinternet.com', 'btopenworld.com'],
    hosts: [{ name: 'mx.bt.lon5.cpcloud.co.uk', addresses: ['10.80.30.70', '10.80.30.71'], preference: 10 }],
    certificate: '*.bt.lon5.cpcloud.co.uk',
    banner: 'sa-prd-rgin-013.btmx-prd.synchronoss.net ESMTP server ready',
    features: ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'ENHANCEDSTATUSCODES'],
    taken: (id) => `250 2.0.0 <${id.toUpperCase()}> Mail accepted`,
  },
  school: {
    domains: ['example-school.org.uk'],
    hosts: [{ name: 'mail.example-school.org.uk', addresses: ['10.80.50.5', 'fd80:50::5'], preference: 10 }],
    certificate: 'mail.example-school.org.uk',
    banner: 'mail.example-school.org.uk ESMTP Postfix',
    features: POSTFIX,
    taken: (id) => `250 2.0.0 Ok: queued as ${id.slice(0, 10).toUpperCase()}`,
  },
  firm: {
    domains: ['example-firm.co.uk'],
    hosts: [{ name: 'mx.example-firm.co.uk', addresses: ['10.80.60.9'], preference: 10 }],
    certificate: 'mx.example-firm.co.uk',
    banner: 'mx.example-firm.co.uk ESMTP Exim 4.94.2 ready',
    features: ['SIZE 52428800', '8BITMIME', 'PIPELINING', 'CHUNKING'],
    taken: (id) => `250 OK id=1${id.slice(0, 5)}-${id.slice(5, 11)}-${id.slice(11, 13)}`,
  },
} satisfies Record<string, Provider>;

export type ProviderName = keyof typeof PROVIDERS;
export const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];

/** The provider that a recipient or a domain belongs to; null for local ones. */
export function providerOf(recipient: string): ProviderName | null {
  const domain = recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase();
  return (
    PROVIDER_NAMES.find((name) => (PROVIDERS[name].domains as readonly string[]).includes(domain)) ?? null
  );
}
