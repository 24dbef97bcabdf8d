import { describe, expect, it } from 'vitest';
import { streamName, vhostFromName } from './names.js';

describe('the name that all parts of a log share', () => {
  it.each([
    ['access.log', 'access.log'],
    ['access.log.1', 'access.log'],
    ['access.log.2.gz', 'access.log'],
    ['access.log.10.xz', 'access.log'],
    ['access-20150901.gz', 'access'],
    ['access.log-20150901', 'access.log'],
    ['access.log-20150901.gz', 'access.log'],
    ['access.log-2015090112.zst', 'access.log'],
    ['access.log-20150901-1448245458.gz', 'access.log'],
    ['access.log.2015-09-01', 'access.log'],
    ['access.log.2015-09-01-02_24_18', 'access.log'],
    ['access_log.1448236800', 'access_log'],
    ['access.1.log', 'access.log'],
    ['access-20150901.log', 'access.log'],
    ['access.2015-09-01.log.gz', 'access.log'],
    ['access.log.old', 'access.log'],
    ['other_vhosts_access.log.1.gz', 'other_vhosts_access.log'],
    ['choir.example-access.log.7.gz', 'choir.example-access.log'],
    ['/var/log/nginx/a.b/access.log.1', '/var/log/nginx/a.b/access.log'],
    ['192.0.2.1.log', '192.0.2.1.log'],
    ['/srv/.gz', '/srv/.gz'],
    ['.1', '.1'],
    ['-', '-'],
    ['', ''],
  ])('%s', (path, stream) => {
    expect(streamName(path)).toBe(stream);
  });
});

describe('the virtual host that a name speaks of', () => {
  it.each([
    ['choir.example-access.log.7.gz', 'choir.example'],
    ['/var/log/apache2/Shop.Example.com_access.log', 'shop.example.com'],
    ['access.www.example.com.log', 'www.example.com'],
    ['www.example.com-ssl_access.log-20150901.gz', 'www.example.com'],
    ['example.com.access.log', 'example.com'],
    ['www-1.example.com.log', 'www-1.example.com'],
    ['/var/log/httpd/example.com/access_log.1', 'example.com'],
    ['/var/log/nginx/xn--bcher-kva.example/ssl-access.log', 'xn--bcher-kva.example'],
    ['sos.tar.xz!/var/log/apache2/example.com/access.log', 'example.com'],
    ['sos.tar.xz!/access.log', null],
    ['backup.tar!/access.log.1.gz', null],
    ['access.log', null],
    ['/var/log/apache2/access.log.1', null],
    ['/var/log/apache2/other_vhosts_access.log.1.gz', null],
    ['ssl-access.log', null],
    ['/var/log/nginx/ssl-access.log', null],
    ['custom_log', null],
    ['server.access.log', null],
    ['192.0.2.1-access.log', null],
    ['-', null],
    ['', null],
  ])('%s', (path, vhost) => {
    expect(vhostFromName(path)).toBe(vhost);
  });
});
