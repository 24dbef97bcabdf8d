import type { FactTable } from '../bulk.js';

/** Dictionaries of mail logs. */
export const MAIL_TEXTS = ['message', 'address', 'mail_host', 'mail_ip', 'mail_name', 'reply'] as const;
export type MailText = (typeof MAIL_TEXTS)[number];

/**
 * What a line of a mail log tells. The numbers stand in the case: they may be added to, never changed.
 *
 * Source: Exim specification, chapter "Log files"; Postfix smtpd(8), cleanup(8), qmgr(8), smtp(8), bounce(8),
 *         postsuper(1), postscreen(8).
 */
export const MailKind = {
  /** Exim `<=`; Postfix cleanup's `message-id=` with what smtpd or pickup said before. */
  arrival: 1,
  /** One recipient of an arrival: Exim's `for …` (log_selector +received_recipients). */
  arrivalFor: 2,
  /** Delivered: Exim `=>`; Postfix `status=sent`. */
  delivered: 3,
  /** Exim `->`: a further recipient of the same delivery. */
  deliveredAlso: 4,
  /** Exim `>>`: cutthrough; the arrival follows. */
  cutthrough: 5,
  /** Exim `*>`: delivery suppressed by -N. */
  suppressed: 6,
  /** Exim `**`; Postfix `status=bounced` and `expired`. */
  failed: 7,
  /** Exim `==`; Postfix `status=deferred`. */
  deferred: 8,
  /** Exim `Completed`; Postfix qmgr's `removed`. */
  completed: 9,
  /** Exim `Frozen`, `frozen by`; Postfix hold. */
  frozen: 10,
  unfrozen: 11,
  /** A host could not be used and others may follow: Exim's lines with no flag and an `H=`; Postfix `connect to`. */
  hostError: 12,
  /** Exim `no immediate delivery: …`, `retry time not reached …` of a whole message, `Spool file is locked`. */
  waiting: 13,
  queueRunStart: 14,
  queueRunEnd: 15,
  /** A message or command of a client was refused: Exim `rejected …`, `F=<…> temporarily rejected`; Postfix NOQUEUE. */
  rejected: 16,
  /** The daemon started; its version is in `name`. */
  daemonStart: 17,
  /** Removed, cancelled or given up by hand: `removed by root`, `cancelled by`, postsuper's `removed`. */
  removed: 18,
  /** A client's connection and what became of it. */
  connection: 19,
  tlsError: 20,
  /** Postfix qmgr: into the active queue, with sender, size and number of recipients. */
  active: 21,
  /** A bounce or delay warning was made: `related` is its own id. */
  notification: 22,
  /** Another line of the mail program, understood and of no account here. */
  other: 23,
  /** Exim `<>`/`retry timeout exceeded` markers and the like that belong to a message and change nothing. */
  remark: 24,
  /** Something in the program or its configuration is wrong: panics, `warning:`, `fatal:`. */
  warning: 25,
} as const;
export type MailKind = (typeof MailKind)[keyof typeof MailKind];

/** Bits of `flags`. */
export const MailFlag = {
  /** TCP Fast Open was used (Exim `TFO`), and data went with the SYN (`TFO*`). */
  fastOpen: 1,
  fastOpenData: 2,
  /** CHUNKING (Exim `K`), pipelining (`L`), PRDR, DSN asked, 8BITMIME, SMTPUTF8. */
  chunking: 4,
  pipelining: 8,
  prdr: 16,
  /** The peer's certificate was verified (`CV=yes`, Postfix `Verified`/`Trusted`), by DANE. */
  verified: 32,
  dane: 64,
  /** The session was encrypted. */
  tls: 128,
  /** The delivery used a connection that was open already (Exim `*` behind the address, Postfix `conn_use`). */
  reused: 256,
  /** The recipient is an error or bounce (`<= <>`). */
  nullSender: 512,
  /** The line was cut or a value in it could not be read; what could be is there. */
  partly: 1024,
} as const;

/**
 * One row an event of a mail log; a line that names several recipients gives several.
 *
 * Units:  `logged_at` is UTC where the line has a zone (then `zone_min` is set), else the log's own wall time with
 *         `zone_min` -32768. Durations are milliseconds, -1 for not logged. Sizes are bytes, -1 likewise.
 */
export const MAIL_FACTS: FactTable = {
  name: 'mail_facts',
  columns: [
    { name: 'line', type: 'UINTEGER', about: 'from 1' },
    { name: 'logged_at', type: 'TIMESTAMP' },
    { name: 'zone_min', type: 'SMALLINT', about: 'minutes east of UTC; -32768: not logged' },
    { name: 'kind', type: 'UTINYINT', about: 'MailKind' },
    { name: 'flags', type: 'USMALLINT', about: 'bits of MailFlag' },
    { name: 'pid', type: 'INTEGER', about: '-1: not logged' },
    { name: 'message_id', type: 'INTEGER', text: 'message', about: 'the queue id' },
    { name: 'related_id', type: 'INTEGER', text: 'message', about: 'the message that this is about: R=' },
    { name: 'address_id', type: 'INTEGER', text: 'address', about: 'recipient; of an arrival, the sender' },
    { name: 'original_id', type: 'INTEGER', text: 'address', about: 'recipient before aliases; orig_to=' },
    { name: 'host_id', type: 'INTEGER', text: 'mail_host', about: 'the other side, by name' },
    { name: 'ip_id', type: 'INTEGER', text: 'mail_ip', about: 'the other side, by address' },
    { name: 'port', type: 'INTEGER', about: 'the other side’s; -1: not logged' },
    { name: 'local_ip_id', type: 'INTEGER', text: 'mail_ip', about: 'this side’s' },
    { name: 'local_port', type: 'INTEGER' },
    { name: 'router_id', type: 'INTEGER', text: 'mail_name', about: 'Exim router' },
    { name: 'transport_id', type: 'INTEGER', text: 'mail_name', about: 'Exim transport; Postfix program' },
    { name: 'protocol_id', type: 'INTEGER', text: 'mail_name', about: 'P=, proto=' },
    { name: 'tls_id', type: 'INTEGER', text: 'mail_name', about: 'protocol and cipher' },
    { name: 'dsn_id', type: 'INTEGER', text: 'mail_name', about: 'enhanced status code, 4.7.1' },
    { name: 'header_id', type: 'INTEGER', text: 'reply', about: 'Message-ID of an arrival' },
    { name: 'reply_id', type: 'INTEGER', text: 'reply', about: 'what was said, or why' },
    { name: 'errno', type: 'INTEGER', about: 'Exim’s defer (N); 0: none' },
    { name: 'code', type: 'SMALLINT', about: 'SMTP reply code in the reply; 0: none' },
    { name: 'bytes', type: 'INTEGER', about: 'size of the message; bytes written at a timeout' },
    { name: 'recipients', type: 'INTEGER', about: 'number of recipients, where logged' },
    { name: 'queue_ms', type: 'INTEGER', about: 'QT=, delay=' },
    { name: 'delivery_ms', type: 'INTEGER', about: 'DT=' },
    { name: 'receive_ms', type: 'INTEGER', about: 'RT=' },
    { name: 'before_ms', type: 'INTEGER', about: 'Postfix delays=a' },
    { name: 'active_ms', type: 'INTEGER', about: 'b' },
    { name: 'connect_ms', type: 'INTEGER', about: 'c' },
    { name: 'transmit_ms', type: 'INTEGER', about: 'd' },
  ],
};
