/**
 * A mail server of its own, and an internet to talk to, made of Linux namespaces.
 *
 * The *machine* has its own network, mounts, host name and processes: /etc and /var lie under an overlay, so that
 * a daemon runs with its usual paths (/etc/exim4, /var/spool, /var/log) and nothing of it reaches this system. The
 * *internet* is a second network namespace at the other end of a veth pair. Both belong to a process that ends when
 * its pipe to us ends, and the kernel takes everything else down with it: nothing is left, even after a kill -9, and
 * any number of worlds live side by side.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

/** The mail server's addresses, the internet's end of its wire, and a PC in the office beside it. */
export const ADDRESSES = {
  machine: ['10.80.0.2', 'fd80::2'],
  gateway: ['10.80.0.1', 'fd80::1'],
  office: '10.80.0.50',
} as const;

// bash, not dash: it is process 1 there and reaps the orphans that mail daemons make, even while it reads.
const MACHINE = `
set -e
mount --make-rprivate /
mount -t tmpfs lab /mnt
for dir in etc var; do
  mkdir /mnt/$dir /mnt/.$dir
  mount -t overlay lab -o lowerdir=/$dir,upperdir=/mnt/$dir,workdir=/mnt/.$dir /$dir
done
mount -t overlay lab -o "lowerdir=$2:/usr" /usr
mount -t tmpfs lab /run
# A /dev of its own, for the sockets that daemons make in it.
mkdir /mnt/dev
for dev in null zero full random urandom tty; do touch /mnt/dev/$dev; mount --bind /dev/$dev /mnt/dev/$dev; done
mount --rbind /mnt/dev /dev
ln -s /proc/self/fd /dev/fd
# Logs are in UTC, wherever this is.
rm -f /etc/localtime
hostname "$1"
ip link set lo up
echo ready
read -r _ || true
`;

// Sockets are opened in the internet's namespace and handed over: a socket stays in the network it was made in.
const INTERNET = `
const net = require('node:net');
process.on('disconnect', () => process.exit());
process.on('message', ({ id, what, ...where }) => {
  const fail = (error) => process.send({ id, error: error.message });
  if (what === 'connect') {
    // Paused, or the greeting would be read here.
    const socket = new net.Socket().pause();
    socket.once('error', fail).once('connect', () => process.send({ id }, socket)).connect(where);
  } else {
    const server = net.createServer();
    server.once('error', fail).listen(where, () => process.send({ id }, server, () => server.close()));
  }
});
process.send({ id: 0 });
`;

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export class World {
  readonly #machine: ChildProcess;
  readonly #internet: ChildProcess;
  readonly #asked = new Map<number, { done(handle: unknown): void; failed(error: Error): void }>();
  #asks = 0;

  private constructor(machine: ChildProcess, internet: ChildProcess) {
    this.#machine = machine;
    this.#internet = internet;
    internet.on('message', ({ id, error }: { id: number; error?: string }, handle) => {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) asked?.done(handle);
      else asked?.failed(new Error(`lab: no socket in the lab's network: ${error}`));
    });
  }

  /**
   * `software`: a folder that is laid over /usr, for programs that are not installed.
   * Throws with the reason when the kernel refuses.
   */
  static async open(hostname: string, software: string): Promise<World> {
    const machine = spawn(
      'unshare',
      [
        ...['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...['bash', '-c', MACHINE, 'machine', hostname, software],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    const internet = spawn('unshare', ['--net', process.execPath, '-e', INTERNET], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env.PATH },
    });
    const world = new World(machine, internet);
    try {
      await Promise.all([firstLine(machine), once(internet, 'message')]);
      await world.#wire();
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  /** Where the machine's file system is seen from here. */
  path(path: string): string {
    return `/proc/${this.#machine.pid}/root${path}`;
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'latin1');
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
  }

  /** Runs a program on the machine to its end, as root or as that user. Does not throw for its exit code. */
  async run(argv: readonly string[], options: { input?: string | Buffer; as?: number } = {}): Promise<Ran> {
    const ns = `/proc/${this.#machine.pid}/ns`;
    const user =
      options.as === undefined
        ? []
        : ['setpriv', `--reuid=${options.as}`, `--regid=${options.as}`, '--clear-groups'];
    return finish(
      spawn(
        'nsenter',
        [
          ...[`--net=${ns}/net`, `--mount=${ns}/mnt`, `--uts=${ns}/uts`, `--pid=${ns}/pid_for_children`],
          ...['--wd=/', ...user, ...argv],
        ],
        {
          stdio: ['pipe', 'pipe', 'pipe'],
          env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
        },
      ),
      options.input,
    );
  }

  /** Like `run`, and throws when the program fails. */
  async must(
    argv: readonly string[],
    options: { input?: string | Buffer; as?: number } = {},
  ): Promise<string> {
    const { code, out, err } = await this.run(argv, options);
    if (code !== 0) throw new Error(`lab: ${argv.join(' ')} ended with ${code}: ${err || out}`);
    return out;
  }

  /** Lines for `ip -batch`, in the internet. */
  async ip(lines: readonly string[]): Promise<void> {
    await ip(this.#internet, lines);
  }

  /** A server at an address of the internet. */
  async listen(host: string, port: number): Promise<Server> {
    // The kernel confirms a new IPv6 address a moment after it was added, even on loopback.
    for (let tries = 0; ; tries++) {
      try {
        return (await this.#ask({ what: 'listen', host, port, backlog: 200 })) as Server;
      } catch (error) {
        if (tries >= 50) throw error;
        await setTimeout(20);
      }
    }
  }

  /** A connection that the PC in the office opens to the machine. */
  async connect(port: number): Promise<Socket> {
    const [host] = ADDRESSES.machine;
    return (await this.#ask({ what: 'connect', host, port, localAddress: ADDRESSES.office })) as Socket;
  }

  async close(): Promise<void> {
    const ends = [this.#machine, this.#internet].map((process) =>
      process.exitCode === null && process.signalCode === null && process.pid ? once(process, 'exit') : null,
    );
    this.#machine.stdin?.end();
    if (this.#internet.connected) this.#internet.disconnect();
    await Promise.all(ends);
  }

  #ask(what: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#asks;
    return new Promise((done, failed) => {
      this.#asked.set(id, { done, failed });
      this.#internet.send({ id, ...what });
    });
  }

  /** The internet is a router: only then does the kernel send ICMP for what is unreachable. */
  async #forward(): Promise<void> {
    const { code, err } = await finish(
      spawn(
        'nsenter',
        [
          `--net=/proc/${this.#internet.pid}/ns/net`,
          ...['sh', '-c', 'for v in ipv4 ipv6; do echo 1 >/proc/sys/net/$v/conf/all/forwarding; done'],
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    );
    if (code !== 0) throw new Error(`lab: the network does not forward: ${err}`);
  }

  async #wire(): Promise<void> {
    const [v4, v6] = ADDRESSES.machine;
    const [gateway4, gateway6] = ADDRESSES.gateway;
    await ip(this.#machine, [`link add eth0 type veth peer name eth0 netns ${this.#internet.pid}`]);
    await this.ip([
      'link set lo up',
      `addr add ${gateway4}/24 dev eth0`,
      `addr add ${ADDRESSES.office}/24 dev eth0`,
      `addr add ${gateway6}/64 dev eth0 nodad`,
      'link set eth0 up',
      // What nobody has vanishes without a word, unless a route says otherwise.
      'route add blackhole 0.0.0.0/0',
      'route add blackhole ::/0',
    ]);
    await this.#forward();
    await ip(this.#machine, [
      `addr add ${v4}/24 dev eth0`,
      `addr add ${v6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${gateway4}`,
      `route add default via inet6 ${gateway6}`,
    ]);
  }
}

/** Why no world can be made here, or null. Tests print it. */
export function whyNoWorld(): string | null {
  if (process.platform !== 'linux') return 'namespaces need Linux';
  const tried = spawnSync('unshare', ['--net', '--mount', '--uts', '--pid', '--fork', 'true']);
  if (tried.error) return 'unshare (util-linux) is missing';
  if (tried.status !== 0) return `the kernel refuses namespaces: ${tried.stderr.toString().trim()}`;
  for (const program of ['ip', 'nsenter', 'setpriv', 'openssl', 'apt-get'])
    if (spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${program}`]).status !== 0)
      return `${program} is missing`;
  return null;
}

async function ip(where: ChildProcess, lines: readonly string[]): Promise<void> {
  const { code, err } = await finish(
    spawn('nsenter', [`--net=/proc/${where.pid}/ns/net`, 'ip', '-batch', '-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
    `${lines.join('\n')}\n`,
  );
  if (code !== 0) throw new Error(`lab: ip could not set up the network: ${err}`);
}

async function firstLine(process: ChildProcess): Promise<void> {
  let said = '';
  process.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const failed = once(process, 'close').then(() => {
    throw new Error(`lab: no namespaces here (root and CAP_SYS_ADMIN are needed): ${said.trim()}`);
  });
  await Promise.race([once(createInterface(process.stdout!), 'line'), failed]);
}

async function finish(process: ChildProcess, input?: string | Buffer): Promise<Ran> {
  const text = { out: '', err: '' };
  process.stdout?.setEncoding('latin1').on('data', (chunk) => {
    text.out += chunk;
  });
  process.stderr?.setEncoding('latin1').on('data', (chunk) => {
    text.err += chunk;
  });
  // A program may end before it has read all; its exit code says so better than EPIPE.
  process.stdin?.on('error', () => {});
  process.stdin?.end(input);
  const closed = once(process, 'close');
  const [code] = await once(process, 'exit');
  // A daemon keeps the pipes of the command that started it.
  await Promise.race([closed, setTimeout(500)]);
  return { code: code ?? 1, ...text };
}
