/**
 * Operators whose servers have names under several domains. Every other host belongs to the operator of its
 * registrable domain. `keepsTime`: a fleet whose clocks are known to be kept to well under a second, so that its stamps
 * count as more than one witness.
 */
export interface ReceivedOperator {
  name: string;
  /** Ends of host names, lower case. */
  domains: string[];
  /** Beginnings of addresses that stand in place of a name. */
  addresses: string[];
  keepsTime: boolean;
  /** Where its administrators look a mail up. */
  lookup?: string;
  source: string;
}

export const RECEIVED_OPERATORS: ReceivedOperator[] = [
  {
    name: 'Microsoft',
    domains: [
      'outlook.com',
      'office365.com',
      'hotmail.com',
      'exchangelabs.com',
      'microsoft.com',
      'onmicrosoft.com',
    ],
    addresses: [],
    keepsTime: true,
    lookup: 'the message trace of the Exchange admin centre (Get-MessageTraceV2 -MessageId)',
    source:
      'https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges (*.protection.outlook.com); https://learn.microsoft.com/exchange/monitoring/trace-an-email-message/message-trace-modern-eac; time: https://learn.microsoft.com/azure/virtual-machines/linux/time-sync',
  },
  {
    name: 'Google',
    domains: ['google.com', 'googlemail.com', 'gmail.com'],
    addresses: ['2002:a'],
    keepsTime: true,
    lookup: 'Email Log Search of the Google Workspace admin console',
    source:
      'Gmail writes "by 2002:a05:…" (6to4 form of 10.5.…, RFC 3056) for its internal hops; https://support.google.com/a/answer/2618874 (Email Log Search); time: https://developers.google.com/time/smear',
  },
  {
    name: 'Yahoo',
    domains: ['yahoo.com', 'yahoodns.net', 'yahoo.co.jp', 'aol.com'],
    addresses: [],
    keepsTime: false,
    source: 'https://senders.yahooinc.com/',
  },
  {
    name: 'Apple',
    domains: ['icloud.com', 'apple.com', 'me.com', 'mac.com'],
    addresses: [],
    keepsTime: false,
    source: 'https://support.apple.com/102322',
  },
  {
    name: 'Amazon SES',
    domains: ['amazonses.com', 'amazonaws.com'],
    addresses: [],
    keepsTime: true,
    source:
      'https://docs.aws.amazon.com/ses/latest/dg/eb-authentication.html; time: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html',
  },
  {
    name: 'Fastmail',
    domains: ['messagingengine.com', 'fastmail.com'],
    addresses: [],
    keepsTime: false,
    source: 'https://www.fastmail.help/hc/en-us/articles/1500000278342',
  },
  {
    name: 'Proofpoint',
    domains: ['pphosted.com', 'ppe-hosted.com', 'proofpoint.com'],
    addresses: [],
    keepsTime: false,
    source: 'https://help.proofpoint.com/ (hosts of the hosted service: *.pphosted.com, *.ppe-hosted.com)',
  },
  {
    name: 'Twilio SendGrid',
    domains: ['sendgrid.net', 'sendgrid.com'],
    addresses: [],
    keepsTime: false,
    source:
      'https://www.twilio.com/docs/sendgrid/ui/account-and-settings/how-to-set-up-domain-authentication',
  },
];
