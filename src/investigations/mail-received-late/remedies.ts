import type { Remedy } from '../../findings/finding.js';
import type { Trace } from '../../store/received-mail.js';
import type { Host } from './hosts.js';
import { oneLine, utc, wait } from './words.js';

/** A hop as the remedies speak of it. */
export interface Held {
  host: Host;
  trace: Trace;
  /** What it is called in sentences. */
  label: string;
}

export interface Wait {
  holder: Held;
  to: Held;
  from: number;
  until: number;
  messageId: string | null;
}

// What reaches a shell line must be nothing but an id.
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** `1njbGQ-005LxL-M5`; since 4.97 `1rZ3Qq-00000001abc-2xyz`. */
const EXIM_ID = /^[A-Za-z0-9]{6}-[A-Za-z0-9]{6}(?:[A-Za-z0-9]{5})?-[A-Za-z0-9]{2}(?:[A-Za-z0-9]{2})?$/;

/** Exchange writes its own version behind ID, which tells nobody which mail it was. */
const VERSION = /^\d{1,3}(?:\.\d{1,6}){2,3}$/;
export const queueIdOf = (trace: Trace): string | null =>
  trace.id !== null && !VERSION.test(trace.id) ? trace.id : null;

/** What the operator of a host is asked, with everything he needs to look it up. */
export function askOperator(w: Wait): Remedy {
  const { holder, to } = w;
  const [id, nextId] = [queueIdOf(holder.trace), queueIdOf(to.trace)];
  return {
    title: `ask who runs ${holder.label} what its log says of these ${wait((w.until - w.from) / 1000)}`,
    change: [
      `To: ${postmaster(holder.host)}`,
      `Your host ${oneLine(holder.label)} took a mail over at ${utc(w.from)}${id ? ` with queue id ${oneLine(id)}` : ''}.`,
      `${oneLine(to.label)} got it at ${utc(w.until)}${nextId ? ` (its id ${oneLine(nextId)})` : ''}, ${wait((w.until - w.from) / 1000)} later.`,
      ...(w.messageId ? [`Message-ID: ${oneLine(w.messageId)}`] : []),
      'Please look it up in your mail log: when was each delivery tried, and what was the answer (4xx)?',
      ...(holder.host.known?.lookup ? [`Look-up: ${holder.host.known.lookup}`] : []),
    ].join('\n'),
    where: `a mail to ${postmaster(holder.host)}`,
    cost: 'a mail; logs are often kept for a few weeks only',
    undo: '',
    preferred: true,
  };
}

/** RFC 5321 4.5.1: every domain that takes mail has a postmaster. */
function postmaster(host: Host): string {
  const domain = host.known === null ? host.operator : null;
  return domain
    ? `postmaster@${oneLine(domain)}`
    : `the support of ${oneLine(host.operator ?? host.name ?? 'that host')}`;
}

/** The same for one's own server: its log tells every attempt. */
export function readOwnLog(w: Wait): Remedy | null {
  const { trace, label } = w.holder;
  const id = trace.id !== null && ID.test(trace.id) ? trace.id : null;
  if (id === null || w.holder.host.known) return null;
  const isExim = EXIM_ID.test(id);
  const isPostfix = /postfix/i.test(trace.byComment ?? '');
  const look = isExim
    ? [`culprit why message ${id}`, `exigrep ${id} /var/log/exim4/mainlog*`]
    : isPostfix
      ? [`zgrep -h ${id} /var/log/mail.log*`]
      : [`zgrep -h -e ${id} /var/log/mail.log* /var/log/maillog*`];
  return {
    title: `if ${label} is yours, read what its log says of ${id}`,
    change: look.join('\n'),
    where: `a shell on ${label}`,
    cost: 'none',
    undo: '',
    preferred: false,
  };
}

export function passGreylist(w: Wait, program: string): Remedy[] {
  const name = oneLine(w.holder.label);
  const receiver = oneLine(w.to.label);
  const postgrey = program === 'postgrey';
  return [
    {
      title: `on ${w.to.label}: let ${w.holder.label} pass greylisting`,
      change: postgrey
        ? name
        : `milter-greylist, greylist.conf:          racl whitelist domain ${name}\nSQLgrey, clients_fqdn_whitelist.local:   ${name}`,
      where: postgrey
        ? '/etc/postgrey/whitelist_clients.local, then reload postgrey'
        : `the configuration of ${program} on ${receiver}`,
      cost: 'mail from that host is no longer delayed, spam from it neither',
      undo: 'take the line out again',
      preferred: true,
    },
    {
      title: `on ${w.holder.label}: retry sooner after the first refusal`,
      change: [
        'Exim, begin retry:   *  *  F,1h,5m; G,16h,1h,1.5; F,4d,6h',
        'Postfix, main.cf:    minimal_backoff_time = 300s',
      ].join('\n'),
      where: `the mail server of ${name}`,
      cost: 'more attempts at hosts that are down',
      undo: 'put the former values back',
      preferred: false,
    },
  ];
}

export function keepTime(label: string, off: string): Remedy[] {
  return [
    {
      title: `set the clock of ${label} by NTP`,
      change: ['timedatectl status', 'timedatectl set-ntp true'].join('\n'),
      where: `a shell on ${label}, as root`,
      cost: 'the clock steps: databases and cron jobs there notice',
      undo: 'timedatectl set-ntp false',
      preferred: true,
    },
    {
      title: `tell who runs ${label}`,
      change: `The clock of ${oneLine(label)} is ${off}: its Received fields do not fit those before and after it.`,
      where: 'a mail to its postmaster',
      cost: 'none',
      undo: '',
      preferred: false,
    },
  ];
}

export function askAuthor(from: number, until: number, first: string): Remedy {
  return {
    title: 'ask the author where it lay before it was sent',
    change: [
      `The mail is dated ${utc(from)}; the first server, ${oneLine(first)}, got it at ${utc(until)}.`,
      'Was the computer offline, was sending scheduled, did a program queue it, or is its clock wrong?',
    ].join('\n'),
    where: 'a mail to the author',
    cost: 'none',
    undo: '',
    preferred: true,
  };
}

export function fetchSooner(w: Wait): Remedy {
  return {
    title: `on ${w.to.label}: fetch more often`,
    change: 'set daemon 300',
    where: `~/.fetchmailrc on ${oneLine(w.to.label)} (fetchmail: seconds between two fetches), or use IMAP IDLE`,
    cost: 'more logins at the mailbox; some providers limit them',
    undo: 'put the former interval back',
    preferred: true,
  };
}
