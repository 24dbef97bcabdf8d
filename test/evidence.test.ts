import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, createWriteStream, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { culprit, examine, lines, scratch, sql } from './culprit.js';

const asRoot = process.getuid?.() === 0;
const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

describe('evidence in any wrapping', () => {
  it('files, folders, globs, archives and compression are read alike', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const logs = join(folder, 'sosreport-web1', 'var', 'log', 'apache2');
    mkdirSync(logs, { recursive: true });
    writeFileSync(join(logs, 'a-access.log'), lines(0, 100));
    writeFileSync(
      join(logs, 'b-access.log.gz'),
      Buffer.concat([gzipSync(lines(100, 150)), gzipSync(lines(150, 200))]),
    );
    const packers: [string, string[], string][] = [
      ['xz', ['-c'], 'xz'],
      ['bzip2', ['-c'], 'bz2'],
      ['zstd', ['-c', '-q'], 'zst'],
    ];
    let count = 200;
    for (const [program, args, ending] of packers) {
      if (!has(program)) {
        console.warn(`${program} is not installed: its file is not tested`);
        continue;
      }
      const packed = execFileSync(program, args, { input: lines(count, count + 10) });
      // The name says nothing about how it is packed.
      writeFileSync(join(logs, `c-${ending}-access.log`), packed);
      count += 10;
    }
    const tar = join(folder, 'sos.tar');
    execFileSync('tar', ['-cf', tar, '-C', folder, 'sosreport-web1']);
    writeFileSync(`${tar}.packed`, gzipSync(execFileSync('cat', [tar])));
    const cases = [[join(folder, 'sosreport-web1')], [join(logs, '*access*')], [tar], [`${tar}.packed`]];
    for (const paths of cases) {
      const report = await examine(paths, { state });
      expect(report.sources.reduce((n, s) => n + s.records, 0)).toBe(count);
      expect(report.sources.every((s) => s.error === undefined)).toBe(true);
    }
    // All at once: the same content again.
    const report = await examine(cases.flat(), { state });
    expect(report.sources.reduce((n, s) => n + s.records, 0)).toBe(count);
  });

  it('a pipe, plain or packed', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    for (const input of [lines(0, 300), gzipSync(lines(0, 300))]) {
      const report = await examine(['-'], { state, input, args: ['--fresh'] });
      expect(report.sources).toMatchObject([{ path: '-', records: 300, unread: 0 }]);
    }
    const again = await examine(['-'], { state, input: lines(0, 310) });
    expect(again.sources).toMatchObject([{ path: '-', records: 310 }]);
  });
});

describe('evidence that is not whole', () => {
  it('is named with what is wrong, and the rest is read', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const logs = join(folder, 'logs');
    mkdirSync(join(logs, 'inner'), { recursive: true });
    writeFileSync(join(logs, 'good-access.log'), lines(0, 200));
    writeFileSync(join(logs, 'no-newline-access.log'), lines(300, 310).trimEnd());
    const packed = gzipSync(lines(1000, 9000));
    writeFileSync(join(logs, 'cut-access.log.gz'), packed.subarray(0, packed.length / 2));
    writeFileSync(join(logs, 'empty-access.log'), '');
    writeFileSync(join(logs, 'picture.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 1, 2, 3]));
    writeFileSync(join(logs, 'locked-access.log'), lines(500, 510));
    chmodSync(join(logs, 'locked-access.log'), 0);
    if (asRoot) console.warn('root may read everything: no permission is not tested');
    symlinkSync(logs, join(logs, 'inner', 'loop'));
    symlinkSync('/nowhere/access.log', join(logs, 'dangling-access.log'));
    execFileSync('mkfifo', [join(logs, 'fifo-access.log')]);
    const missing = join(folder, 'not-there.log');
    const report = await examine([logs, missing], { state });
    const of = (name: string) => report.sources.find((s) => s.path.endsWith(name));
    expect(of('good-access.log')).toMatchObject({ records: 200, unread: 0 });
    expect(of('no-newline-access.log')).toMatchObject({ records: 10, unread: 0 });
    const cut = of('cut-access.log.gz')!;
    expect(cut.records).toBeGreaterThan(1000);
    expect(cut.records).toBeLessThan(8000);
    expect(cut.error).toMatch(/after \d+ bytes/);
    expect(of('empty-access.log')!.error).toMatch(/empty/);
    expect(of('picture.jpg')).toMatchObject({ format: null, records: 0 });
    expect(of('dangling-access.log')!.error).toMatch(/no such file/);
    if (!asRoot) expect(of('locked-access.log')!.error).toMatch(/permission/);
    expect(of('not-there.log')!.error).toMatch(/no such file/);
    // It was named, and could not be read.
    expect(report.status).toBe(2);
    expect(report.stderr).toMatch(/error: .*\n +why: .*\n +at: .*not-there\.log\n help: /);
    expect(report.stderr).not.toMatch(/\n {4}at /);
    // What was readable of a cut file, and then the whole: each line once.
    writeFileSync(join(logs, 'cut-access.log.gz'), packed);
    await examine([logs], { state });
    expect(
      await sql(
        "select count(*) as n, count(distinct line) as places from requests where source like '%cut%'",
        { state },
      ),
    ).toEqual([{ n: 8000, places: 8000 }]);
  });

  it('and nothing else is exit status 2', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const garbage = join(folder, 'garbage.log');
    writeFileSync(garbage, 'these are\nno requests\n');
    for (const args of [
      [join(folder, 'nothing')],
      [garbage],
      [join(folder, '*.nothing')],
      ['--log-format', '%h', garbage],
      ['--frob'],
    ]) {
      const run = await culprit(args, { state });
      expect(run.status).toBe(2);
      expect(run.stderr).not.toBe('');
    }
  });

  it('counts every line, and shows where it could not be read', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    const odd = [
      '',
      'no request at all',
      '\0\0\0\0',
      '10.0.0.1 - - [99/Foo/2015:00:00:00 +0000] "GET / HTTP/1.1" 200 1',
      'x'.repeat(2 << 20),
    ];
    writeFileSync(log, lines(0, 50) + odd.map((l) => `${l}\n`).join('') + lines(50, 100));
    const report = await examine([log], { state });
    expect(report.sources[0]).toMatchObject({ records: 100, unread: odd.length });
    const run = await culprit(['sources', '--json'], { state });
    const { unread } = JSON.parse(run.stdout) as {
      unread: { path: string; line: number; reason: string; count: number }[];
    };
    expect(unread.reduce((n, u) => n + u.count, 0)).toBe(odd.length);
    for (const u of unread) {
      expect(u.path).toBe(log);
      expect(u.line).toBeGreaterThan(50);
      expect(u.line).toBeLessThanOrEqual(50 + odd.length);
    }
  });

  it('a bomb is given up, out loud', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const bomb = join(folder, 'access.log.gz');
    const zeros = async function* () {
      yield Buffer.from(lines(0, 3));
      const block = Buffer.alloc(1 << 20);
      for (let i = 0; i < 400; i++) yield block;
    };
    await pipeline(zeros, createGzip({ level: 9 }), createWriteStream(bomb));
    const report = await examine([bomb], { state });
    expect(report.status).toBe(2);
    expect(report.sources[0]!.records).toBe(3);
    expect(report.sources[0]!.error).toMatch(/400 times/);
    const more = await examine([bomb], { state, args: ['--max-expand', '5000', '--fresh'] });
    expect(more.sources[0]!.error).toBeUndefined();
    expect(more.sources[0]!.records + more.sources[0]!.unread).toBe(4);
  });

  it('a log may grow while it is read', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    writeFileSync(log, lines(0, 60_000));
    const running = culprit([log], { state });
    for (let i = 0; i < 40; i++) {
      appendFileSync(log, lines(60_000 + i * 50, 60_050 + i * 50));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([0, 1]).toContain((await running).status);
    await examine([log], { state });
    expect(
      await sql('select count(*) as n, count(distinct line) as places from request_facts', { state }),
    ).toEqual([{ n: 62_000, places: 62_000 }]);
  });
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: Apache's own variables
describe('access logs as servers write them', () => {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/42.0';

  it('by the format that is given', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'custom.log');
    const row = (i: number) =>
      `2015-11-0${1 + (i % 9)}T10:00:00+01:00|shop.example|200|${1000 + i}|GET /x?a=${i} HTTP/1.1|0.25${i % 10}|192.0.2.${i}\n`;
    writeFileSync(log, Array.from({ length: 90 }, (_, i) => row(i)).join(''));
    const format = '$time_iso8601|$host|$status|$bytes_sent|$request|$request_time|$remote_addr';
    const report = await examine([log], { state, args: ['--log-format', format] });
    expect(report.sources[0]).toMatchObject({ records: 90, unread: 0, bytesKind: 'sent' });
    expect(report.period.zone).toBe('+01:00');
    expect(
      await sql('select vhost, path, count(*) as n, max(duration_us) as d from requests group by all', {
        state,
      }),
    ).toEqual([{ vhost: 'shop.example', path: '/x', n: 90, d: 259_000 }]);
  });

  it('by the configuration among the evidence', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    mkdirSync(join(folder, 'ev', 'etc'), { recursive: true });
    mkdirSync(join(folder, 'ev', 'log'));
    writeFileSync(
      join(folder, 'ev', 'etc', 'site.conf'),
      'LogFormat "%t %{Host}i %h %>s %O %D \\"%r\\"" odd\n<VirtualHost *:80>\n CustomLog ${APACHE_LOG_DIR}/www1.log odd\n ServerName choir.example\n</VirtualHost>\n' +
        '<VirtualHost *:80>\n ServerName hills.example\n CustomLog ${APACHE_LOG_DIR}/www2.log combined\n</VirtualHost>\nLogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined\n',
    );
    writeFileSync(
      join(folder, 'ev', 'log', 'www1.log'),
      '[01/Nov/2015:10:00:00 +0000] - 192.0.2.1 200 512 1500 "GET /a HTTP/1.1"\n'.repeat(5),
    );
    writeFileSync(join(folder, 'ev', 'log', 'www2.log.1'), lines(0, 5));
    const report = await examine([join(folder, 'ev')], { state });
    expect(report.sources.find((s) => s.path.endsWith('site.conf'))!.format).toBe('apache-config');
    expect(
      await sql(
        'select vhost, bytes_kind, count(*) as n, max(duration_us) as d from requests group by all order by vhost',
        { state },
      ),
    ).toEqual([
      { vhost: 'choir.example', bytes_kind: 'sent', n: 5, d: 1500 },
      { vhost: 'hills.example', bytes_kind: 'sent', n: 5, d: null },
    ]);
  });

  it('bodies and bytes on the wire are never added up', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const not = (bytes: string) =>
      `192.0.2.1 - - [02/Nov/2015:10:00:00 +0000] "GET /a HTTP/1.1" 304 ${bytes} "-" "${agent}"\n`;
    writeFileSync(join(folder, 'one.example-access.log'), lines(0, 20) + not('-').repeat(5));
    writeFileSync(join(folder, 'two.example-access.log'), lines(100, 120) + not('180').repeat(5));
    await examine([folder], { state });
    const run = await culprit(['top', 'bytes', '--by', 'method', '--json'], { state });
    const rows = JSON.parse(run.stdout) as { bytes_kind: string; bytes: number }[];
    expect(rows.map((r) => r.bytes_kind).toSorted()).toEqual(['body', 'sent']);
  });

  it('as JSON', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const caddy = {
      level: 'info',
      ts: 1446336000.25,
      logger: 'http.log.access',
      msg: 'handled request',
      request: {
        remote_ip: '192.0.2.1',
        proto: 'HTTP/2.0',
        method: 'GET',
        host: 'c.example',
        uri: '/a?b=1',
        headers: { 'User-Agent': [agent] },
      },
      duration: 0.001,
      size: 10,
      status: 200,
    };
    const nginx = {
      time_iso8601: '2015-11-01T00:00:00+00:00',
      remote_addr: '192.0.2.2',
      request: 'GET /n HTTP/1.1',
      status: '200',
      body_bytes_sent: '20',
      http_user_agent: agent,
      host: 'n.example',
    };
    const traefik = {
      ClientHost: '192.0.2.3',
      DownstreamContentSize: 30,
      DownstreamStatus: 200,
      Duration: 2_000_000,
      RequestHost: 't.example',
      RequestMethod: 'GET',
      RequestPath: '/t',
      RequestProtocol: 'HTTP/1.1',
      StartUTC: '2015-11-01T00:00:00Z',
    };
    for (const [name, object] of Object.entries({ caddy, nginx, traefik }))
      writeFileSync(join(folder, `${name}.log`), `${JSON.stringify(object)}\n`.repeat(3));
    const report = await examine([folder], { state });
    expect(report.sources.map((s) => [s.records, s.unread])).toEqual([
      [3, 0],
      [3, 0],
      [3, 0],
    ]);
    expect(
      await sql(
        'select vhost, client, method, path, query, status, bytes, duration_us as d from requests group by all order by vhost',
        { state },
      ),
    ).toEqual([
      {
        vhost: 'c.example',
        client: '192.0.2.1',
        method: 'GET',
        path: '/a',
        query: 'b=1',
        status: 200,
        bytes: 10,
        d: 1000,
      },
      {
        vhost: 'n.example',
        client: '192.0.2.2',
        method: 'GET',
        path: '/n',
        query: null,
        status: 200,
        bytes: 20,
        d: null,
      },
      {
        vhost: 't.example',
        client: '192.0.2.3',
        method: 'GET',
        path: '/t',
        query: null,
        status: 200,
        bytes: 30,
        d: 2000,
      },
    ]);
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
