import { describe, expect, it } from 'vitest';
import { readDocuments } from './documents.js';

const settingsOf = (path: string, text: string, format: 'exim-config' | 'postfix-config') =>
  Object.fromEntries(
    readDocuments(format, [{ path, text }]).rows.map(({ cells }) => [String(cells[4]), String(cells[5])]),
  );

describe('secrets of a configuration', () => {
  it('are not kept, while it is kept where they are', () => {
    const exim = settingsOf(
      '/etc/exim4/exim4.conf',
      `primary_hostname = mx.example.org
mysql_servers = localhost/exim/user/hunter2
begin transports
remote_smtp:
  driver = smtp
  dkim_private_key = /etc/exim4/dkim.pem
begin authenticators
login:
  driver = plaintext
  client_send = : user : x
  server_password = hunter2
`,
      'exim-config',
    );
    expect(exim).toMatchObject({
      primary_hostname: 'mx.example.org',
      mysql_servers: '(withheld)',
      dkim_private_key: '/etc/exim4/dkim.pem',
      server_password: '(withheld)',
    });
    const postfix = settingsOf(
      '/etc/postfix/main.cf',
      `myhostname = mx.example.org
smtp_sasl_password_maps = static:user:hunter2
smtpd_tls_key_file = /etc/ssl/private/mx.key
inet_interfaces = all
lmtp_sasl_password_maps = hash:/etc/postfix/sasl
`,
      'postfix-config',
    );
    expect(postfix).toMatchObject({
      smtp_sasl_password_maps: '(withheld)',
      lmtp_sasl_password_maps: 'hash:/etc/postfix/sasl',
      smtpd_tls_key_file: '/etc/ssl/private/mx.key',
    });
    expect(JSON.stringify([exim, postfix])).not.toContain('hunter2');
  });
});
