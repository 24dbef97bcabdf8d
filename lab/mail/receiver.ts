/**
 * The receiving side: a scripted SMTP server (RFC 5321, with STARTTLS, PIPELINING and CHUNKING) at every MX address.
 *
 * What it does to whom is data (`Manners`), a function of the seconds since the scenario began. It writes down each
 * thing that it saw and answered: that is the truth which logs are later compared with.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Dice } from '../dice.js';
import { type MxHost, PROVIDER_NAMES, PROVIDERS, type Provider, type ProviderName } from './providers.js';
import { ADDRESSES, type World } from './world.js';

export type Stage = 'connect' | 'mail' | 'rcpt' | 'data';

/** A time of the scenario: seconds since it began. Absent: from the beginning, or to the end. */
export interface Window {
  from?: number;
  until?: number;
}

export interface Refusal extends Window {
  at: Stage;
  /** Lines of the reply, code included. `{ip}`, `{to}` and `{from}` are filled in. */
  reply: readonly string[];
  /** The part of the envelopes (of the connections, at `connect`) it happens to, each for good; absent: all. */
  share?: number;
  /** Only the first so many times that an envelope comes. */
  times?: number;
  /** Recipients of one message before this many are not refused. */
  after?: number;
}

type Gone = 'closed' | 'silent' | 'unreachable';

export interface Manners {
  refusals?: readonly Refusal[];
  /** Seconds that a triplet (client, sender, recipient) must wait (RFC 6647). */
  greylist?: { seconds: number; reply: readonly string[] };
  /**
   * `closed`: connections are refused. `silent`: packets vanish. `unreachable`: a router says so (ICMP). At all
   * addresses, or some.
   */
  port?: readonly (Window & { is: Gone; hosts?: readonly string[]; ipv6?: boolean })[];
  /** `broken`: the handshake ends in nonsense. `unavailable`: 454. `none`: not offered. */
  tls?: readonly (Window & { is: 'broken' | 'unavailable' | 'none' })[];
  /** Seconds before the greeting, before each reply, and before the reply to the message itself. */
  slow?: Window & { greeting?: number; reply?: number; message?: number };
}

/** One recipient at one host, as the receiver saw it; or, without recipient, a connection that came to nothing. */
export interface Attempt {
  /** When the verdict was sent, ISO 8601 UTC. */
  at: string;
  provider: ProviderName;
  host: string;
  address: string;
  client: string;
  connection: number;
  stage: Stage | 'tls' | 'closed';
  verdict: 'accepted' | 'deferred' | 'rejected' | 'broken';
  reply: string;
  from?: string;
  to?: string;
  messageId?: string;
  bytes?: number;
}

export type Script = Partial<Record<ProviderName, Manners>>;

export class Receiver {
  readonly attempts: Attempt[] = [];
  readonly #world: World;
  readonly #script: Script;
  readonly #dice: Dice;
  readonly #servers = new Map<string, Server>();
  readonly #sockets = new Set<Socket>();
  readonly #contexts = new Map<ProviderName, SecureContext>();
  readonly #unreachable = new Set<string>();
  readonly #triplets = new Map<string, number>();
  readonly #hit = new Map<string, boolean>();
  readonly #came = new Map<string, number>();
  readonly #switches = new AbortController();
  #start = Date.now();
  #connections = 0;

  private constructor(world: World, script: Script, dice: Dice) {
    this.#world = world;
    this.#script = script;
    this.#dice = dice;
  }

  static async open(world: World, script: Script, dice: Dice): Promise<Receiver> {
    const receiver = new Receiver(world, script, dice);
    for (const name of PROVIDER_NAMES) {
      receiver.#contexts.set(name, certificate(PROVIDERS[name].certificate));
      await receiver.#each(name, (host, address) => receiver.#appear(name, host, address));
    }
    return receiver;
  }

  /** Seconds 0 of the scenario is now. */
  begin(): void {
    this.#start = Date.now();
    for (const name of PROVIDER_NAMES)
      for (const port of this.#script[name]?.port ?? []) {
        const { is, from = 0, until, hosts, ipv6 } = port;
        const chosen = (host: MxHost, address: string) =>
          (hosts?.includes(host.name) ?? true) && (ipv6 === undefined || ipv6 === address.includes(':'));
        this.#later(from, () => this.#each(name, (_, address) => this.#vanish(address, is), chosen));
        if (until !== undefined)
          this.#later(until, () =>
            this.#each(name, (host, address) => this.#appear(name, host, address), chosen),
          );
      }
  }

  close(): void {
    this.#switches.abort();
    for (const server of this.#servers.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  // What a conversation asks of it.

  now(window: Window = {}): boolean {
    const second = (Date.now() - this.#start) / 1000;
    return second >= (window.from ?? 0) && second < (window.until ?? Number.POSITIVE_INFINITY);
  }

  manners(name: ProviderName): Manners {
    return this.#script[name] ?? {};
  }

  context(name: ProviderName): SecureContext {
    return this.#contexts.get(name)!;
  }

  /** Null: go on. */
  refusal(name: ProviderName, at: Stage, from: string, to: string, nth = 1): readonly string[] | null {
    for (const refusal of this.manners(name).refusals ?? []) {
      if (refusal.at !== at || !this.now(refusal) || nth <= (refusal.after ?? 0)) continue;
      const key = `${name} ${at} ${from} ${to}`;
      if (refusal.share !== undefined) {
        const known = at === 'connect' ? undefined : this.#hit.get(key);
        const hit = known ?? this.#dice.chance(refusal.share);
        this.#hit.set(key, hit);
        if (!hit) continue;
      }
      if (refusal.times !== undefined) {
        const came = this.#came.get(key) ?? 0;
        this.#came.set(key, came + 1);
        if (came >= refusal.times) continue;
      }
      return refusal.reply;
    }
    return null;
  }

  greylisted(name: ProviderName, client: string, from: string, to: string): readonly string[] | null {
    const { greylist } = this.manners(name);
    if (!greylist) return null;
    const key = `${client} ${from} ${to}`;
    const first = this.#triplets.get(key) ?? Date.now();
    this.#triplets.set(key, first);
    return Date.now() - first < greylist.seconds * 1000 ? greylist.reply : null;
  }

  async #each(
    name: ProviderName,
    act: (host: MxHost, address: string) => Promise<void>,
    chosen: (host: MxHost, address: string) => boolean = () => true,
  ): Promise<void> {
    for (const host of PROVIDERS[name].hosts)
      for (const address of host.addresses) if (chosen(host, address)) await act(host, address);
  }

  async #appear(name: ProviderName, host: MxHost, address: string): Promise<void> {
    const net = `${address}${address.includes(':') ? '/128' : '/32'}`;
    if (this.#unreachable.delete(address)) await this.#world.ip([`route del unreachable ${net}`]);
    await this.#world.ip([`addr replace ${net} dev lo`]);
    if (this.#servers.has(address)) return;
    const server = await this.#world.listen(address, 25);
    this.#servers.set(address, server);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      const peer = socket.remoteAddress ?? '';
      const about = {
        provider: name,
        host: host.name,
        address,
        client: peer,
        connection: ++this.#connections,
      };
      new Conversation(this, about, socket).hold().catch(() => socket.destroy());
    });
  }

  async #vanish(address: string, is: Gone): Promise<void> {
    if (is === 'closed') {
      this.#servers.get(address)?.close();
      this.#servers.delete(address);
      return;
    }
    const net = `${address}${address.includes(':') ? '/128' : '/32'}`;
    await this.#world.ip([`addr del ${net} dev lo`]);
    if (is === 'unreachable') {
      this.#unreachable.add(address);
      await this.#world.ip([`route add unreachable ${net}`]);
    }
  }

  #later(second: number, act: () => Promise<void>): void {
    const wait = Math.max(0, this.#start + second * 1000 - Date.now());
    sleep(wait, undefined, { signal: this.#switches.signal })
      .then(act)
      .catch((error: Error) => {
        if (error.name !== 'AbortError') console.error(error);
      });
  }
}

type About = Pick<Attempt, 'provider' | 'host' | 'address' | 'client' | 'connection'>;

/** One SMTP connection, from greeting to close. */
class Conversation {
  readonly #receiver: Receiver;
  readonly #about: About;
  readonly #provider: Provider;
  #wire: Wire;
  #secure = false;
  #from = '';
  #to: string[] = [];
  /** The reply to the MAIL command, where it was refused. */
  #refused: readonly string[] | null = null;

  constructor(receiver: Receiver, about: About, socket: Socket) {
    this.#receiver = receiver;
    this.#about = about;
    this.#provider = PROVIDERS[about.provider];
    this.#wire = new Wire(socket);
  }

  async hold(): Promise<void> {
    await this.#pause('greeting');
    const refused = this.#receiver.refusal(this.#about.provider, 'connect', '', '');
    if (refused) {
      this.#note('connect', refused);
      return this.#wire.end(this.#fill(refused));
    }
    this.#wire.write([`220 ${this.#provider.banner}`]);
    for (;;) {
      const line = await this.#wire.line();
      if (line === null) return;
      await this.#pause('reply');
      const [verb = ''] = line.split(/[ :]/, 1);
      switch (verb.toUpperCase()) {
        case 'EHLO':
          this.#wire.write(this.#hello(line.slice(5)));
          break;
        case 'HELO':
          this.#wire.write([`250 ${this.#about.host}`]);
          break;
        case 'STARTTLS':
          if (!(await this.#startTls())) return;
          break;
        case 'MAIL':
          this.#mail(address(line));
          break;
        case 'RCPT':
          this.#rcpt(address(line));
          break;
        case 'DATA':
          if (this.#to.length === 0) this.#wire.write(['554 5.5.1 Error: no valid recipients']);
          else {
            this.#wire.write(['354 Go ahead']);
            const message = await this.#wire.untilDot();
            if (message === null) return this.#brokeOff();
            await this.#message(message);
          }
          break;
        case 'BDAT':
          if (!(await this.#bdat(line))) return;
          break;
        case 'RSET':
          this.#reset();
          this.#wire.write(['250 2.0.0 Ok']);
          break;
        case 'NOOP':
          this.#wire.write(['250 2.0.0 Ok']);
          break;
        case 'QUIT':
          return this.#wire.end([`221 2.0.0 ${this.#about.host} closing connection`]);
        default:
          this.#wire.write(['502 5.5.2 Error: command not recognized']);
      }
    }
  }

  #hello(client: string): string[] {
    const is = this.#tls();
    const words = [
      `${this.#about.host} at your service, [${this.#about.client}] ${client}`.trim(),
      ...this.#provider.features,
      ...(this.#secure || is === 'none' ? [] : ['STARTTLS']),
    ];
    return words.map((word, n) => `250${n === words.length - 1 ? ' ' : '-'}${word}`);
  }

  #tls(): 'broken' | 'unavailable' | 'none' | 'fine' {
    const windows = this.#receiver.manners(this.#about.provider).tls ?? [];
    return windows.find((window) => this.#receiver.now(window))?.is ?? 'fine';
  }

  async #startTls(): Promise<boolean> {
    const is = this.#tls();
    if (is === 'unavailable') {
      const reply = ['454 4.7.0 TLS not available due to local problem'];
      this.#note('tls', reply);
      this.#wire.write(reply);
      return true;
    }
    this.#wire.write(['220 2.0.0 Ready to start TLS']);
    if (is === 'broken') {
      this.#note('tls', ['the handshake is answered with nonsense']);
      // What a load balancer with no certificate does: it answers the hello with something that is not TLS.
      await this.#wire.some();
      this.#wire.end(['421 4.3.0 SSL backend unavailable']);
      return false;
    }
    this.#wire = await this.#wire.secure(this.#receiver.context(this.#about.provider));
    this.#secure = true;
    this.#reset();
    return true;
  }

  #mail(from: string): void {
    this.#reset();
    this.#from = from;
    const refused = this.#receiver.refusal(this.#about.provider, 'mail', from, '');
    this.#refused = refused;
    // Who was to get it, the pipelined RCPTs tell; without any, there is only this.
    if (refused && !this.#wire.more()) this.#note('mail', refused);
    this.#wire.write(refused ? this.#fill(refused) : ['250 2.1.0 Ok']);
  }

  #rcpt(to: string): void {
    const { provider, client } = this.#about;
    const refused =
      this.#refused ??
      this.#receiver.refusal(provider, 'rcpt', this.#from, to, this.#to.length + 1) ??
      this.#receiver.greylisted(provider, client, this.#from, to);
    if (refused) this.#note(this.#refused ? 'mail' : 'rcpt', refused, { to });
    else this.#to.push(to);
    if (this.#refused) this.#wire.write(['503 5.5.1 Error: need MAIL command']);
    else this.#wire.write(refused ? this.#fill(refused, to) : ['250 2.1.5 Ok']);
  }

  async #bdat(line: string): Promise<boolean> {
    const chunks: Buffer[] = [];
    for (let command: string | null = line; ; command = await this.#wire.line()) {
      const [, size, last] = /^BDAT (\d+)( LAST)?$/i.exec(command ?? '') ?? [];
      const chunk = size === undefined ? null : await this.#wire.bytes(Number(size));
      if (chunk === null) {
        this.#brokeOff();
        return false;
      }
      chunks.push(chunk);
      if (last) break;
      this.#wire.write([`250 2.0.0 ${chunk.length} octets received`]);
    }
    if (this.#to.length === 0) this.#wire.write(['554 5.5.1 Error: no valid recipients']);
    else await this.#message(Buffer.concat(chunks));
    return true;
  }

  async #message(message: Buffer): Promise<void> {
    const head = message.toString('latin1', 0, 16384).split(/\r?\n\r?\n/, 1)[0]!;
    const messageId = /^Message-I[Dd]: *<([^>\r\n]*)>/m.exec(head)?.[1] ?? '';
    await this.#pause('message');
    const { provider } = this.#about;
    const refused = this.#receiver.refusal(provider, 'data', this.#from, this.#to.join(','));
    const id = randomBytes(8).toString('hex');
    const reply = refused ?? [this.#provider.taken(id, messageId)];
    for (const to of this.#to) this.#note('data', reply, { to, messageId, bytes: message.length });
    this.#wire.write(this.#fill(reply));
    this.#reset();
  }

  #brokeOff(): void {
    for (const to of this.#to) this.#note('closed', ['the client broke off in mid-message'], { to });
  }

  #reset(): void {
    this.#from = '';
    this.#to = [];
    this.#refused = null;
  }

  #note(
    stage: Attempt['stage'],
    reply: readonly string[],
    more: Pick<Attempt, 'to' | 'messageId' | 'bytes'> = {},
  ): void {
    const verdict =
      ({ '2': 'accepted', '4': 'deferred', '5': 'rejected' } as const)[reply[0]![0]!] ?? 'broken';
    this.#receiver.attempts.push({
      at: new Date().toISOString(),
      ...this.#about,
      stage,
      verdict,
      reply: this.#fill(reply, more.to).join('\n'),
      ...(stage === 'connect' || stage === 'tls' ? {} : { from: this.#from }),
      ...more,
    });
  }

  #fill(reply: readonly string[], to = ''): string[] {
    // The address that a provider would see: the machine is behind one, as it were.
    const ip = this.#about.client === ADDRESSES.machine[0] ? '192.0.2.7' : this.#about.client;
    return reply.map((line) =>
      line.replaceAll('{ip}', ip).replaceAll('{to}', to).replaceAll('{from}', this.#from),
    );
  }

  async #pause(before: 'greeting' | 'reply' | 'message'): Promise<void> {
    const { slow } = this.#receiver.manners(this.#about.provider);
    if (slow && this.#receiver.now(slow)) await sleep((slow[before] ?? 0) * 1000);
  }
}

/** Lines and counted bytes from a socket. Null: the other side has gone. */
class Wire {
  readonly #socket: Socket;
  #read: Buffer = Buffer.alloc(0);
  #gone = false;
  #woken: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket
      .on('data', this.#onData)
      .on('close', this.#onClose)
      .on('end', this.#onClose)
      .on('error', () => {});
  }

  readonly #onData = (chunk: Buffer) => {
    this.#read = this.#read.length > 0 ? Buffer.concat([this.#read, chunk]) : chunk;
    this.#woken();
  };

  readonly #onClose = () => {
    this.#gone = true;
    this.#woken();
  };

  write(lines: readonly string[]): void {
    this.#socket.write(`${lines.join('\r\n')}\r\n`);
  }

  end(lines: readonly string[]): void {
    this.#socket.end(`${lines.join('\r\n')}\r\n`);
  }

  async line(): Promise<string | null> {
    const end = await this.#until(() => this.#read.indexOf('\r\n'));
    return end < 0 ? null : this.#take(end, 2).toString('latin1');
  }

  /** Whether something is there to be read at once. */
  more(): boolean {
    return this.#read.length > 0;
  }

  async bytes(count: number): Promise<Buffer | null> {
    const end = await this.#until(() => (this.#read.length >= count ? count : -1));
    return end < 0 ? null : this.#take(count, 0);
  }

  async some(): Promise<void> {
    await this.#until(() => (this.#read.length > 0 ? 0 : -1));
  }

  /** A message after DATA, with its dots as they came. */
  async untilDot(): Promise<Buffer | null> {
    const end = await this.#until(() =>
      this.#read.indexOf('.\r\n') === 0 ? 0 : this.#read.indexOf('\r\n.\r\n'),
    );
    return end < 0 ? null : this.#take(end, end === 0 ? 3 : 5);
  }

  async secure(context: SecureContext): Promise<Wire> {
    this.#socket.off('data', this.#onData);
    const tls = new TLSSocket(this.#socket, { isServer: true, secureContext: context });
    return new Wire(tls);
  }

  #take(length: number, beyond: number): Buffer {
    const taken = this.#read.subarray(0, length);
    this.#read = this.#read.subarray(length + beyond);
    return taken;
  }

  async #until(found: () => number): Promise<number> {
    for (;;) {
      const at = found();
      if (at >= 0 || this.#gone) return at;
      await new Promise<void>((wake) => {
        this.#woken = wake;
      });
    }
  }
}

function address(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? '';
}

function certificate(name: string): SecureContext {
  const pem = execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '30', '-subj', `/CN=${name}`, '-keyout', '-', '-out', '-'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return createSecureContext({ key: pem, cert: pem });
}
