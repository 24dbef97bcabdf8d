import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEximConfig } from './exim-config.js';

/** Exim itself says what it refuses and where, and what a configuration comes to. */
const EXIM = ['/usr/sbin/exim4', '/usr/sbin/exim'].find((path) => existsSync(path));
const DEBIAN = existsSync('/etc/exim4/conf.d') && existsSync('/usr/sbin/update-exim4.conf');

const REFUSED = [
  'A=1\nAB=2\n',
  'A=1\nA=2\n',
  'A==2\n',
  '.ifdef X\n',
  '.endif\n',
  'begin foo\n',
  'begin retry\nbegin retry\n',
  'queue_only\nqueue_only\n',
  'spool_directory = "abc\n',
  'spool_directory = "abc" d\n',
  'spool_directory foo\n',
  '=x\n',
  'FOO bar\n',
  '.include_if_exists rel\n',
  'begin transports\ndriver = smtp\n',
  'begin transports\na:\n driver=smtp\na:\n driver=smtp\n',
  'begin transports\na: b\n',
  'begin transports\na:\n driver=smtp\n port=1\n port=2\n',
  'begin retry\n*\n',
  'begin retry\n* \\\n  * \\\n X,1h,1m\n',
  'begin retry\n* * F,1h\n',
  'begin retry\n* * F 1h,1m\n',
  'begin retry\n* * F,1h,1m G,1h,1m,2\n',
  'begin retry\n* * F,1h,1m,2m\n',
  'begin retry\n* * F,1h,0s\n',
  'begin retry\n* * F,1h,15\n',
  'begin retry\n* * F,1h,1-m\n',
  'begin retry\n* * G,1h,1m,0.5\n',
  'begin retry\n* rcpt_4a1 F,1h,1m\n',
  'begin retry\n* nonsense F,1h,1m\n',
  'begin retry\n* * senders F,1h,1m\n',
  'begin retry\n* quota_4x F,1h,1m\n',
  'begin retry\n* refused_B F,1h,1m\n',
  'begin retry\n* timeout_foo F,1h,1m\n',
];

const ACCEPTED = [
  'begin retry\n* t F,1h,1m\n* refused_ F,1h30m,1m;\n* timeout_c h,1w,1m,2.;F,2w,1d\n* quota\n',
  'begin retry\nx.example rcpt_45x senders=: F,1h,1m\n"a b" mail_421 senders="a : b" F,1h,1m\n',
  'ZED = 1\n.ifdef ZED\nqueue_only\n.else\nnonsense = 1\n.endif\n.ifndef ZED\nnonsense\n.elifdef YES\nb = 2\n.endif\n',
  'begin transports\na:\n driver = smtp\n headers_add = A\n headers_add = B\nMAC = 9\nb:\n driver = smtp\n port = MAC\n',
];

describe.skipIf(!EXIM)('as Exim itself reads it', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'culprit-exim-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const place = (text: string) => {
    const path = join(dir, 'exim.conf');
    writeFileSync(path, `keep_environment =\n${text}`);
    return { path, text: `keep_environment =\n${text}` };
  };

  it.each(REFUSED)('is refused for the same reason at the same line: %j', (text) => {
    const file = place(text);
    const { stderr, status } = spawnSync(EXIM!, ['-C', file.path, '-bV'], { encoding: 'utf8' });
    expect(status).not.toBe(0);
    const [, line, says] = /configuration error(?: in line (\d+) of \S+)?:\n {2}(.*)/.exec(stderr)!;
    const [first] = readEximConfig([file])!.problems;
    expect(first?.says).toBe(says);
    if (line) expect(first?.line).toBe(Number(line));
  });

  it.each(ACCEPTED)('is accepted: %j', (text) => {
    const file = place(text);
    execFileSync(EXIM!, ['-C', file.path, '-bV'], { stdio: 'ignore' });
    const config = readEximConfig([file])!;
    expect(config.problems).toEqual([]);
    // What Exim prints of it, read back, is the same.
    const printed = execFileSync(EXIM!, ['-C', file.path, '-bP', 'config'], { encoding: 'utf8' });
    const back = readEximConfig([{ path: 'printed', text: printed }])!;
    expect(bare(back)).toEqual(bare(config));
  });

  it('comes to the same settings as exim -bP prints them', () => {
    const file = place(
      'spool_directory = /var/spool/exim4\nretry_interval_max = 3h\nno_split_spool_directory\n',
    );
    const all = execFileSync(EXIM!, ['-C', file.path, '-bP'], { encoding: 'utf8' });
    const config = readEximConfig([{ path: 'bP.txt', text: all }])!;
    expect(config.scheme).toBe('printed');
    const value = (name: string) => config.main.find((s) => s.name === name)?.value;
    expect(value('retry_interval_max')).toBe('3h');
    expect(value('split_spool_directory')).toBe('false');
    expect(value('retry_data_expire')).toBe('1w');
    expect(config.main.length).toBeGreaterThan(100);
  });

  it('comes to the same transports as exim -bP transports prints them', () => {
    const file = place('begin transports\nout:\n  driver = smtp\n  hosts_try_fastopen = !*\n  port = 2525\n');
    const all = execFileSync(EXIM!, ['-C', file.path, '-bP', 'transports'], { encoding: 'utf8' });
    const [out] = readEximConfig([{ path: 'bP.txt', text: all }])!.transports;
    expect(out).toMatchObject({ name: 'out', driver: 'smtp' });
    for (const { name, value } of readEximConfig([file])!.transports[0]!.options)
      expect(out!.options.find((o) => o.name === name)?.value).toBe(value);
  });
});

describe.skipIf(!EXIM || !DEBIAN)("Debian's own configuration", () => {
  const files = readdirSync('/etc/exim4', { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .map((f) => join(f.parentPath, f.name))
    .map((path) => ({ path, text: readFileSync(path, 'latin1') }));
  if (existsSync('/etc/mailname'))
    files.push({ path: '/etc/mailname', text: readFileSync('/etc/mailname', 'latin1') });

  it.each(['true', 'false'])('comes to what update-exim4.conf makes of it, split: %s', (split) => {
    const dir = mkdtempSync(join(tmpdir(), 'culprit-debian-'));
    try {
      execFileSync('cp', ['-r', '/etc/exim4', dir]);
      const answers = `dc_eximconfig_configtype='smarthost'
dc_other_hostnames='example.com;example.org'
dc_local_interfaces='127.0.0.1 ; ::1'
dc_readhost='example.com'
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets='192.0.2.0/24'
dc_smarthost='Relay.example.net::587'
CFILEMODE='644'
dc_use_split_config='${split}'
dc_hide_mailname='true'
dc_mailname_in_oh='true'
dc_localdelivery='maildir_home'
OWN_MACRO='Something'
`;
      const answersPath = join(dir, 'exim4/update-exim4.conf.conf');
      writeFileSync(answersPath, answers);
      const made = join(dir, 'made');
      execFileSync('/usr/sbin/update-exim4.conf', ['-d', join(dir, 'exim4'), '-o', made], {
        stdio: 'ignore',
      });
      const given = files.map((f) =>
        f.path.endsWith('/update-exim4.conf.conf') ? { ...f, text: answers } : f,
      );
      const ours = readEximConfig(given)!;
      const theirs = readEximConfig([{ path: 'made', text: readFileSync(made, 'latin1') }])!;
      expect(ours.scheme).toBe(split === 'true' ? 'debian-split' : 'debian-template');
      expect(ours.problems).toEqual([]);
      expect(theirs.problems).toEqual([]);
      const withoutVersion = (c: typeof ours) => ({
        ...bare(c),
        macros: c.macros.filter((m) => m.name !== 'MAIN_PACKAGE_VERSION').map((m) => [m.name, m.value]),
      });
      expect(withoutVersion(ours)).toEqual(withoutVersion(theirs));
      expect(ours.transports.length).toBeGreaterThan(5);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

/** A configuration without its places. */
function bare(config: NonNullable<ReturnType<typeof readEximConfig>>) {
  const settings = (all: { name: string; value: string }[]) => all.map((s) => [s.name, s.value]);
  return {
    main: settings(config.main),
    routers: config.routers.map((d) => [d.name, ...settings(d.options)]),
    transports: config.transports.map((d) => [d.name, ...settings(d.options)]),
    retry: config.retry.map((r) => [r.pattern, r.error, r.senders, ...r.parameters]),
  };
}
