/** One change of one package. Times are the host's local wall time, without a zone, as both logs have them. */
export interface PackageChange {
  changed_at: string;
  action: 'install' | 'upgrade' | 'downgrade' | 'reinstall' | 'remove' | 'purge';
  package: string;
  arch: string | null;
  /** Null when it was not installed before. */
  old_version: string | null;
  /** Null when it is no longer installed. */
  new_version: string | null;
  line: number;
}

export interface PackageHistory {
  log: 'dpkg-log' | 'apt-history';
  changes: PackageChange[];
  lines: number;
  /** Lines that make a change, and known lines that make none (status, trigproc, blank …). */
  records: number;
  other: number;
  /** Numbers of the lines that are of no documented kind. */
  unread: number[];
}

const STAMP = String.raw`(\d{4}-\d\d-\d\d) {1,2}(\d\d:\d\d:\d\d)`;
const DPKG_CHANGE = new RegExp(
  String.raw`^${STAMP} (install|upgrade|remove|purge) ([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9-]+))? (\S+) (\S+)\s*$`,
);
const DPKG_OTHER = new RegExp(
  String.raw`^${STAMP} (?:startup (?:archives|packages) \S+|status \S+ \S+ \S+|(?:configure|trigproc|disappear) \S+ \S+ \S+|conffile .+ (?:install|keep))\s*$`,
);
const APT_ACTION = /^(Install|Upgrade|Downgrade|Reinstall|Remove|Purge): (.*)$/;
const APT_OTHER = /^(?:Commandline|Requested-By|Comment|Error|End-Date|Disappeared|Purged): /;
const APT_START = new RegExp(`^Start-Date: ${STAMP}\\s*$`);
const APT_PACKAGE = /^([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9-]+))?(?: \(([^()]*)\))?$/;

/** Which package log a text is; `apt-term` is apt's copy of the terminal, which holds nothing to read. */
export function detectPackageHistory(head: Uint8Array): 'dpkg-log' | 'apt-history' | 'apt-term' | null {
  if (head.includes(0)) return null;
  const lines = Buffer.from(head)
    .toString('latin1')
    .split('\n', 40)
    .filter((line) => line.trim() !== '');
  const first = lines[0] ?? '';
  if (DPKG_CHANGE.test(first) || DPKG_OTHER.test(first)) return 'dpkg-log';
  if (APT_START.test(first))
    return lines.some((l) =>
      /^(?:Commandline|Install|Upgrade|Remove|Purge|End-Date|Error|Requested-By): /.test(l),
    )
      ? 'apt-history'
      : null;
  return new RegExp(`^Log started: ${STAMP}\\s*$`).test(first) ? 'apt-term' : null;
}

/**
 * package-history: which package changed, between which versions, and when.
 *
 * Shape:  one row per install, upgrade, removal or purge, in file order. dpkg says `install` also where a removed
 *         package that left its configuration comes back; its old version is then the one that left it.
 * Units:  `changed_at` is local wall time, ISO 8601 without a zone; apt's is the beginning of its run.
 * Errors: a line of no documented kind is counted in `unread`; `records + other + unread` is the number of lines.
 * Source: dpkg(1), option --log; apt's history.log as apt-pkg/deb/dpkgpm.cc writes it. Tried on a Debian 12 host.
 */
export function readPackageHistory(text: string): PackageHistory {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const isApt = /^\s*Start-Date: /.test(text);
  const out: PackageHistory = {
    log: isApt ? 'apt-history' : 'dpkg-log',
    changes: [],
    lines: lines.length,
    records: 0,
    other: 0,
    unread: [],
  };
  let began: string | null = null;
  for (const [index, line] of lines.entries()) {
    const at = index + 1;
    if (line.trim() === '') out.other++;
    else if (isApt) {
      const start = APT_START.exec(line);
      if (start) began = `${start[1]}T${start[2]}`;
      const action = APT_ACTION.exec(line);
      const changes: PackageChange[] | null =
        action && began ? aptChanges(action[1]!, action[2]!, began, at) : null;
      if (changes) {
        out.records++;
        for (const change of changes) out.changes.push(change);
      } else if (start || APT_OTHER.test(line)) out.other++;
      else out.unread.push(at);
    } else {
      const change = dpkgChange(line, at);
      if (change) {
        out.records++;
        out.changes.push(change);
      } else if (DPKG_OTHER.test(line)) out.other++;
      else out.unread.push(at);
    }
  }
  return out;
}

const version = (text: string | undefined) => (!text || text === '<none>' ? null : text);

function dpkgChange(line: string, at: number): PackageChange | null {
  const m = DPKG_CHANGE.exec(line);
  if (!m) return null;
  const [, day, time, action, name, arch = null, before, after] = m;
  return {
    changed_at: `${day}T${time}`,
    action: action as PackageChange['action'],
    package: name!,
    arch,
    old_version: version(before),
    new_version: action === 'remove' || action === 'purge' ? null : version(after),
    line: at,
  };
}

/** `name:arch (old, new), name:arch (new, automatic)`; null when it is not of that form. */
function aptChanges(word: string, list: string, began: string, at: number): PackageChange[] | null {
  const action = word.toLowerCase() as PackageChange['action'];
  const changes: PackageChange[] = [];
  for (const item of list.trim().split(/(?<=\)), /)) {
    const m = APT_PACKAGE.exec(item);
    if (!m) return null;
    const versions = (m[3] ?? '').split(', ').filter((v) => v !== 'automatic');
    const isOut = action === 'remove' || action === 'purge';
    const isMove = action === 'upgrade' || action === 'downgrade';
    changes.push({
      changed_at: began,
      action,
      package: m[1]!,
      arch: m[2] ?? null,
      old_version: version(isOut || isMove || action === 'reinstall' ? versions[0] : undefined),
      new_version: version(isOut ? undefined : isMove ? versions[1] : versions[0]),
      line: at,
    });
  }
  return changes;
}
