import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, linesOf, type ReadRecord, readLog, text } from '../../../test/read-log.js';
import { Unread } from '../unread.js';
import { detectAccessLog } from './detect.js';
import { BUILT_IN, type FormatChoice, withFallbacks } from './formats.js';

const COMBINED = withFallbacks(BUILT_IN.find((f) => f.name === 'combined')!);
const VHOST_COMBINED = withFallbacks(BUILT_IN[0]!);
const COMMON = text('apache', '%h %l %u %t "%r" %>s %b');
const JSON_LOG: FormatChoice = { kind: 'json' };
const NGINX_COMBINED = text(
  'nginx',
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
);

const TIME = '[23/Nov/2015:02:24:18 +0000]';
const UTC = '2015-11-23T02:24:18.000Z';

/** The one record of one line, without its place. */
function record(choice: FormatChoice, line: string | Uint8Array): Omit<ReadRecord, 'line'> {
  const log = readLog(choice, [line, '\n']);
  expect(log.unread).toEqual({});
  expect(log.records).toHaveLength(1);
  const { line: _, ...rest } = log.records[0]!;
  return rest;
}

function reason(choice: FormatChoice, line: string | Uint8Array): string | undefined {
  const log = readLog(choice, [line, '\n']);
  expect(log.lines).toBe(1);
  return log.unread[0];
}

/** Bytes written as they are: one character of the text, one byte. */
const raw = (latin1: string) => Buffer.from(latin1, 'latin1');

describe('the formats that servers come with', () => {
  it('reads common', () => {
    expect(record(COMMON, `192.0.2.7 - - ${TIME} "GET /a.png?x=1&y HTTP/1.0" 200 2326`)).toEqual({
      client: '192.0.2.7',
      time: UTC,
      zone: 0,
      method: 'GET',
      path: '/a.png',
      query: 'x=1&y',
      protocol: 'HTTP/1.0',
      status: 200,
      bytes: 2326,
    });
  });

  it('reads combined', () => {
    const line = `192.0.2.7 - frank ${TIME} "GET / HTTP/1.1" 304 - "http://example.com/a" "Mozilla/5.0 (X11)"`;
    expect(record(COMBINED, line)).toEqual({
      client: '192.0.2.7',
      user: 'frank',
      time: UTC,
      zone: 0,
      method: 'GET',
      path: '/',
      protocol: 'HTTP/1.1',
      status: 304,
      bytes: 0,
      referer: 'http://example.com/a',
      agent: 'Mozilla/5.0 (X11)',
    });
  });

  it('reads vhost_combined, with the port and without', () => {
    const rest = `192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "curl/7.88.1"`;
    for (const host of ['www.example.com:443', 'www.example.com']) {
      const read = record(VHOST_COMBINED, `${host} ${rest}`);
      expect(read).toMatchObject({ vhost: 'www.example.com', client: '192.0.2.7', agent: 'curl/7.88.1' });
      expect(read).not.toHaveProperty('referer');
    }
  });

  it('reads nginx’s default', () => {
    const line = `2001:db8::7 - - ${TIME} "GET /x HTTP/2.0" 499 0 "-" "Mozilla/5.0 \\x22quoted\\x22 \\xC3\\xA9"`;
    expect(record(NGINX_COMBINED, line)).toEqual({
      client: '2001:db8::7',
      time: UTC,
      zone: 0,
      method: 'GET',
      path: '/x',
      protocol: 'HTTP/2.0',
      status: 499,
      bytes: 0,
      agent: 'Mozilla/5.0 "quoted" é',
    });
  });
});

describe('custom formats', () => {
  const base = `192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200`;

  it.each([
    ['%h %l %u %t "%r" %>s %b %D', '512 1500', { bytes: 512, duration: 1500 }],
    ['%h %l %u %t "%r" %>s %b %T', '512 2', { bytes: 512, duration: 2_000_000 }],
    ['%h %l %u %t "%r" %>s %b %{ms}T', '512 17', { bytes: 512, duration: 17_000 }],
    ['%h %l %u %t "%r" %>s %b %{us}T %{ms}T %T', '512 17321 17 0', { bytes: 512, duration: 17_321 }],
    ['%h %l %u %t "%r" %>s %b %O', '512 900', { bytes: 900 }],
    ['%h %l %u %t "%r" %>s %I %O', '80 900', { bytes: 900 }],
    ['%h %l %u %t "%r" %>s %B %T/%D', '0 3/3000123', { bytes: 0, duration: 3_000_123 }],
    ['%h %l %u %t "%r" %>s %b %{Foo}i %X', '512 bar +', { bytes: 512 }],
    [
      '%h %l %u %t "%r" %>s %b "%{X-Forwarded-For}i" %D',
      '1 "203.0.113.9, 192.0.2.7" 5',
      { bytes: 1, duration: 5 },
    ],
    ['%h %l %u %t "%r" %>s %b %!200,304,302{Referer}i', '1 -', { bytes: 1 }],
  ])('reads %s', (format, rest, expected) => {
    expect(record(text('apache', format), `${base} ${rest}`)).toEqual({
      client: '192.0.2.7',
      time: UTC,
      zone: 0,
      method: 'GET',
      path: '/',
      protocol: 'HTTP/1.1',
      status: 200,
      ...expected,
    });
  });

  it('knows bytes on the wire from bytes of the body', () => {
    expect(readLog(text('apache', '%t %>s %O'), []).bytesKind).toBe('sent');
    expect(readLog(text('apache', '%t %>s %b'), []).bytesKind).toBe('body');
    expect(readLog(text('apache', '%t %>s'), []).bytesKind).toBe('unknown');
  });

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, 198.51.100.4', '203.0.113.9'],
    ['203.0.113.9,198.51.100.4, 2001:db8::1', '203.0.113.9'],
    ['-', undefined],
  ])('takes the first client that a proxy speaks of: %s', (list, client) => {
    const format = text('apache', '%{X-Forwarded-For}i %l %u %t "%r" %>s %b');
    const { client: read, status } = record(format, `${list} - - ${TIME} "GET / HTTP/1.1" 200 5`);
    expect({ read, status }).toEqual({ read: client, status: 200 });
  });

  it('falls back on the peer where the proxy speaks of nobody', () => {
    const format = text('apache', '%{X-Forwarded-For}i %h %l %u %t "%r" %>s %b');
    expect(record(format, `- 192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5`).client).toBe('192.0.2.7');
    expect(record(format, `203.0.113.9 192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5`).client).toBe(
      '203.0.113.9',
    );
  });

  it.each([
    ['%{%Y-%m-%d %H:%M:%S}t', '2015-11-23 02:24:18', UTC, 0],
    ['%{%F %T %z}t', '2015-11-23 03:24:18 +0100', UTC, 60],
    ['%{%d/%b/%Y:%H:%M:%S %z}t', '22/Nov/2015:21:54:18 -0430', UTC, -270],
    ['%{%a %b %e %H:%M:%S %Y}t', 'Mon Nov 23 02:24:18 2015', UTC, 0],
    ['%{%y%m%d}t', '151123', '2015-11-23T00:00:00.000Z', 0],
    ['%{begin:%s}t', '1448245458', UTC, 0],
    ['%{sec}t', '1448245458', UTC, 0],
    ['%{msec}t', '1448245458123', '2015-11-23T02:24:18.123Z', 0],
    ['%{usec}t', '1448245458123456', '2015-11-23T02:24:18.123Z', 0],
    ['%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t', '23/Nov/2015 04:24:18.123 +0200', UTC, 120],
  ])('reads the time %s', (format, time, utc, zone) => {
    const line = `192.0.2.7 [${time}] "GET / HTTP/1.1" 200 5`;
    expect(record(text('apache', `%h [${format}] "%r" %>s %b`), line)).toMatchObject({ time: utc, zone });
  });

  it.each([
    ['$msec', '1448245458.123', '2015-11-23T02:24:18.123Z', 0],
    ['$time_iso8601', '2015-11-23T04:24:18+02:00', UTC, 120],
    ['[$time_local]', '[23/Nov/2015:04:24:18 +0200]', UTC, 120],
  ])('reads nginx’s %s and $request_time', (variable, time, utc, zone) => {
    const format = `$remote_addr ${variable} "$request" $status $bytes_sent $request_time $upstream_response_time`;
    const line = `192.0.2.7 ${time} "GET / HTTP/1.1" 200 512 0.123 -`;
    expect(record(text('nginx', format), line)).toMatchObject({
      time: utc,
      zone,
      bytes: 512,
      duration: 123_000,
    });
  });

  it('reads method, path, query and protocol apart', () => {
    const expected = { method: 'GET', path: '/a', query: 'b=1', protocol: 'HTTP/1.1' };
    const apache = text('apache', '%h %t %m %U%q %H %>s');
    expect(record(apache, `192.0.2.7 ${TIME} GET /a?b=1 HTTP/1.1 200`)).toMatchObject(expected);
    const nginx = text(
      'nginx',
      '$remote_addr [$time_local] $request_method $uri$is_args$args $server_protocol $status',
    );
    expect(record(nginx, `192.0.2.7 ${TIME} GET /a?b=1 HTTP/1.1 200`)).toMatchObject(expected);
  });

  it('reads labelled values (LTSV)', () => {
    const format = text('apache', 'time:%t\\thost:%h\\treq:%r\\tstatus:%>s\\tsize:%b\\tua:%{User-Agent}i');
    const line = `time:${TIME}\thost:2001:db8::7\treq:GET /a b HTTP/1.1\tstatus:200\tsize:5\tua:curl`;
    expect(record(format, line)).toMatchObject({
      client: '2001:db8::7',
      path: '/a b',
      bytes: 5,
      agent: 'curl',
    });
  });

  it('reads a Host header without its port', () => {
    const format = text('nginx', '$http_host $remote_addr [$time_local] "$request" $status');
    expect(record(format, `www.example.com:8080 192.0.2.7 ${TIME} "GET / HTTP/1.1" 200`).vhost).toBe(
      'www.example.com',
    );
    expect(record(format, `[2001:db8::1]:8080 192.0.2.7 ${TIME} "GET / HTTP/1.1" 200`).vhost).toBe(
      '[2001:db8::1]',
    );
  });
});

describe('JSON logs', () => {
  it('reads Caddy v2', () => {
    const line =
      '{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request",' +
      '"request":{"remote_ip":"192.0.2.7","remote_port":"41342","client_ip":"203.0.113.9","proto":"HTTP/2.0",' +
      '"method":"GET","host":"example.com:8443","uri":"/a?b=\\u0026c","headers":{"User-Agent":["curl/7.82.0"],' +
      '"Accept":["*/*"],"Referer":["https://example.com/\\u00e9","x"],"Accept-Encoding":["gzip, deflate, br"]},' +
      '"tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"example.net"}},' +
      '"bytes_read": 0,"user_id":"","duration":0.000929675,"size":10900,"status":200,' +
      '"resp_headers":{"Server":["Caddy"],"Content-Type":["text/html"]}}';
    expect(record(JSON_LOG, line)).toEqual({
      time: '2022-03-09T21:30:01.524Z',
      zone: 0,
      client: '203.0.113.9',
      vhost: 'example.com',
      method: 'GET',
      path: '/a',
      query: 'b=&c',
      protocol: 'HTTP/2.0',
      status: 200,
      bytes: 10900,
      duration: 930,
      referer: 'https://example.com/é',
      agent: 'curl/7.82.0',
    });
  });

  it.each([
    ['192.0.2.7:41342', '192.0.2.7'],
    ['[2001:db8::7]:41342', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
  ])('leaves out the port of the first Caddy’s clients: %s', (address, client) => {
    const line = `{"ts":1448245458,"request":{"remote_addr":"${address}","uri":"/"},"status":200}`;
    expect(record(JSON_LOG, line).client).toBe(client);
  });

  it('reads nginx with escape=json', () => {
    const line =
      '{"time_iso8601":"2015-11-23T04:24:18+02:00","remote_addr":"2001:db8::7","remote_user":"",' +
      '"request":"GET /a?q=\\"b\\" HTTP/1.1","status": "200","body_bytes_sent":512,"request_time":0.005,' +
      '"http_referer":"","http_user_agent":"a\\u001fb\\\\c \u00e9","host":"example.com"}';
    expect(record(JSON_LOG, line)).toEqual({
      time: UTC,
      zone: 120,
      client: '2001:db8::7',
      vhost: 'example.com',
      method: 'GET',
      path: '/a',
      query: 'q="b"',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 512,
      duration: 5000,
      agent: 'a\u001fb\\c é',
    });
  });

  it('reads Traefik', () => {
    const line =
      '{"ClientAddr":"192.0.2.7:54321","ClientHost":"192.0.2.7","ClientPort":"54321","ClientUsername":"-",' +
      '"DownstreamContentSize":19,"DownstreamStatus":404,"Duration":104200,"OriginContentSize":19,' +
      '"OriginDuration":60100,"OriginStatus":404,"Overhead":44100,"RequestAddr":"example.com","RequestContentSize":0,' +
      '"RequestCount":2,"RequestHost":"example.com","RequestMethod":"GET","RequestPath":"/b?c=d","RequestPort":"-",' +
      '"RequestProtocol":"HTTP/1.1","RequestScheme":"http","RetryAttempts":0,' +
      '"StartLocal":"2015-11-23T04:24:18.5+02:00","StartUTC":"2015-11-23T02:24:18.5Z","entryPointName":"web",' +
      '"level":"info","msg":"","request_User-Agent":"curl/7.68.0","time":"2015-11-23T04:24:20+02:00"}';
    expect(record(JSON_LOG, line)).toEqual({
      time: '2015-11-23T02:24:18.500Z',
      zone: 120,
      client: '192.0.2.7',
      vhost: 'example.com',
      method: 'GET',
      path: '/b',
      query: 'c=d',
      protocol: 'HTTP/1.1',
      status: 404,
      bytes: 19,
      duration: 104,
      agent: 'curl/7.68.0',
    });
  });

  it('reads Apache’s idea of JSON, which has \\xHH in it', () => {
    const line = `{"time":"${TIME}","remote_addr":"192.0.2.7","request":"\\x16\\x03","status":400,"bytes":"-"}`;
    expect(record(JSON_LOG, line)).toEqual({
      time: UTC,
      zone: 0,
      client: '192.0.2.7',
      path: '\\x16\\x03',
      status: 400,
    });
  });

  it.each([
    ['\\ud83d\\ude00', '😀'],
    ['\\ud83d', '\ufffd'],
    ['caf\\u00e9 \u00e9 \\u20ac', 'café é €'],
    ['a\\/b\\tc\\u00zz', 'a/b\tc\\u00zz'],
  ])('reads the string %s', (written, agent) => {
    const line = `{"ts":1448245458,"status":200,"user_agent":"${written}"}`;
    expect(record(JSON_LOG, line).agent).toBe(agent);
  });

  it.each([
    ['1448245458', UTC],
    ['1448245458.123', '2015-11-23T02:24:18.123Z'],
    ['1448245458123', '2015-11-23T02:24:18.123Z'],
    ['1448245458123456', '2015-11-23T02:24:18.123Z'],
    ['1448245458123456789', '2015-11-23T02:24:18.123Z'],
    ['1.448245458e9', UTC],
    ['"2015-11-23T02:24:18.123456Z"', '2015-11-23T02:24:18.123Z'],
    ['"23/Nov/2015:03:24:18 +0100"', UTC],
  ])('reads the time %s', (ts, time) => {
    expect(record(JSON_LOG, `{"ts":${ts},"status":200,"uri":"/"}`).time).toBe(time);
  });

  it.each([
    ['{', 'is not a JSON object with a time'],
    ['{}', 'no time where the format has one'],
    ['{"ts":1448245458}', 'no status where the format has one'],
    ['{"ts":1448245458,"status":200', 'is not a JSON object with a time'],
    ['{"ts":1448245458,"status":200,"uri":"/a', 'is not a JSON object with a time'],
    ['[1]', 'is not a JSON object with a time'],
    [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5`, 'is not a JSON object with a time'],
    [`{"a":${'['.repeat(100)}`, 'is not a JSON object with a time'],
    [`${'{"a":'.repeat(5000)}`, 'is not a JSON object with a time'],
    ['  ', 'empty line'],
  ])('leaves %.40s unread', (line, why) => {
    expect(reason(JSON_LOG, line)).toBe(why);
  });
});

describe('odd values', () => {
  const line = (request: string, rest = ' 400 226 "-" "-"') =>
    raw(`192.0.2.7 - - ${TIME} "${request}"${rest}`);

  it.each([
    '2001:db8::1',
    '::1',
    '::ffff:192.0.2.7',
    'fe80::1%eth0',
    'client-7.dsl.example.net',
    'localhost',
  ])('reads the client %s', (client) => {
    expect(record(COMBINED, `${client} - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`).client).toBe(client);
    expect(
      record(VHOST_COMBINED, `example.com:80 ${client} - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`),
    ).toMatchObject({ vhost: 'example.com', client });
  });

  it.each([
    ['bob', 'bob'],
    ['Bob Smith', 'Bob Smith'],
    ['Bob van [the] Smith', 'Bob van [the] Smith'],
    ['bob\\x20\\"x\\"', 'bob "x"'],
    ['""', '""'],
    ['-', undefined],
  ])('reads the user %s', (written, user) => {
    for (const client of ['192.0.2.7', '2001:db8::7'])
      expect(record(COMBINED, `${client} - ${written} ${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`)).toMatchObject(
        {
          client,
          status: 200,
          ...(user === undefined ? {} : { user }),
        },
      );
  });

  it.each([
    ['', {}],
    ['-', {}],
    ['\\x16\\x03\\x01\\x02', { path: '\x16\x03\x01\x02' }],
    ['\x16\x03\x01\x02\x80"\xff', { path: '\x16\x03\x01\x02\\x80"\\xff' }],
    ['\\x16\\x03\\x01\\"\\\\\\n', { path: '\x16\x03\x01"\\\n' }],
    ['GET /\\"a\\" HTTP/1.1', { method: 'GET', path: '/"a"', protocol: 'HTTP/1.1' }],
    ['GET /\\x22a\\x22 HTTP/1.1', { method: 'GET', path: '/"a"', protocol: 'HTTP/1.1' }],
    ['GET /"a" HTTP/1.1', { method: 'GET', path: '/"a"', protocol: 'HTTP/1.1' }],
    ['GET /a" b "c HTTP/1.1', { method: 'GET', path: '/a" b "c', protocol: 'HTTP/1.1' }],
    ['GET /a b c HTTP/1.1', { method: 'GET', path: '/a b c', protocol: 'HTTP/1.1' }],
    ['GET /', { method: 'GET', path: '/' }],
    ['GET  HTTP/1.1', { method: 'GET', protocol: 'HTTP/1.1' }],
    ['GET', { path: 'GET' }],
    ['OPTIONS * HTTP/1.0', { method: 'OPTIONS', path: '*', protocol: 'HTTP/1.0' }],
    ['PRI * HTTP/2.0', { method: 'PRI', path: '*', protocol: 'HTTP/2.0' }],
    ['CONNECT a.example:443 HTTP/1.1', { method: 'CONNECT', path: 'a.example:443', protocol: 'HTTP/1.1' }],
    ['GET http://a.example/?x HTTP/1.1', { method: 'GET', path: 'http://a.example/', query: 'x' }],
    ['GET /a? HTTP/1.1', { method: 'GET', path: '/a', protocol: 'HTTP/1.1' }],
    ['GET /a??b?c HTTP/1.1', { method: 'GET', path: '/a', query: '?b?c', protocol: 'HTTP/1.1' }],
    ['GET /\xc3\xa9\xe9 HTTP/1.1', { method: 'GET', path: '/é\\xe9', protocol: 'HTTP/1.1' }],
    ['GET /a\0b HTTP/1.1', { method: 'GET', path: '/a\0b', protocol: 'HTTP/1.1' }],
    ['GET /a\\', { method: 'GET', path: '/a\\' }],
    ['t3 12.1.2\\n', { method: 't3', path: '12.1.2\n' }],
    ['GET /\\x4g\\x HTTP/1.1', { method: 'GET', path: '/\\x4g\\x', protocol: 'HTTP/1.1' }],
  ])('reads the request "%s"', (request, expected) => {
    for (const choice of [COMBINED, NGINX_COMBINED]) {
      const read = record(choice, line(request));
      expect(read).toMatchObject({ client: '192.0.2.7', status: 400, bytes: 226, ...expected });
      for (const name of ['method', 'path', 'query'] as const)
        if (!(name in expected)) expect(read).not.toHaveProperty(name);
    }
  });

  it.each([
    ['http://example.com/?q=\\"a\\"', 'http://example.com/?q="a"'],
    ['http://example.com/?q=\\x22a\\x22', 'http://example.com/?q="a"'],
    ['http://example.com/?q="a b"', 'http://example.com/?q="a b"'],
    ['\\\\\\\\', '\\\\'],
    ['\xff', '\\xff'],
    ["it's", "it's"],
  ])('reads the referer and the agent "%s"', (written, value) => {
    const { referer, agent } = record(COMBINED, line('GET / HTTP/1.1', ` 200 5 "${written}" "${written}"`));
    expect({ referer, agent }).toEqual({ referer: value, agent: value });
  });

  it('keeps bare quotes in an agent that ends the line', () => {
    const rest = ' 200 5 "-" "Mozilla/4.0 (compatible; "Some" Browser)"';
    expect(record(COMBINED, line('GET / HTTP/1.1', rest)).agent).toBe(
      'Mozilla/4.0 (compatible; "Some" Browser)',
    );
  });

  it.each([' "extra"', ' 0.003', ' "-" 12 "a \\" b"', ' -', ' www.example.com'])(
    'leaves fields behind the format’s last alone: %s',
    (extra) => {
      const rest = ` 200 5 "-" "curl/7.88.1"${extra}`;
      expect(record(COMBINED, line('GET / HTTP/1.1', rest)).agent).toBe('curl/7.88.1');
    },
  );

  it('reads single quotes around the fields', () => {
    const single = `192.0.2.7 - - ${TIME} 'GET /a"b HTTP/1.1' 200 5 'http://example.com/' 'Mozilla'`;
    expect(record(COMBINED, single)).toMatchObject({
      path: '/a"b',
      referer: 'http://example.com/',
      agent: 'Mozilla',
    });
    expect(record(COMBINED, `192.0.2.7 - - ${TIME} 'GET / HTTP/1.1' 200 5`)).toMatchObject({ path: '/' });
  });

  it.each([
    ['', { status: 200 }],
    [' 5', { status: 200, bytes: 5 }],
    [' -', { status: 200, bytes: 0 }],
    [' 5 ', { status: 200, bytes: 5 }],
    [' 5 "-"', { status: 200, bytes: 5 }],
    [' 5 "http://a.example/"', { status: 200, bytes: 5, referer: 'http://a.example/' }],
    [' 5 "http://a.example/" ', { status: 200, bytes: 5, referer: 'http://a.example/' }],
    [' 5 "http://a.ex', { status: 200, bytes: 5 }],
    [' 5 "-" "Mozil', { status: 200, bytes: 5 }],
    [' 5 "-" "', { status: 200, bytes: 5 }],
  ])('reads a line that ends after the status%s', (rest, expected) => {
    const { time, zone, client, method, path, protocol, ...read } = record(
      text('apache', BUILT_IN[2]!.format),
      `192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200${rest}`,
    );
    expect(read).toEqual(expected);
  });

  it('keeps a long value by its beginning and its length, and cuts no letter in two', () => {
    const { path } = record(COMBINED, line(`GET /${'\xc3\xa9'.repeat(10_000)} HTTP/1.1`));
    expect(path).toBe(`/${'é'.repeat(4095)}… (20001 bytes)`);
  });
});

describe('times', () => {
  it.each([
    ['23/Nov/2015:04:24:18 +0200', UTC, 120],
    ['22/Nov/2015:22:54:18 -0330', UTC, -210],
    ['23/Nov/2015:16:24:18 +1400', UTC, 840],
    ['29/Feb/2016:00:00:00 +0000', '2016-02-29T00:00:00.000Z', 0],
    ['31/Dec/2016:23:59:60 +0000', '2017-01-01T00:00:00.000Z', 0],
    ['01/Mar/2000:00:00:00 +0000', '2000-03-01T00:00:00.000Z', 0],
    ['01/Jan/1970:00:00:00 +0000', '1970-01-01T00:00:00.000Z', 0],
    ['28/Feb/2100:23:59:59 +0000', '2100-02-28T23:59:59.000Z', 0],
  ])('reads %s', (time, utc, zone) => {
    expect(record(COMMON, `192.0.2.7 - - [${time}] "GET / HTTP/1.1" 200 5`)).toMatchObject({
      time: utc,
      zone,
    });
  });

  it('agrees with the calendar on every day of two centuries', () => {
    const format = text('apache', '%{%F}t %>s');
    const days = Array.from({ length: 84_000 }, (_, i) => new Date(i * 86_400_000).toISOString());
    const log = readLog(format, [days.map((d) => `${d.slice(0, 10)} 200\n`).join('')]);
    expect(log.records.map((r) => r.time)).toEqual(days);
  });

  it.each([
    '29/Feb/2015:00:00:00 +0000',
    '29/Feb/2100:00:00:00 +0000',
    '31/Apr/2015:00:00:00 +0000',
    '00/Apr/2015:00:00:00 +0000',
    '23/Nox/2015:02:24:18 +0000',
    '23/Nov/2015:24:24:18 +0000',
    '23/Nov/2015:02:60:18 +0000',
    '23/Nov/2015:02:24:61 +0000',
    '23/Nov/2015:02:24:18 +1600',
    '23/Nov/2015:02:24:18 0000',
    '23/Nov/2015:02:24:18',
    '23/Nov/1915:02:24:18 +0000',
    '3/Nov/2015:02:24:18 +0000',
  ])('finds no time in %s', (time) => {
    expect(reason(COMMON, `192.0.2.7 - - [${time}] "GET / HTTP/1.1" 200 5`)).toBe(
      'no time where the format has one',
    );
  });

  it.each(['2015-11-23 25:24:18', '2015-11-23 02:99:18', '2015-13-23 02:24:18', '2015-11-23 02:24'])(
    'finds no time in %s either',
    (time) => {
      expect(reason(text('apache', '%h %{%F %T}t %>s'), `192.0.2.7 ${time} 200`)).toBe(
        'no time where the format has one',
      );
    },
  );

  it('follows a change of zone in mid-file', () => {
    const at = (time: string) => `192.0.2.7 - - [${time}] "GET / HTTP/1.1" 200 5\n`;
    const log = readLog(COMMON, [
      at('25/Oct/2015:02:59:59 +0200'),
      at('25/Oct/2015:02:00:00 +0100'),
      at('27/Mar/2016:01:59:59 +0100'),
      at('27/Mar/2016:03:00:00 +0200'),
    ]);
    expect(log.records.map(({ time, zone }) => [time, zone])).toEqual([
      ['2015-10-25T00:59:59.000Z', 120],
      ['2015-10-25T01:00:00.000Z', 60],
      ['2016-03-27T00:59:59.000Z', 60],
      ['2016-03-27T01:00:00.000Z', 120],
    ]);
  });
});

describe('unread lines', () => {
  const whole = `192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`;

  it.each([
    ['', 'empty line'],
    ['\r', 'empty line'],
    ['   \t ', 'empty line'],
    ['\0\0\0', 'empty line'],
    ['\ufeff', 'empty line'],
    ['garbage', 'does not have the shape of this log’s format'],
    ['Segmentation fault (core dumped)', 'does not have the shape of this log’s format'],
    [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" abc 5`, 'does not have the shape of this log’s format'],
    [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 20`, 'no status where the format has one'],
    [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 2000 5`, 'no status where the format has one'],
    [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 abc`, 'no number where the format has one'],
    [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200 5x`, 'no number where the format has one'],
    ['192.0.2.7 - - [today] "GET / HTTP/1.1" 200 5', 'does not have the shape of this log’s format'],
    ['192.0.2.7 - - [23/Nov/2015] "GET / HTTP/1.1" 200', 'no time where the format has one'],
    ['\xff\xfe\xfa', 'does not have the shape of this log’s format'],
  ])('says why: %j', (line, why) => {
    expect(reason(COMBINED, raw(line.replace('\ufeff', '\xef\xbb\xbf')))).toBe(why);
  });

  it('never reads what a crash cut anywhere before the status', () => {
    const status = whole.indexOf(' 200');
    for (let cut = 1; cut <= status + 3; cut++)
      expect(readLog(COMBINED, [whole.slice(0, cut)])).toMatchObject({ records: [], lines: 1 });
  });

  it('says of a last line without newline that it is to be read again, and where it begins', () => {
    const start = `${whole}\n`;
    expect(readLog(COMBINED, [start, whole])).toMatchObject({
      lines: 2,
      pending: 'record',
      upTo: start.length,
      unread: {},
    });
    expect(readLog(COMBINED, [start, whole.slice(0, 40)])).toMatchObject({
      lines: 2,
      pending: Unread.badTime,
      upTo: start.length,
    });
    expect(readLog(COMBINED, [start])).toMatchObject({ lines: 1, pending: 'no', upTo: start.length });
    expect(readLog(COMBINED, [])).toMatchObject({ lines: 0, pending: 'no', upTo: 0 });
  });

  it('takes no part of a line for one where an archive breaks off', () => {
    const log = readLog(COMBINED, [`${whole}\n`, whole], true);
    expect(log).toMatchObject({ lines: 2, unread: { 1: 'breaks off in mid-line' }, counts: {} });
  });

  it('passes over NULs before a line, as a crash leaves them, and keeps those inside', () => {
    const log = readLog(COMBINED, [
      `${whole}\n${'\0'.repeat(5000)}${whole}\n`,
      `${whole.replace('/ ', '/\0 ')}\n`,
    ]);
    expect(log.records.map((r) => r.path)).toEqual(['/', '/', '/\0']);
  });

  it('passes over a byte order mark', () => {
    expect(record(COMBINED, `\ufeff${whole}`).client).toBe('192.0.2.7');
  });

  it('reads CRLF', () => {
    const log = readLog(COMBINED, [`${whole}\r\n`, `${whole.replace('"-" "-"', '"-" "x"')}\r\n`]);
    expect(log.records.map((r) => r.agent)).toEqual([undefined, 'x']);
    expect(readLog(COMMON, [`192.0.2.7 - - ${TIME} "GET / HTTP/1.1" 200\r\n`]).records).toHaveLength(1);
  });

  it('counts a line of 3 MB once, shows its beginning, and goes on behind it', () => {
    const long = whole.replace('/', `/${'a'.repeat(3 << 20)}`);
    const bytes = Buffer.from(`${whole}\n${long}\n${whole}\n`);
    for (const size of [bytes.length, 1 << 20, 300_001]) {
      const chunks = chunked(bytes, [size]);
      const log = readLog(COMBINED, chunks);
      expect(log).toMatchObject({ lines: 3, unread: { 1: 'longer than 1 MB' }, upTo: bytes.length });
      expect(log.records.map((r) => r.line)).toEqual([0, 2]);
    }
  });

  it('says of an unfinished line of 3 MB that it is to be read again from its beginning', () => {
    const bytes = Buffer.from(`${whole}\n${whole.replace('/', `/${'a'.repeat(3 << 20)}`)}`);
    for (const size of [bytes.length, 1 << 20, 300_001])
      expect(readLog(COMBINED, chunked(bytes, [size]))).toMatchObject({
        lines: 2,
        unread: { 1: 'longer than 1 MB' },
        upTo: whole.length + 1,
        pending: Unread.tooLong,
      });
  });

  it('lets go of a batch though nothing in it was read', () => {
    const log = readLog(NGINX_COMBINED, [Array.from({ length: 300_000 }, (_, i) => `host${i} x\n`).join('')]);
    expect(log).toMatchObject({ lines: 300_000, records: [], batches: 2 });
  });

  it('reads each line by the format that fits it, where a log changed its format', () => {
    const log = readLog(COMBINED, [
      `${whole}\n`,
      `192.0.2.7 - - ${TIME} "GET /b HTTP/1.1" 200 5\n`,
      `example.com:80 ${whole}\n`,
      `example.com ${whole}\n`,
      `example.com ${whole.replace('- - [', '- bob [')}\n`,
    ]);
    expect(log.unread).toEqual({});
    expect(log.records.map((r) => r.client)).toEqual(Array(5).fill('192.0.2.7'));
    expect(log.records.map((r) => r.vhost)).toEqual([
      undefined,
      undefined,
      'example.com',
      'example.com',
      'example.com',
    ]);
  });
});

/** Pieces of the given sizes, over and over. */
function chunked(bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!)
    chunks.push(bytes.subarray(at, at + sizes[i % sizes.length]!));
  return chunks;
}

describe('whatever the bytes are', () => {
  const CHOICES: FormatChoice[] = [
    COMBINED,
    VHOST_COMBINED,
    JSON_LOG,
    NGINX_COMBINED,
    text('apache', '[%{%F %T}t.%{msec_frac}t %{%z}t] %v:%p %{X-Forwarded-For}i "%r" %>s - %b - %D'),
    text('nginx', '{"t":"$time_iso8601","c":"$remote_addr","r":"$request","s":$status,"d":$request_time}'),
  ];
  const LINES = [
    `192.0.2.7 - - ${TIME} "GET /a?b HTTP/1.1" 200 5 "http://example.com/" "Mozilla \\"x\\""`,
    `example.com:80 2001:db8::7 - bob smith ${TIME} "" 408 - "-" "-"`,
    `example.com:80 203.0.113.9, 192.0.2.1 ${TIME} "GET /" 304 - 12 - 13`,
    `[2015-11-23 02:24:18.123 +0200] a.example:80 203.0.113.9, 192.0.2.1 "GET /" 304 - 12 - 13`,
    '{"ts":1448245458.5,"request":{"uri":"/a","headers":{"User-Agent":["x"]}},"status":200}',
    '{"t":"2015-11-23T02:24:18Z","c":"::1","r":"GET / HTTP/1.1","s":200,"d":0.1}',
    '{}',
  ].map(raw);
  const TOKENS = [
    '"',
    '\\',
    ' ',
    ' [',
    '] "',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '-',
    '\0',
    '\r',
    '\n',
    'Z',
    '\xff',
    '200',
    '\xef\xbb\xbf',
  ];

  /** Soup that looks enough like logs to get far into the readers. */
  const soup = fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...TOKENS).map(raw) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
        {
          weight: 3,
          arbitrary: fc
            .tuple(fc.constantFrom(...LINES), fc.nat(150), fc.nat(150))
            .map(([line, from, length]) => line.subarray(from % line.length, (from % line.length) + length)),
        },
        { weight: 3, arbitrary: fc.constantFrom(...LINES).map((line) => Buffer.concat([line, raw('\n')])) },
      ),
      { maxLength: 24 },
    )
    .map((parts) => Buffer.concat(parts));
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });

  it('every line is a record or unread, and chunks make no difference', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHOICES), soup, sizes, (choice, bytes, chunkSizes) => {
        const whole = readLog(choice, [bytes]);
        expect(whole.lines).toBe(linesOf(bytes));
        expect(readLog(choice, chunked(bytes, chunkSizes))).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it('what a reader read before makes no difference', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHOICES), soup, soup, (choice, first, bytes) => {
        const start = Buffer.concat([first, raw('\n')]);
        const both = readLog(choice, [start, bytes]);
        const before = linesOf(start);
        const moved = both.records
          .filter((r) => r.line >= before)
          .map((r) => ({ ...r, line: r.line - before }));
        expect(moved).toEqual(readLog(choice, [bytes]).records);
      }),
      { numRuns: 200 },
    );
  });

  it('detection throws at nothing', () => {
    fc.assert(
      fc.property(soup, (bytes) => {
        const found = detectAccessLog(bytes, 'x');
        if (found) expect(found.read).toBeLessThanOrEqual(found.lines);
      }),
      { numRuns: 100 },
    );
  });
});

it('gives the same batches however a long log is cut into chunks', () => {
  const lines = Array.from(
    { length: 70_000 },
    (_, i) =>
      `192.0.2.${i % 250} - - ${TIME} "GET /${i % 9000} HTTP/1.1" ${i % 7 ? 200 : 'x'} ${i} "-" "a${i % 11}"\n`,
  );
  const bytes = bytesOf(lines.join(''));
  const whole = readLog(COMBINED, [bytes]);
  expect(whole.batches).toBeGreaterThan(1);
  const pieces = readLog(COMBINED, chunked(bytes, [65_536, 1, 700_001, 4095]));
  expect(pieces.records.length).toBe(whole.records.length);
  expect(pieces.records.every((r, i) => JSON.stringify(r) === JSON.stringify(whole.records[i]))).toBe(true);
  expect({ ...pieces, records: 0 }).toEqual({ ...whole, records: 0 });
});
