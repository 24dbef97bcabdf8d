/** What the lab asks of a mail server that it runs on the machine. */
import type { World } from './world.js';

export const HOSTNAME = 'mx1.example.org';
export const OWN_DOMAIN = 'example.org';

/** The mailboxes of the own domain: who sends, and to whom bounces can go. */
export const MAILBOXES = ['alice', 'bob', 'carol', 'office', 'accounts'] as const;

/** What a scenario may set, in seconds: minutes and hours of a real server are shortened by configuration only. */
export interface Settings {
  /** Between two queue runs. */
  queueRun: number;
  /** A deferred message, or host, waits at least this long. */
  retry: number;
  /** Patience for a connection, and for a reply. */
  connect: number;
  command: number;
  /** Messages wait for a queue run (Exim), or for the only delivery process (Postfix). */
  queueing: boolean;
  /** Domains for which TLS must succeed. */
  requireTls: readonly string[];
  /** Whether the log is as Debian's packages set it, or as full as it can be. */
  log: 'debian' | 'full';
}

export const SETTINGS: Settings = {
  queueRun: 4,
  retry: 8,
  connect: 5,
  command: 8,
  queueing: false,
  requireTls: [],
  log: 'debian',
};

export interface MailServer {
  /** A folder whose `usr` is laid over /usr. */
  software(): string;
  start(world: World, settings: Settings): Promise<void>;
  /** The number of messages in the queue. */
  queued(world: World): Promise<number>;
  /** What its tools say of the queue at this moment, by file name. */
  state(world: World): Promise<Map<string, string>>;
  /** Configuration and logs, by file name. It may end the daemon. */
  collect(world: World): Promise<Map<string, string>>;
}

/** A system user of the machine, with a group of the same name; one that is there stays as it is. */
export function addUser(world: World, name: string, id: number): void {
  const add = (file: string, line: string) => {
    const lines = world.read(file);
    if (!lines.startsWith(`${name}:`) && !lines.includes(`\n${name}:`))
      world.write(file, `${lines}${line}\n`);
  };
  add('/etc/passwd', `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin`);
  add('/etc/group', `${name}:x:${id}:`);
}
