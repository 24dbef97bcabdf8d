/**
 * Name service of the lab: a real unbound on the machine, which knows the providers' domains and nothing else.
 *
 * A domain whose name servers are down is a stub zone at an address where nobody answers: what Exim and Postfix see
 * (SERVFAIL, or no answer in their patience) is then unbound's own doing.
 */
import { PROVIDERS, type Provider } from './providers.js';
import { ADDRESSES, type World } from './world.js';

const CONFIG = '/etc/unbound/lab.conf';
/** In the internet's network, but nobody has it. */
const NOBODY = '10.80.99.53';

export async function startResolver(
  world: World,
  hostname: string,
  broken: readonly string[],
): Promise<void> {
  world.write('/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:2 attempts:2\n');
  world.write(CONFIG, config(hostname, broken));
  await world.must(['unbound', '-c', CONFIG]);
}

/** From now on these domains cannot be looked up; an empty list mends all. Forgets what it had cached. */
export async function breakDomains(world: World, hostname: string, broken: readonly string[]): Promise<void> {
  world.write(CONFIG, config(hostname, broken));
  await world.must(['sh', '-c', 'kill -HUP $(cat /run/unbound.pid)']);
}

function config(hostname: string, broken: readonly string[]): string {
  const records: string[] = [];
  const add = (record: string) => records.push(`  local-data: "${record}"`);
  const host = (name: string, addresses: readonly string[]) => {
    for (const address of addresses) {
      add(`${name}. 60 IN ${address.includes(':') ? 'AAAA' : 'A'} ${address}`);
      records.push(`  local-data-ptr: "${address} ${name}"`);
    }
  };
  host(hostname, ADDRESSES.machine);
  host(`pc7.${hostname}`, [ADDRESSES.office]);
  for (const { domains, hosts } of Object.values<Provider>(PROVIDERS)) {
    for (const { name, addresses, preference } of hosts) {
      host(name, addresses);
      for (const domain of domains)
        if (!broken.includes(domain)) add(`${domain}. 60 IN MX ${preference} ${name}.`);
    }
  }
  return `server:
  interface: 127.0.0.1
  do-daemonize: yes
  username: ""
  chroot: ""
  directory: "/etc/unbound"
  pidfile: "/run/unbound.pid"
  use-syslog: no
  logfile: ""
  num-threads: 1
  module-config: "iterator"
  local-zone: "." static
${broken.map((domain) => `  local-zone: "${domain}." transparent\n`).join('')}${records.join('\n')}
${broken.map((domain) => `stub-zone:\n  name: "${domain}"\n  stub-addr: ${NOBODY}\n`).join('')}`;
}
