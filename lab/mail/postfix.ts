/** Postfix as Debian packages it, unpacked but not installed: its own paths, on the lab's machine only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addUser, HOSTNAME, MAILBOXES, type MailServer, OWN_DOMAIN, type Settings } from './daemon.js';
import { unpacked } from './software.js';

const software = () => unpacked('postfix');

/** Unlike any that a Debian system gives to packages or to people. */
const POSTFIX = 65051;
const POSTDROP = 65052;

export const postfix: MailServer = {
  software,

  async start(world, settings) {
    addUser(world, 'postfix', POSTFIX);
    addUser(world, 'postdrop', POSTDROP);
    await world.must([
      'sh',
      '-c',
      `rm -rf /var/log/mail.log /var/spool/postfix /var/lib/postfix
      install -d /var/spool/postfix && install -d -o postfix -g postfix /var/lib/postfix
      install -d /etc/postfix && cp -r "$1"/. /etc/postfix/ && cp /usr/share/postfix/dynamicmaps.cf /etc/postfix/`,
      'sh',
      join(software(), 'etc/postfix'),
    ]);
    world.write('/etc/mailname', `${HOSTNAME}\n`);
    world.write('/etc/postfix/main.cf', mainCf(settings));
    world.write('/etc/postfix/master.cf', masterCf(settings));
    world.write(
      '/etc/postfix/tls_policy',
      settings.requireTls.map((domain) => `${domain} encrypt\n`).join(''),
    );
    for (const [n, name] of MAILBOXES.entries()) {
      addUser(world, name, POSTDROP + 1 + n);
      await world.must(['install', '-o', name, '-g', 'mail', '-m', '660', '/dev/null', `/var/mail/${name}`]);
    }
    world.write('/etc/aliases', 'postmaster: office\n');
    await world.must(['postalias', '/etc/aliases']);
    if (settings.log === 'debian') {
      world.write('/etc/rsyslog-lab.conf', RSYSLOG);
      await world.must(['rsyslogd', '-f', '/etc/rsyslog-lab.conf', '-i', '/run/rsyslogd.pid']);
    }
    await world.must(['postfix', 'start']);
  },

  async queued(world) {
    return (await world.must(['postqueue', '-j'])).split('\n').length - 1;
  },

  async state(world) {
    return new Map([
      ['mailq.txt', (await world.run(['postqueue', '-p'])).out],
      ['postqueue-j.txt', (await world.run(['postqueue', '-j'])).out],
    ]);
  },

  async collect(world) {
    const said = async (argv: readonly string[]) => (await world.run(argv)).out;
    const evidence = new Map([
      ['postconf-n.txt', await said(['postconf', '-n'])],
      ['postconf-M.txt', await said(['postconf', '-M'])],
      [
        'packages.txt',
        readFileSync(join(software(), 'packages.txt'), 'utf8') +
          (await said(['dpkg-query', '-W', 'libssl3*'])),
      ],
    ]);
    for (const name of ['main.cf', 'master.cf', 'tls_policy'])
      evidence.set(`postfix/${name}`, world.read(`/etc/postfix/${name}`));
    // What it has still to say, it says when it ends.
    await world.run(['postfix', 'stop']);
    evidence.set('mail.log', world.read('/var/log/mail.log'));
    return evidence;
  },
};

// The template is what Debian 12 and later log with: ISO 8601 with microseconds.
const RSYSLOG = `module(load="imuxsock" SysSock.Name="/dev/log")
mail.* action(type="omfile" file="/var/log/mail.log" template="RSYSLOG_FileFormat")
`;

function mainCf({ queueRun, retry, connect, command, log, requireTls }: Settings): string {
  const steps = ['helo', 'mail', 'rcpt', 'data_init', 'data_xfer', 'data_done', 'quit', 'starttls'];
  return `# See /usr/share/postfix/main.cf.dist for a commented, more complete version
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6

smtp_tls_security_level = may
smtp_tls_session_cache_database = btree:\${data_directory}/smtp_scache
${requireTls.length > 0 ? 'smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n' : ''}
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = ${HOSTNAME}
myorigin = ${OWN_DOMAIN}
mydestination = $myhostname, ${OWN_DOMAIN}, localhost
mynetworks = 127.0.0.0/8 [::1]/128 10.80.0.0/24
relayhost =
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
${
  log === 'full'
    ? 'maillog_file = /var/log/mail.log\nmaillog_file_prefixes = /var\nenable_long_queue_ids = yes\nsmtp_tls_loglevel = 1\n'
    : ''
}
queue_run_delay = ${queueRun}s
minimal_backoff_time = ${retry}s
maximal_backoff_time = ${2 * retry}s
smtp_connect_timeout = ${connect}s
${steps.map((step) => `smtp_${step}_timeout = ${command}s\n`).join('')}`;
}

function masterCf({ queueing }: Settings): string {
  return `# service type  private unpriv  chroot  wakeup  maxproc command + args
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       ${queueing ? '1' : '-'}       smtp
relay     unix  -       -       n       -       -       smtp
        -o syslog_name=postfix/$service_name
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
`;
}
