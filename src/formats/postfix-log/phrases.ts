import { MailKind } from '../mail-log/columns.js';

/** How the rest of a line is read, once its first words are known. */
export const Reads = {
  /** The whole text is kept. */
  text: 1,
  /** So it is, and the other side is named in it: `host mx1.example.com[192.0.2.1] said: …`. */
  peer: 2,
  /** The first words are kept, the other side is behind them. */
  client: 3,
  /** `lost connection after DATA (123 bytes) from …`. */
  broken: 4,
  /** `disconnect from … ehlo=1 mail=1 quit=1 commands=3`. */
  disconnect: 5,
  /** `CONNECT from [192.0.2.1]:4711 to [192.0.2.2]:25`. */
  screened: 6,
  /** `Trusted TLS connection established to …`. */
  tls: 7,
  /** `reject: RCPT from …: 450 4.7.1 …; from=<…> to=<…> proto=ESMTP helo=<…>`. */
  action: 8,
  /** `sender non-delivery notification: 3F2A51234`. */
  notification: 9,
  messageId: 10,
  clientOf: 11,
  pickup: 12,
  from: 13,
  delivery: 14,
  removed: 15,
  /** `daemon started -- version 3.7.11, configuration /etc/postfix`. */
  version: 16,
  /** `warning: 3F2A51234: …`. */
  complaint: 17,
} as const;
export type Reads = (typeof Reads)[keyof typeof Reads];

interface Phrase {
  begins: string;
  /** `remark` is of a message; the same words without a message are `other`. */
  kind: MailKind;
  reads: Reads;
  verified?: true;
}

type Entry = [begins: string, kind: MailKind, reads: Reads, verified?: true];

const K = MailKind;
const R = Reads;

/**
 * First words of what Postfix writes, behind the queue id where there is one. Of several that fit, the first counts.
 * Source: the msg_info(), msg_warn() and log_adhoc() calls of the named files of Postfix 2.11 to 3.12.
 */
const FROM: Record<string, Entry[]> = {
  'global/log_adhoc.c': [['to=', K.delivered, R.delivery]],
  'cleanup/cleanup_message.c': [
    ['message-id=', K.arrival, R.messageId],
    ['resent-message-id=', K.remark, R.messageId],
    ['warning: ', K.remark, R.action],
    ['prepend: ', K.remark, R.action],
    ['replace: ', K.remark, R.action],
    ['strip: ', K.remark, R.action],
    ['pass: ', K.remark, R.action],
    ['ignore: ', K.remark, R.action],
  ],
  'smtpd/smtpd.c': [
    ['client=', K.connection, R.clientOf],
    ['connect from ', K.connection, R.client],
    ['disconnect from ', K.connection, R.disconnect],
    ['lost connection after ', K.connection, R.broken],
    ['timeout after ', K.connection, R.broken],
    ['too many errors after ', K.connection, R.broken],
    ['hangup after ', K.connection, R.broken],
    ['improper command pipelining after ', K.remark, R.peer],
    ['abort: TLS from ', K.tlsError, R.peer],
    ['replacing command ', K.remark, R.peer],
    ['discarding EHLO keywords: ', K.remark, R.text],
  ],
  'smtpd/smtpd_check.c': [
    ['reject: ', K.rejected, R.action],
    ['reject_warning: ', K.remark, R.action],
    ['hold: ', K.frozen, R.action],
    ['discard: ', K.removed, R.action],
    ['warn: ', K.remark, R.action],
    ['info: ', K.remark, R.action],
    ['filter: ', K.remark, R.action],
    ['redirect: ', K.remark, R.action],
    ['bcc: ', K.remark, R.action],
    ['delay: ', K.remark, R.action],
    ['hangup: ', K.rejected, R.action],
  ],
  'smtpd/smtpd_proxy.c': [
    ['proxy-reject: ', K.rejected, R.action],
    ['proxy-accept: ', K.remark, R.action],
  ],
  'cleanup/cleanup_milter.c': [
    ['milter-reject: ', K.rejected, R.action],
    ['milter-hold: ', K.frozen, R.action],
    ['milter-discard: ', K.removed, R.action],
    ['milter-header-', K.remark, R.text],
    ['ignoring redundant or conflicting milter reply', K.remark, R.text],
  ],
  'pickup/pickup.c': [
    ['uid=', K.connection, R.pickup],
    ['sender=', K.connection, R.pickup],
  ],
  'qmgr/qmgr_active.c': [
    ['from=<', K.active, R.from],
    ['removed', K.completed, R.removed],
    ['skipped, still being delivered', K.waiting, R.text],
    ['enabling VERP for sender', K.remark, R.text],
    ['allowing on-demand session caching', K.remark, R.text],
    ['disallowing on-demand session caching', K.remark, R.text],
  ],
  'bounce/bounce_notify_service.c': [
    ['sender non-delivery notification: ', K.notification, R.notification],
    ['postmaster non-delivery notification: ', K.notification, R.notification],
    ['sender delay notification: ', K.notification, R.notification],
    ['postmaster delay notification: ', K.notification, R.notification],
    ['sender delivery status notification: ', K.notification, R.notification],
    ['not sending trace/success notification', K.remark, R.text],
    ['no trace file -- not sending', K.remark, R.text],
  ],
  'smtp/smtp_proto.c': [
    ['host ', K.hostError, R.peer],
    ['TLS is required', K.tlsError, R.peer],
    ['Cannot start TLS', K.tlsError, R.peer],
    ['Server certificate not ', K.tlsError, R.peer],
    ['enabling PIX workarounds: ', K.remark, R.peer],
    ['breaking line > ', K.remark, R.text],
    ['Host offered STARTTLS: ', K.remark, R.peer],
    ['Sender requested REQUIRETLS', K.remark, R.text],
    ['replacing server reply ', K.remark, R.text],
  ],
  'smtp/smtp_connect.c': [['connect to ', K.hostError, R.peer]],
  'smtp/smtp_trouble.c': [
    ['lost connection with ', K.hostError, R.peer],
    ['conversation with ', K.hostError, R.peer],
    ['local data error while talking to ', K.hostError, R.peer],
  ],
  'smtp/smtp_sasl_glue.c': [
    ['SASL authentication failed', K.hostError, R.peer],
    ['SASL [CACHED] authentication failed', K.hostError, R.text],
  ],
  'tls/tls_misc.c': [
    ['Anonymous TLS connection ', K.connection, R.tls],
    ['Untrusted TLS connection ', K.connection, R.tls],
    ['Trusted TLS connection ', K.connection, R.tls, true],
    ['Verified TLS connection ', K.connection, R.tls, true],
  ],
  'tls/tls_client.c': [
    ['SSL_connect error to ', K.tlsError, R.peer],
    ['setting up TLS connection to ', K.remark, R.peer],
    ['initializing the ', K.other, R.text],
  ],
  'tls/tls_server.c': [
    ['SSL_accept error from ', K.tlsError, R.peer],
    ['setting up TLS connection from ', K.remark, R.peer],
  ],
  'tls/tls_verify.c': [
    ['certificate verification failed for ', K.tlsError, R.peer],
    ['server certificate verification failed for ', K.tlsError, R.peer],
    ['client certificate verification failed for ', K.tlsError, R.peer],
    ['certificate peer name verification failed for ', K.tlsError, R.peer],
  ],
  'postsuper/postsuper.c': [
    ['placed on hold', K.frozen, R.text],
    ['released from hold', K.unfrozen, R.text],
    ['requeued', K.remark, R.text],
    ['expired', K.remark, R.text],
    ['Requeued: ', K.other, R.text],
    ['Deleted: ', K.other, R.text],
    ['Placed on hold: ', K.other, R.text],
    ['Released from hold: ', K.other, R.text],
    ['Force-expired: ', K.other, R.text],
    ['Renamed to match inode number: ', K.other, R.text],
  ],
  'postscreen/*.c': [
    ['CONNECT from ', K.connection, R.screened],
    ['DISCONNECT ', K.connection, R.client],
    ['PASS NEW ', K.connection, R.client],
    ['PASS OLD ', K.connection, R.client],
    ['PREGREET ', K.connection, R.client],
    ['DNSBL rank ', K.connection, R.client],
    ['HANGUP after ', K.connection, R.client],
    ['WHITELISTED ', K.connection, R.client],
    ['ALLOWLISTED ', K.connection, R.client],
    ['BLACKLISTED ', K.connection, R.client],
    ['DENYLISTED ', K.connection, R.client],
    ['WHITELIST VETO ', K.connection, R.client],
    ['ALLOWLIST VETO ', K.connection, R.client],
    ['COMMAND TIME LIMIT from ', K.connection, R.client],
    ['COMMAND LENGTH LIMIT from ', K.connection, R.client],
    ['COMMAND COUNT LIMIT from ', K.connection, R.client],
    ['COMMAND PIPELINING from ', K.connection, R.client],
    ['NON-SMTP COMMAND from ', K.connection, R.client],
    ['BARE NEWLINE from ', K.connection, R.client],
    ['DATA without valid RCPT from ', K.connection, R.client],
    ['BDAT without valid RCPT from ', K.connection, R.client],
    ['entering STRESS mode', K.other, R.text],
    ['leaving STRESS mode', K.other, R.text],
  ],
  'dnsblog/dnsblog.c': [['addr ', K.other, R.text]],
  'global/dict_cache.c': [['cache ', K.other, R.text]],
  'anvil/anvil.c, scache/scache.c': [['statistics: ', K.other, R.text]],
  'master/*.c': [
    ['daemon started -- version ', K.daemonStart, R.version],
    ['reload -- version ', K.other, R.text],
    ['terminating on signal ', K.other, R.text],
    ['master exit time has arrived', K.other, R.text],
  ],
  'conf/postfix-script': [
    ['starting the Postfix mail system', K.other, R.text],
    ['stopping the Postfix mail system', K.other, R.text],
    ['refreshing the Postfix mail system', K.other, R.text],
    ['aborting the Postfix mail system', K.other, R.text],
    ['the Postfix mail system is ', K.other, R.text],
    ['waiting for the Postfix mail system to ', K.other, R.text],
    ['Postfix is ', K.other, R.text],
    ['See http', K.other, R.text],
    ['To disable backwards compatibility', K.other, R.text],
  ],
  'util/dict.c': [
    ['table ', K.other, R.text],
    ['using backwards-compatible default setting', K.other, R.text],
  ],
};

/** Of a line without a queue id, before all others. Source: util/msg_output.c, severities. */
const COMPLAINTS: Entry[] = [
  ['warning: ', K.warning, R.complaint],
  ['error: ', K.warning, R.complaint],
  ['fatal: ', K.warning, R.complaint],
  ['panic: ', K.warning, R.complaint],
];

interface BytesPhrase extends Phrase {
  bytes: Uint8Array;
  /** The first words without `from`, `for` or `after` and the space at their end. */
  kept: number;
}

function table(entries: Entry[]): (BytesPhrase[] | undefined)[] {
  const byFirst: (BytesPhrase[] | undefined)[] = new Array(256);
  for (const [begins, kind, reads, verified] of entries) {
    const bytes = Buffer.from(begins);
    const kept = begins.replace(/( (from|for|after|rank))? $/, '').length;
    const phrase = { begins, kind, reads, bytes, kept, ...(verified ? { verified } : {}) };
    byFirst[bytes[0]!] = [...(byFirst[bytes[0]!] ?? []), phrase];
  }
  return byFirst;
}

const ofMessage = table(Object.values(FROM).flat());
const ofProgram = table([...COMPLAINTS, ...Object.values(FROM).flat()]);

/** The phrase that the bytes of [start, end) begin with. */
export function phraseAt(
  b: Uint8Array,
  start: number,
  end: number,
  hasMessage: boolean,
): BytesPhrase | undefined {
  const bucket = (hasMessage ? ofMessage : ofProgram)[b[start]!];
  if (bucket === undefined) return undefined;
  for (let i = 0; i < bucket.length; i++) {
    const phrase = bucket[i]!;
    const { bytes } = phrase;
    const { length } = bytes;
    if (start + length > end) continue;
    let k = 1;
    while (k < length && b[start + k] === bytes[k]) k++;
    if (k === length) return phrase;
  }
  return undefined;
}
