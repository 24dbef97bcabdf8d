// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the servers' own variables
import { describe, expect, it } from 'vitest';
import { readLog } from '../../../test/read-log.js';
import { definitionOf, logDefinitions, resolved, serverOf } from './log-definitions.js';

const apache = (text: string) => resolved([logDefinitions('apache', text)]);
const nginx = (text: string) => resolved([logDefinitions('nginx', text)]);

describe('whose configuration a text is', () => {
  it.each([
    ['<VirtualHost *:80>\n\tServerName example.com\n</VirtualHost>\n', 'apache'],
    ['# comment\nLogFormat "%h" x\n', 'apache'],
    ['  customlog logs/access_log common\n', 'apache'],
    ['http {\n  access_log /var/log/nginx/access.log;\n}\n', 'nginx'],
    ['server {\n  listen 80;\n}\n', 'nginx'],
    ["log_format main '$remote_addr';\n", 'nginx'],
    ['192.0.2.7 - - [23/Nov/2015:02:24:18 +0000] "GET /server { HTTP/1.1" 200 5\n', null],
    ['The server { of http {} is fine.\n', null],
    ['LogFormat\0', null],
    ['', null],
  ])('%j', (text, server) => {
    expect(serverOf(Buffer.from(text))).toBe(server);
  });
});

describe('Apache', () => {
  it('knows Debian’s formats and logs, and the virtual host of each', () => {
    const main = `
      LogFormat "%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" vhost_combined
      LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
      LogFormat "%{Referer}i -> %U" referer
    `;
    const other = 'CustomLog ${APACHE_LOG_DIR}/other_vhosts_access.log vhost_combined\n';
    const site = `
      <VirtualHost *:80>
        #ServerName commented.example.com
        ErrorLog \${APACHE_LOG_DIR}/error.log
        CustomLog \${APACHE_LOG_DIR}/access.log combined
        ServerName http://www.example.com:80
        ServerAlias example.com
      </VirtualHost>
      <IfModule mod_ssl.c>
        <virtualhost _default_:443>
          servername shop.example.com
          <Directory /srv>
            Require all granted
          </Directory>
          customlog "\${APACHE_LOG_DIR}/shop access.log" "%h %t \\"%r\\" %>s" env=!dontlog
        </virtualhost>
      </IfModule>
      <VirtualHost *:81>
        CustomLog /var/log/nameless.log combined
      </VirtualHost>
    `;
    // The nickname is defined in another file than the log that uses it.
    const all = resolved([site, other, main].map((text) => logDefinitions('apache', text)));
    expect(all.map(({ path, vhost, format }) => [path, vhost, format?.name])).toEqual([
      ['${APACHE_LOG_DIR}/access.log', 'www.example.com', 'combined'],
      ['${APACHE_LOG_DIR}/shop access.log', 'shop.example.com', 'custom'],
      ['/var/log/nameless.log', null, 'combined'],
      ['${APACHE_LOG_DIR}/other_vhosts_access.log', null, 'vhost_combined'],
    ]);
    expect(all[0]!.format!.format).toBe('%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"');
    expect(all[1]!.format!.format).toBe('%h %t "%r" %>s');
  });

  it('joins continued lines as they stand, and takes a comment’s continuation for comment', () => {
    const text = [
      'LogFormat "%h %l %u %t \\',
      '\\"%r\\" %>s %b" short',
      '# LogFormat "%h" \\',
      'CustomLog /no.log short',
      'CustomLog /yes.log \\\r',
      '  short',
    ].join('\n');
    expect(apache(text)).toEqual([
      {
        path: '/yes.log',
        vhost: null,
        format: { dialect: 'apache', name: 'short', format: '%h %l %u %t "%r" %>s %b' },
      },
    ]);
  });

  it.each([
    ['"|/usr/bin/rotatelogs -l /var/log/apache2/access.log.%Y%m%d 86400"', '/var/log/apache2/access.log'],
    ['"|bin/rotatelogs /var/log/logfile.%Y-%m-%d-%H_%M_%S 86400"', '/var/log/logfile'],
    ['"||/usr/sbin/rotatelogs /var/log/access_log 86400"', '/var/log/access_log'],
    ['"|$/usr/sbin/rotatelogs /var/log/a/access.%Y-%m-%d.log 5M"', '/var/log/a/access.log'],
    ['"|/usr/bin/cronolog /var/log/%Y/%m/access.log"', '/var/log///access.log'],
  ])('finds the file behind %s', (to, path) => {
    expect(apache(`CustomLog ${to} "%h %t %>s"`).map((d) => d.path)).toEqual([path]);
  });

  it('leaves out a program that names no file', () => {
    expect(apache('CustomLog "|/usr/bin/logger -t apache" combined')).toEqual([]);
    expect(apache('CustomLog')).toEqual([]);
  });

  it('gives TransferLog the format that has no name', () => {
    const text = 'TransferLog /a\nLogFormat "%h %t %>s"\nTransferLog /b\n</VirtualHost>\n';
    expect(apache(text).map(({ path, format }) => [path, format?.format])).toEqual([
      ['/a', undefined],
      ['/b', '%h %t %>s'],
    ]);
  });

  it('reads an unknown nickname as no format', () => {
    expect(apache('CustomLog /a nosuch')).toEqual([{ path: '/a', vhost: null, format: null }]);
  });
});

describe('nginx', () => {
  it('joins the parts of a log_format', () => {
    const text = `
      http {
        log_format  main  '$remote_addr - $remote_user [$time_local] "$request" ' # the request
                          '$status $body_bytes_sent "$http_referer" '
                          "\\"$http_user_agent\\" \\"$http_x_forwarded_for\\"";
        access_log /var/log/nginx/access.log main buffer=32k flush=5s;
      }`;
    expect(nginx(text)).toEqual([
      {
        path: '/var/log/nginx/access.log',
        vhost: null,
        format: {
          dialect: 'nginx',
          name: 'main',
          format:
            '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
        },
      },
    ]);
  });

  it('reads logs by a log_format with escape=json', () => {
    const text = `
      log_format j escape=json '{"t":"$time_iso8601","c":"$remote_addr",'
        '"r":"$request","s":$status,"b":$body_bytes_sent,"a":"$http_user_agent"}';
      access_log /a j;`;
    const format = nginx(text)[0]!.format!;
    const line =
      '{"t":"2015-11-23T02:24:18+00:00","c":"192.0.2.7","r":"GET /\\"a\\" HTTP/1.1","s":200,"b":5,"a":"\\u0001 \\\\ é"}\n';
    expect(readLog({ kind: 'text', formats: [format] }, [line]).records).toMatchObject([
      { client: '192.0.2.7', path: '/"a"', status: 200, bytes: 5, agent: '\u0001 \\ é' },
    ]);
  });

  it('writes a tab where the format has \\t', () => {
    const text = "log_format ltsv 'time:$time_local\\tstatus:$status'; access_log /a ltsv;";
    expect(nginx(text)[0]!.format!.format).toBe('time:$time_local\tstatus:$status');
  });

  it('knows the server that a log belongs to', () => {
    const text = `
      access_log /var/log/nginx/access.log;
      server {
        listen 80;
        access_log "/var/log/nginx/shop.log";
        server_name _ *.shop.example.com .shop.example.com;
        location /api { access_log /var/log/nginx/api.log; if ($x) { access_log /if.log; } }
        location ~ \\.(png|gif)$ { access_log off; }
        location ~ "^/[a-z]{2}/" { access_log syslog:server=192.0.2.1 main; }
      }
      server { server_name blog.example.com www.example.com; access_log /var/log/nginx/$host.log; access_log /b; }
      server { server_name "~^(www\\.)?(.+)$" localhost; access_log /c; }`;
    expect(nginx(text).map(({ path, vhost, format }) => [path, vhost, format])).toEqual([
      ['/var/log/nginx/access.log', null, null],
      ['/var/log/nginx/shop.log', 'shop.example.com', null],
      ['/var/log/nginx/api.log', 'shop.example.com', null],
      ['/if.log', 'shop.example.com', null],
      ['/b', 'blog.example.com', null],
      ['/c', null, null],
    ]);
  });

  it('reads ${variable} inside a word', () => {
    const text = 'set $a b${c}d; server { server_name a.example; access_log /x; }';
    expect(nginx(text)).toEqual([{ path: '/x', vhost: 'a.example', format: null }]);
  });

  it('survives what is no configuration', () => {
    for (const text of ['}}};;;', '{{{', '"', "'a", 'access_log', 'log_format;', '"a\\'.repeat(50_000)])
      expect(nginx(text)).toEqual([]);
  });
});

describe('which definition is a log’s', () => {
  const of = (...paths: string[]) => paths.map((path) => ({ path, format: null, vhost: null }));

  it.each([
    ['/var/log/apache2/access.log', ['/srv/access.log', '/var/log/apache2/access.log'], 1],
    ['evidence/var/log/nginx/shop.log', ['/var/log/nginx/shop.log'], 0],
    ['sos.tar.xz!/host/var/log/apache2/access.log', ['${APACHE_LOG_DIR}/access.log'], 0],
    ['access.log', ['logs/access.log', '/x/error.log'], 0],
    ['a/2/access.log', ['/a/1/access.log', '/a/2/access.log'], 1],
  ])('%s', (stream, paths, index) => {
    const definitions = of(...paths);
    expect(definitionOf(stream, definitions)).toBe(definitions[index]);
  });

  it('is none where not even the name fits', () => {
    expect(definitionOf('/var/log/apache2/access.log', of('/var/log/apache2/other.log'))).toBeNull();
    expect(definitionOf('a', [])).toBeNull();
  });
});
