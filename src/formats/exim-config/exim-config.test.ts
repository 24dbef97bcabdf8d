import { describe, expect, it } from 'vitest';
import { type ConfigFile, detectEximConfig, readEximConfig } from './exim-config.js';

const read = (text: string, more: ConfigFile[] = []) =>
  readEximConfig([{ path: 'etc/exim/exim.conf', text }, ...more])!;
const values = (settings: { name: string; value: string }[]) =>
  Object.fromEntries(settings.map((s) => [s.name, s.value]));

describe('an Exim configuration', () => {
  const WHOLE = `# our own
primary_hostname = mx1.example.com
domainlist local_domains = @ : example.com
hide mysql_servers = "db/\\"quoted\\"\\tname"
retry_interval_max = 12h
no_queue_only
split_spool_directory

begin routers
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  no_more

begin transports
remote_smtp:
  driver = smtp
  hosts_try_fastopen = !*
  headers_add = A: 1
  headers_add = B: 2

begin retry
*.example.net  timeout_connect  senders="a@b.example : c@d.example"  f,1h,5m
*              *                F,2h,15m; G,16h,1h,1.5; F,4d,6h
`;

  it('has its options, drivers and retry rules, each with the line where it begins', () => {
    const config = read(WHOLE);
    expect(config.problems).toEqual([]);
    expect(values(config.main)).toEqual({
      primary_hostname: 'mx1.example.com',
      'domainlist local_domains': '@ : example.com',
      mysql_servers: 'db/"quoted"\tname',
      retry_interval_max: '12h',
      queue_only: 'false',
      split_spool_directory: 'true',
    });
    expect(config.routers).toMatchObject([{ name: 'dnslookup', driver: 'dnslookup', line: 10 }]);
    expect(values(config.routers[0]!.options)).toMatchObject({ more: 'false', domains: '! +local_domains' });
    expect(config.transports[0]!.options.find((o) => o.name === 'hosts_try_fastopen')).toEqual({
      name: 'hosts_try_fastopen',
      value: '!*',
      path: 'etc/exim/exim.conf',
      line: 19,
    });
    expect(config.retry).toEqual([
      {
        pattern: '*.example.net',
        error: 'timeout_connect',
        senders: 'a@b.example : c@d.example',
        parameters: ['F,1h,5m'],
        path: 'etc/exim/exim.conf',
        line: 24,
      },
      {
        pattern: '*',
        error: '*',
        senders: null,
        parameters: ['F,2h,15m', 'G,16h,1h,1.5', 'F,4d,6h'],
        path: 'etc/exim/exim.conf',
        line: 25,
      },
    ]);
  });

  it('joins continued lines over comments, and keeps the line of the beginning', () => {
    const config = read('log_selector = +a \\\n  # not this\n   +b \\\n\n\nspool_directory = /s\n');
    expect(config.main).toMatchObject([
      { name: 'log_selector', value: '+a +b', line: 1 },
      { name: 'spool_directory', value: '/s', line: 6 },
    ]);
  });

  it('replaces macros wherever their name stands, but not in the name that is being defined', () => {
    const config = read('DIR = /var\nSPOOL = DIR/spool\nSPOOL == SPOOL/exim\nspool_directory = SPOOLX\n');
    expect(values(config.main)).toEqual({ spool_directory: '/var/spool/eximX' });
    expect(config.macros.map((m) => [m.name, m.value])).toEqual([
      ['DIR', '/var'],
      ['SPOOL', '/var/spool/exim'],
    ]);
  });

  it('follows conditions as macros hold or not', () => {
    const config = read(
      'A = 1\n.ifdef NOPE\nx = 1\n.elifdef A\nx = 2\n.ifndef A\ny = 1\n.else\ny = 2\n.endif\n.else\nx = 3\n.endif\n',
    );
    expect(values(config.main)).toEqual({ x: '2', y: '2' });
  });

  it('takes built-in macros as there, and says so', () => {
    const config = read('.ifdef _OPT_MAIN_CHUNKING_ADVERTISE_HOSTS\nchunking_advertise_hosts =\n.endif\n');
    expect(values(config.main)).toEqual({ chunking_advertise_hosts: '' });
    expect(config.open).toMatchObject([{ line: 1 }]);
    expect(config.open[0]!.says).toContain('_OPT_MAIN_CHUNKING_ADVERTISE_HOSTS');
  });

  it('follows includes among the given files, and names those that are missing', () => {
    const config = read('.include /etc/exim/local\n.include_if_exists /etc/exim/none\nlast = 1\n', [
      { path: 'etc/exim/local', text: 'first = 1\n' },
    ]);
    expect(config.main).toMatchObject([
      { name: 'first', path: 'etc/exim/local', line: 1 },
      { name: 'last', path: 'etc/exim/exim.conf', line: 3 },
    ]);
    expect(config.open).toMatchObject([{ line: 2 }]);
  });

  it('goes on after what Exim would refuse', () => {
    const config = read('begin retry\n* timeout_foo F,1h,1m\n* * F,1h,1m\n');
    expect(config.problems).toEqual([
      {
        path: 'etc/exim/exim.conf',
        line: 2,
        says: '"A", "MX", or "connect" expected after "timeout"',
      },
    ]);
    expect(config.retry).toHaveLength(1);
  });
});

describe('a hostile configuration', () => {
  const quick = (text: string) => {
    const start = performance.now();
    const config = read(text);
    expect(performance.now() - start).toBeLessThan(4_000);
    return config;
  };

  it('does not grow without bounds when each macro doubles the one before', () => {
    const lines = ['M0X = ha'];
    for (let i = 1; i < 64; i++) lines.push(`M${i}X = M${i - 1}X M${i - 1}X`);
    const config = quick(`${lines.join('\n')}\n`);
    expect(Math.max(...config.macros.map((m) => m.value.length))).toBeLessThan(70_000);
    expect(config.problems.length).toBeGreaterThan(0);
  });

  it('stops following a file that includes itself', () => {
    expect(quick('.include /etc/exim/exim.conf\nx = 1\n').open[0]!.says).toContain('nested');
  });

  it('takes many macros, long lines and endless continuations in its stride', () => {
    quick(
      Array.from({ length: 20_000 }, (_, i) => `Q${String(i).padStart(6, '0')} = QQQQQQ\nx${i} = QQ Q0`).join(
        '\n',
      ),
    );
    quick('x = \\\n'.repeat(300_000));
    quick(`spool_directory = "${'\\x'.repeat(500_000)}`);
    quick(`begin retry\n* * ${'F,1h,1m;'.repeat(100_000)}`);
  });
});

describe("Debian's /etc/exim4", () => {
  const split = (use: string, extra: ConfigFile[] = []): ConfigFile[] => [
    { path: 'etc/exim4/conf.d/retry/30_own', text: '* * F,4d,6h\n' },
    { path: 'etc/exim4/conf.d/retry/00_head', text: 'begin retry\n' },
    { path: 'etc/exim4/conf.d/retry/20_slow.dpkg-old', text: 'bad line here\n' },
    { path: 'etc/exim4/conf.d/transport/30_smtp', text: 'remote_smtp:\n  driver = smtp\n' },
    { path: 'etc/exim4/conf.d/transport/00_head', text: 'begin transports\n' },
    {
      path: 'etc/exim4/conf.d/main/01_macros',
      text: 'UPEX4CmacrosUPEX4C = 1\n.ifdef DCconfig_smarthost\nhost = DCsmarthost\n.endif\nlocal = MAIN_LOCAL_DOMAINS\n',
    },
    {
      path: 'etc/exim4/update-exim4.conf.conf',
      text: `# answers\ndc_eximconfig_configtype='smarthost'\ndc_smarthost='Relay.example.com::587'\ndc_other_hostnames='example.com;example.org'\ndc_use_split_config='${use}'\n`,
    },
    { path: 'etc/exim4/exim4.conf.template', text: 'begin retry\n* * F,1d,1h\n' },
    { path: 'var/lib/exim4/config.autogenerated', text: 'begin retry\n* * F,9d,9h\n' },
    ...extra,
  ];

  it('is read from conf.d in the order of update-exim4.conf, with the answers as macros', () => {
    const config = readEximConfig(split('true'))!;
    expect(config.scheme).toBe('debian-split');
    expect(config.problems).toEqual([]);
    expect(values(config.main)).toEqual({
      host: 'relay.example.com::587',
      local: '@:localhost:example.com:example.org',
    });
    expect(config.retry).toMatchObject([{ path: 'etc/exim4/conf.d/retry/30_own', line: 1 }]);
    expect(config.files).not.toContain('etc/exim4/conf.d/retry/20_slow.dpkg-old');
  });

  it('is read from the template when the configuration is not split', () => {
    const config = readEximConfig(split('false'))!;
    expect(config.scheme).toBe('debian-template');
    expect(config.retry).toMatchObject([{ parameters: ['F,1d,1h'], line: 2 }]);
  });

  it('takes name.rul instead of name', () => {
    const rul = { path: 'etc/exim4/conf.d/retry/30_own.rul', text: '* * F,2d,2h\n' };
    expect(readEximConfig(split('true', [rul]))!.retry).toMatchObject([{ parameters: ['F,2d,2h'] }]);
  });

  it('is passed over when exim4.conf is there', () => {
    const own = { path: 'etc/exim4/exim4.conf', text: 'begin retry\n* * F,3d,3h\n' };
    expect(readEximConfig(split('true', [own]))!.retry).toMatchObject([{ parameters: ['F,3d,3h'] }]);
  });

  it('is read from the generated file when that is all there is, and says so', () => {
    const config = readEximConfig(split('true').filter((f) => f.path.startsWith('var')))!;
    expect(config.retry).toMatchObject([{ parameters: ['F,9d,9h'] }]);
    expect(config.open[0]!.says).toContain('generated');
  });
});

describe('detectEximConfig', () => {
  const detect = (text: string, path = 'x') => detectEximConfig(Buffer.from(text), path);

  it('knows a configuration by its sections', () => {
    expect(detect('a = b\nbegin routers\nbegin transports\n')).toBe(true);
    expect(detect('begin transports\nx:\n  driver = smtp\n')).toBe(true);
  });

  it('knows fragments of conf.d and their answers by path and content', () => {
    const path = 'etc/exim4/conf.d/retry/30_exim4-config';
    expect(detect('\n### comment\n*  *  F,2h,15m\n', path)).toBe(true);
    expect(detect('\n### nothing but a heading\n', path)).toBe(true);
    expect(detect('*  *  F,2h,15m\n', 'notes/30_exim4-config')).toBe(false);
    expect(detect("dc_eximconfig_configtype='internet'\n", 'x')).toBe(true);
  });

  it('leaves logs, other configurations and binary files to others', () => {
    expect(detect('2026-03-02 04:11:09 1xVTMI-00089m-30 <= a@example.com\n')).toBe(false);
    expect(detect('myhostname = mx1.example.com\nmynetworks = 127.0.0.0/8\n', 'main.cf')).toBe(false);
    expect(detect('begin transports\nbegin routers\n\0')).toBe(false);
  });
});
