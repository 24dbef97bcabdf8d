/**
 * The number in `defer (-44)`: below zero Exim's own, above zero the system's errno (here Linux's).
 *
 * Exim 4.94 put a new error at -51 and moved the numbers of retrying from there on by one, so -52 to -54 mean
 * different things before and after (`before494` is the earlier meaning). All of them are waits on our own side, and
 * the text of the line says which; a number never decides against the text.
 *
 * Source: Exim src/macros.h (ERRNO_*), src/log.c (exim_errstrings), at 13835a3c1; macros.h of 4.8x and 4.9x for the
 *         earlier numbers; Linux include/uapi/asm-generic/errno.h.
 */
export interface EximError {
  name: string;
  means: string;
  /** In which phase of a delivery it happens. */
  phase: 'routing' | 'connect' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'local' | 'unknown';
  before494?: { name: string; means: string; phase: 'routing' | 'local' };
}

export const EXIM_ERRORS: Record<number, EximError> = {
  [-1]: { name: 'UNKNOWNERROR', means: 'an error without a number', phase: 'unknown' },
  [-2]: { name: 'USERSLASH', means: 'a slash in a user name', phase: 'local' },
  [-3]: { name: 'EXISTRACE', means: 'a file appeared while it was being made', phase: 'local' },
  [-4]: { name: 'NOTREGULAR', means: 'the mailbox is not a regular file', phase: 'local' },
  [-5]: { name: 'NOTDIRECTORY', means: 'the mailbox directory is not a directory', phase: 'local' },
  [-6]: { name: 'BADUGID', means: 'wrong owner of the mailbox', phase: 'local' },
  [-7]: { name: 'BADMODE', means: 'wrong mode of the mailbox', phase: 'local' },
  [-8]: { name: 'INODECHANGED', means: 'the mailbox was replaced while it was opened', phase: 'local' },
  [-9]: { name: 'LOCKFAILED', means: 'the mailbox could not be locked', phase: 'local' },
  [-10]: { name: 'BADADDRESS2', means: 'an address that a redirect made is malformed', phase: 'routing' },
  [-11]: { name: 'FORBIDPIPE', means: 'a pipe is forbidden here', phase: 'routing' },
  [-12]: { name: 'FORBIDFILE', means: 'a file is forbidden here', phase: 'routing' },
  [-13]: { name: 'FORBIDREPLY', means: 'an automatic reply is forbidden here', phase: 'routing' },
  [-14]: { name: 'MISSINGPIPE', means: 'no transport for pipes is set', phase: 'routing' },
  [-15]: { name: 'MISSINGFILE', means: 'no transport for files is set', phase: 'routing' },
  [-16]: { name: 'MISSINGREPLY', means: 'no transport for replies is set', phase: 'routing' },
  [-17]: { name: 'BADREDIRECT', means: 'a redirect is malformed', phase: 'routing' },
  [-18]: { name: 'SMTPCLOSED', means: 'the remote host closed the connection', phase: 'unknown' },
  [-19]: {
    name: 'SMTPFORMAT',
    means: 'the remote host answered something that is no SMTP',
    phase: 'unknown',
  },
  [-20]: { name: 'SPOOLFORMAT', means: 'a spool file is damaged', phase: 'local' },
  [-21]: { name: 'NOTABSOLUTE', means: 'a path is not absolute', phase: 'local' },
  [-22]: { name: 'EXIMQUOTA', means: 'the mailbox is over the quota that Exim imposes', phase: 'local' },
  [-23]: { name: 'HELD', means: 'the message is held', phase: 'local' },
  [-24]: { name: 'FILTER_FAIL', means: 'a transport filter failed', phase: 'body' },
  [-25]: { name: 'CHHEADER_FAIL', means: 'headers could not be added or removed', phase: 'body' },
  [-26]: { name: 'WRITEINCOMPLETE', means: 'the message could not be written out whole', phase: 'body' },
  [-27]: { name: 'EXPANDFAIL', means: 'a setting could not be expanded', phase: 'local' },
  [-28]: { name: 'GIDFAIL', means: 'no group to deliver as', phase: 'local' },
  [-29]: { name: 'UIDFAIL', means: 'no user to deliver as', phase: 'local' },
  [-30]: { name: 'BADTRANSPORT', means: 'the transport does not exist', phase: 'routing' },
  [-31]: { name: 'MBXLENGTH', means: 'an MBX mailbox has the wrong length', phase: 'local' },
  [-32]: { name: 'UNKNOWNHOST', means: 'the host has no address', phase: 'routing' },
  [-33]: { name: 'FORMATUNKNOWN', means: 'the format of the mailbox is not known', phase: 'local' },
  [-34]: { name: 'BADCREATE', means: 'a mailbox outside the home directory', phase: 'local' },
  [-35]: { name: 'LISTDEFER', means: 'a list could not be looked up now', phase: 'routing' },
  [-36]: { name: 'DNSDEFER', means: 'DNS gave no answer now', phase: 'routing' },
  [-37]: { name: 'TLSFAILURE', means: 'TLS could not be started', phase: 'tls' },
  [-38]: { name: 'TLSREQUIRED', means: 'TLS is required and was not had', phase: 'tls' },
  [-39]: { name: 'CHOWNFAIL', means: 'a file could not be given to its owner', phase: 'local' },
  [-40]: { name: 'PIPEFAIL', means: 'a pipe could not be made', phase: 'local' },
  [-41]: { name: 'CALLOUTDEFER', means: 'a callout got no decision', phase: 'routing' },
  [-42]: { name: 'AUTHFAIL', means: 'authentication is required and failed', phase: 'auth' },
  [-43]: { name: 'CONNECTTIMEOUT', means: 'the connection attempt timed out', phase: 'connect' },
  [-44]: { name: 'RCPT4XX', means: 'the remote host put off the recipient (4xx to RCPT)', phase: 'rcpt' },
  [-45]: { name: 'MAIL4XX', means: 'the remote host put off the sender (4xx to MAIL)', phase: 'mail' },
  [-46]: {
    name: 'DATA4XX',
    means: 'the remote host put off the message (4xx to DATA or after it)',
    phase: 'data',
  },
  [-47]: { name: 'PROXYFAIL', means: 'the proxy did not connect', phase: 'connect' },
  [-48]: { name: 'AUTHPROB', means: 'an authenticator failed', phase: 'auth' },
  [-49]: { name: 'UTF8_FWD', means: 'the remote host does not take addresses in UTF-8', phase: 'mail' },
  [-50]: { name: 'HOST_IS_LOCAL', means: 'the remote host is this host', phase: 'routing' },
  [-51]: {
    name: 'TAINT',
    means: 'a file name came from outside and was not used',
    phase: 'local',
    before494: { name: 'RRETRY', means: 'not yet time to try routing again', phase: 'local' },
  },
  [-52]: {
    name: 'RRETRY',
    means: 'not yet time to try this address or domain again',
    phase: 'local',
    before494: { name: 'LRETRY', means: 'not yet time to try local delivery again', phase: 'local' },
  },
  [-53]: {
    name: 'LRETRY',
    means: 'not yet time to try local delivery again',
    phase: 'local',
    before494: { name: 'HRETRY', means: 'not yet time to try any host again', phase: 'local' },
  },
  [-54]: {
    name: 'HRETRY',
    means: 'not yet time to try any host again',
    phase: 'local',
    before494: { name: 'LOCAL_ONLY', means: 'only local deliveries are made in this run', phase: 'local' },
  },
  [-55]: {
    name: 'LOCAL_ONLY',
    means: 'only local deliveries are made in this run',
    phase: 'local',
    before494: { name: 'QUEUE_DOMAIN', means: 'the domain is set to be queued', phase: 'local' },
  },
  [-56]: {
    name: 'QUEUE_DOMAIN',
    means: 'the domain is set to be queued',
    phase: 'local',
    before494: { name: 'TRETRY', means: 'the transport runs as often as it may', phase: 'local' },
  },
  [-57]: { name: 'TRETRY', means: 'the transport runs as often as it may', phase: 'local' },
  [-58]: { name: 'EVENT', means: 'an event action asked for another reply', phase: 'local' },
  0: {
    name: 'none',
    means: 'no number: the text tells (often a 4xx at connect or to EHLO)',
    phase: 'unknown',
  },
  12: { name: 'ENOMEM', means: 'out of memory on this host', phase: 'local' },
  13: { name: 'EACCES', means: 'permission denied on this host', phase: 'local' },
  22: { name: 'EINVAL', means: 'invalid argument', phase: 'unknown' },
  24: { name: 'EMFILE', means: 'too many open files on this host', phase: 'local' },
  28: { name: 'ENOSPC', means: 'no space left on a disk of this host', phase: 'local' },
  32: { name: 'EPIPE', means: 'the remote host had closed the connection', phase: 'unknown' },
  97: { name: 'EAFNOSUPPORT', means: 'this host does not speak that address family', phase: 'connect' },
  99: { name: 'EADDRNOTAVAIL', means: 'this host does not have the address to send from', phase: 'connect' },
  101: { name: 'ENETUNREACH', means: 'no route to the network', phase: 'connect' },
  104: { name: 'ECONNRESET', means: 'the connection was reset', phase: 'unknown' },
  110: { name: 'ETIMEDOUT', means: 'timed out', phase: 'unknown' },
  111: { name: 'ECONNREFUSED', means: 'the connection was refused', phase: 'connect' },
  112: { name: 'EHOSTDOWN', means: 'the host is down', phase: 'connect' },
  113: { name: 'EHOSTUNREACH', means: 'no route to the host', phase: 'connect' },
  122: { name: 'EDQUOT', means: 'over the disk quota on this host', phase: 'local' },
};
