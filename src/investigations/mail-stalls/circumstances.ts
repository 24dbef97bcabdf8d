import type { Place } from '../../findings/finding.js';
import { EXIM_FAST_OPEN_DEFAULTS } from '../../knowledge/fast-open.js';
import type { Case } from '../../store/case.js';

/** A fact about this server that bears on a hypothesis, with where it stands. */
export interface Seen<T> {
  value: T;
  says: string;
  from: Place[];
}

/** What settings, firewall, counters and package history say; null where the evidence does not have it. */
export interface Circumstances {
  /** Exim's hosts_try_fastopen as configured; the default of the version where it is not. */
  eximFastOpen: Seen<'all' | 'none' | 'some'> | null;
  eximVersion: Seen<string> | null;
  /** net.ipv4.tcp_fastopen allows the client side. */
  kernelFastOpen: Seen<boolean> | null;
  windowScaling: Seen<boolean> | null;
  mtuProbing: Seen<number> | null;
  liberal: Seen<boolean> | null;
  /** Rules that drop or reject what connection tracking calls INVALID; packets that they met, where counted. */
  dropsInvalid: Seen<{ rules: number; packets: number | null }> | null;
  /** A filter was among the evidence, whatever it holds. */
  filterSeen: boolean;
  kernel: Seen<string> | null;
  /** Exim was upgraded across the version that switched Fast Open on. */
  upgrade: Seen<string> | null;
}

/** The version from which on every host is tried unless the configuration says otherwise. */
const ON_SINCE = EXIM_FAST_OPEN_DEFAULTS.find((d) => d.default === '*')!.since;

interface Row {
  value: string;
  path: string;
  line: number;
}

export async function circumstancesOf(store: Case): Promise<Circumstances> {
  const setting = (program: string, where: string, values: string[] = []) =>
    store.row<Row>(
      `SELECT t.value, s.path, t.line FROM settings t JOIN sources s USING (source_id)
       WHERE t.program = '${program}' AND ${where} ORDER BY t.seq DESC LIMIT 1`,
      values,
    );
  const sysctl = async <T>(name: string, read: (value: string) => T): Promise<Seen<T> | null> => {
    const row =
      (await setting('sysctl', "section = 'running' AND name = $1", [name])) ??
      (await setting('sysctl', "section = 'file' AND name = $1", [name]));
    return row
      ? { value: read(row.value), says: `${name} = ${row.value}`, from: [{ path: row.path, line: row.line }] }
      : null;
  };
  const version = await eximVersionOf(store);
  return {
    eximVersion: version,
    eximFastOpen: await fastOpenOf(store, version),
    kernelFastOpen: await sysctl('net.ipv4.tcp_fastopen', (v) => (Number.parseInt(v, 10) & 1) === 1),
    windowScaling: await sysctl('net.ipv4.tcp_window_scaling', (v) => v.trim() !== '0'),
    mtuProbing: await sysctl('net.ipv4.tcp_mtu_probing', (v) => Number.parseInt(v, 10)),
    liberal: await sysctl('net.netfilter.nf_conntrack_tcp_be_liberal', (v) => v.trim() !== '0'),
    ...(await filterOf(store)),
    kernel: await factOf(store, 'kernel-release'),
    upgrade: await upgradeOf(store),
  };
}

async function factOf(store: Case, name: string): Promise<Seen<string> | null> {
  const row = await store.row<Row>(
    'SELECT f.value, s.path, f.line FROM facts f JOIN sources s USING (source_id) WHERE f.name = $1 LIMIT 1',
    [name],
  );
  return row
    ? {
        value: row.value,
        says: `${name.replaceAll('-', ' ')}: ${row.value}`,
        from: [{ path: row.path, line: row.line }],
      }
    : null;
}

/** From the daemon's start line, else from what `exim -bV` printed. */
async function eximVersionOf(store: Case): Promise<Seen<string> | null> {
  const row = await store.row<Row>(
    `SELECT t.text AS value, s.path, f.line FROM mail_facts f JOIN mail_name_texts t ON t.id = f.transport_id
     JOIN sources s USING (source_id) WHERE f.kind = 17 AND t.text SIMILAR TO '[0-9].*' ORDER BY f.logged_at DESC LIMIT 1`,
  );
  if (row)
    return {
      value: row.value,
      says: `Exim ${row.value} was started`,
      from: [{ path: row.path, line: row.line }],
    };
  return factOf(store, 'exim-version');
}

async function fastOpenOf(store: Case, version: Seen<string> | null): Promise<Circumstances['eximFastOpen']> {
  const rows = await store.rows<Row & { section: string }>(
    `SELECT t.value, t.section, s.path, t.line FROM settings t JOIN sources s USING (source_id)
     WHERE t.program = 'exim' AND t.name = 'hosts_try_fastopen' ORDER BY s.path, t.seq`,
  );
  if (rows.length > 0) {
    const last = rows.at(-1)!;
    const bare = last.value.replaceAll(/\s/g, '');
    const value = bare === '' || bare === '!*' ? 'none' : bare === '*' ? 'all' : 'some';
    return {
      value,
      says: `hosts_try_fastopen = ${last.value}`,
      from: rows.map(({ path, line }) => ({ path, line })),
    };
  }
  const configured = await store.row<{ n: bigint }>(
    "SELECT count(*) AS n FROM settings WHERE program = 'exim' AND section LIKE 'transport %'",
  );
  if (!configured || configured.n === 0n || !version) return null;
  const on = atLeast(version.value, ON_SINCE);
  return {
    value: on ? 'all' : 'none',
    says: `no transport sets hosts_try_fastopen, and Exim ${version.value} tries Fast Open with ${on ? 'every host' : 'none'} by default (since ${ON_SINCE})`,
    from: version.from,
  };
}

/** Whether a version such as 4.94.2 or 4.96 is this one or later. */
function atLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((v) => v.split('.').map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < b!.length; i++) {
    const [x, y] = [a![i] ?? 0, b![i]!];
    if (x !== y) return x > y;
  }
  return true;
}

async function filterOf(store: Case): Promise<Pick<Circumstances, 'dropsInvalid' | 'filterSeen'>> {
  const any = await store.row<{ n: bigint }>('SELECT count(*) AS n FROM filter_rules');
  const rows = await store.rows<{
    rule: string;
    packets: bigint | number | null;
    path: string;
    line: number;
  }>(
    `SELECT f.rule, f.packets, s.path, f.line FROM filter_rules f JOIN sources s USING (source_id)
     WHERE f.matches_invalid AND f.verdict IN ('drop', 'reject') AND coalesce(f.hook, 'input') IN ('input', 'prerouting')`,
  );
  const filterSeen = any !== undefined && any.n > 0n;
  if (rows.length === 0)
    return {
      dropsInvalid: filterSeen
        ? {
            value: { rules: 0, packets: 0 },
            says: 'no rule of the filter drops packets that connection tracking calls INVALID',
            from: [],
          }
        : null,
      filterSeen,
    };
  const counted = rows.filter((r) => r.packets !== null);
  const packets = counted.length > 0 ? counted.reduce((n, r) => n + Number(r.packets), 0) : null;
  return {
    filterSeen,
    dropsInvalid: {
      value: { rules: rows.length, packets },
      says: `a filter rule drops packets that connection tracking calls INVALID${packets === null ? ' (not counted)' : `: ${packets.toLocaleString('en-GB')} so far`}`,
      from: rows.slice(0, 3).map(({ path, line }) => ({ path, line })),
    },
  };
}

async function upgradeOf(store: Case): Promise<Seen<string> | null> {
  const rows = await store.rows<{ at: string; old: string; new: string; path: string; line: number }>(
    `SELECT strftime(p.changed_at, '%Y-%m-%dT%H:%M:%S') AS at, p.old_version AS old, p.new_version AS new, s.path, p.line
     FROM package_changes p JOIN sources s USING (source_id)
     WHERE p.action = 'upgrade' AND p.package LIKE 'exim4-daemon%' AND p.old_version IS NOT NULL AND p.new_version IS NOT NULL
     ORDER BY p.changed_at`,
  );
  const crossing = rows.find((r) => !atLeast(r.old, ON_SINCE) && atLeast(r.new, ON_SINCE));
  return crossing
    ? {
        value: crossing.at,
        says: `exim4 ${crossing.old} → ${crossing.new} on ${crossing.at.replace('T', ' ')}: Exim ${ON_SINCE} switched Fast Open on for every host`,
        from: [{ path: crossing.path, line: crossing.line }],
      }
    : null;
}
