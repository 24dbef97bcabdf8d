/** Exim as Debian packages it: its own paths, a configuration of one file, timers of seconds. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addUser, HOSTNAME, MAILBOXES, type MailServer, OWN_DOMAIN, type Settings } from './daemon.js';
import { unpacked } from './software.js';
import { ADDRESSES, type World } from './world.js';

const software = () => unpacked('exim');

/** Unlike any that a Debian system gives to packages or to people. */
const EXIM = 65050;

const MAINLOG = '/var/log/exim4/mainlog';

export const exim: MailServer = {
  software,

  async start(world, settings) {
    addUser(world, 'Debian-exim', EXIM);
    // What an installed exim4 may have left there is not ours to show.
    await world.must([
      'sh',
      '-c',
      'for d in /var/spool/exim4 /var/log/exim4 /run/exim4; do rm -rf $d; install -d -o Debian-exim -g Debian-exim -m 2750 $d; done',
    ]);
    world.write('/etc/exim4/exim4.conf', configuration(settings));
    world.write('/etc/mailname', `${HOSTNAME}\n`);
    await world.must(['exim4', '-bd', `-q${settings.queueRun}s`]);
  },

  async queued(world) {
    return Number(await world.must(['exim4', '-bpc']));
  },

  async state(world) {
    const said = async (argv: readonly string[]) => (await world.run(argv)).out;
    return new Map([
      ['mailq.txt', await said(['exim4', '-bp'])],
      ['exinext.txt', await exinext(world)],
      ['retry-db.txt', await said(['exim_dumpdb', '/var/spool/exim4', 'retry'])],
      ['wait-db.txt', await said(['exim_dumpdb', '/var/spool/exim4', 'wait-remote_smtp'])],
    ]);
  },

  async collect(world) {
    const said = async (argv: readonly string[]) => (await world.run(argv)).out;
    const log = (name: string) => said(['sh', '-c', `cat /var/log/exim4/${name} 2>/dev/null`]);
    const evidence = new Map([
      ['exim-bP.txt', await said(['exim4', '-bP'])],
      ['exim-bP-transports.txt', await said(['exim4', '-bP', 'transports'])],
      ['exim-bP-config.txt', await said(['exim4', '-bP', 'config'])],
      ['exim-bV.txt', await said(['exim4', '-bV'])],
      [
        'packages.txt',
        readFileSync(join(software(), 'packages.txt'), 'utf8') +
          (await said(['dpkg-query', '-W', 'libgnutls30*'])),
      ],
      ['exim.conf', world.read('/etc/exim4/exim4.conf')],
    ]);
    for (const name of ['paniclog', 'rejectlog']) {
      const text = await log(name);
      if (text) evidence.set(name, text);
    }
    // Last: with +all the commands above write lines of their own.
    evidence.set('mainlog', world.read(MAINLOG));
    return evidence;
  },
};

/** What exinext(8) says of every domain in the queue, and of every recipient and domain in the retry database. */
async function exinext(world: World): Promise<string> {
  const queue = await world.must(['exim4', '-bp']);
  const { out: retry } = await world.run(['exim_dumpdb', '/var/spool/exim4', 'retry']);
  const domains = new Set(
    [
      ...`${queue}${retry}`.matchAll(/^ {10}\S*@([a-z][a-z0-9.-]*)$| R:(?:[^\s@]*@)?([a-z][a-z0-9.-]*)/gm),
    ].map(([, queued, tried]) => (queued ?? tried)!),
  );
  domains.delete(OWN_DOMAIN);
  let text = '';
  for (const domain of domains) text += (await world.run(['exinext', domain])).out;
  return text;
}

function configuration(settings: Settings): string {
  const [v4, v6] = ADDRESSES.machine;
  const { requireTls } = settings;
  return `# Exim configuration (shape of Debian's generated one, shortened)
primary_hostname = ${HOSTNAME}
domainlist local_domains = @ : localhost : ${OWN_DOMAIN}
domainlist relay_to_domains =
hostlist relay_from_hosts = 127.0.0.1 : ::::1 : 10.80.0.0/24
qualify_domain = ${OWN_DOMAIN}
local_interfaces = <; 127.0.0.1 ; ::1 ; ${v4} ; ${v6}
log_selector = ${
    settings.log === 'full'
      ? '+all'
      : // What Debian's exim4-config sets beside Exim's own default.
        '+smtp_protocol_error +smtp_syntax_error +tls_certificate_verified +tls_peerdn'
  }
gecos_pattern = ^([^,:]*)
gecos_name = $1
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
local_from_check = false
local_sender_retain = true
untrusted_set_sender = *
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
freeze_tell = postmaster
rfc1413_query_timeout = 0s
host_lookup =
tls_advertise_hosts =
keep_environment =
smtp_accept_max = 60
${settings.queueing ? 'queue_only = true\n' : ''}
begin acl
acl_check_rcpt:
  accept hosts = :
  accept hosts = +relay_from_hosts
         control = submission/sender_retain
  deny message = relay not permitted
acl_check_data:
  accept

begin routers
dnslookup:
  debug_print = "R: dnslookup for $local_part@$domain"
  driver = dnslookup
  domains = ! +local_domains
  transport = \${if match_domain{$domain}{${requireTls.join(' : ')}}{remote_smtp_tls}{remote_smtp}}
  same_domain_copy_routing = yes
  ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8 : 255.255.255.255
  no_more
local_user:
  debug_print = "R: local_user for $local_part@$domain"
  driver = accept
  domains = +local_domains
  local_parts = ${MAILBOXES.join(' : ')}
  transport = mail_spool
  cannot_route_message = Unknown user

begin transports
remote_smtp:
  debug_print = "T: remote_smtp for $local_part@$domain"
  driver = smtp
${timeouts(settings)}${
  requireTls.length > 0
    ? `remote_smtp_tls:
  debug_print = "T: remote_smtp_tls for $local_part@$domain"
  driver = smtp
  hosts_require_tls = *
${timeouts(settings)}`
    : ''
}mail_spool:
  debug_print = "T: appendfile for $local_part@$domain"
  driver = appendfile
  file = /var/mail/$local_part_data
  user = mail
  group = mail
  mode = 0660
  delivery_date_add
  envelope_to_add
  return_path_add

begin retry
*                      *           F,2h,${settings.retry}s

begin rewrite

begin authenticators
`.replace(
    requireTls.length > 0 ? '' : /transport = \$\{if.*/,
    requireTls.length > 0 ? '' : 'transport = remote_smtp',
  );
}

function timeouts({ connect, command }: Settings): string {
  return `  connect_timeout = ${connect}s
  command_timeout = ${command}s
  data_timeout = ${command}s
  final_timeout = ${command}s
`;
}
