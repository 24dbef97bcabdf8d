import { headLines, linesOf } from '../text-lines.js';

/** A package that was installed (unpacked or better) when the list was made. */
export interface InstalledPackage {
  package: string;
  version: string;
  arch: string | null;
  line: number;
}

export interface PackageList {
  packages: InstalledPackage[];
  lines: number;
  unread: number[];
}

const NAME = `[a-z0-9][a-z0-9+.-]{1,100}`;
const VERSION = String.raw`\d[\w.+~:-]{0,100}`;
/** Desired, status and error; only of some states are the files there. */
const LISTED = new RegExp(
  String.raw`^([uirph])([ncHUFWti])([ R]?) +(${NAME})(?::([a-z0-9-]+))? +(${VERSION}|<none>)(?: +([a-z0-9-]+))?(?:\s|$)`,
);
const LIST_HEAD = /^(?:Desired=Unknown\/|\| Status=|\|\/ Err\?=|\|\|\/ Name|\+\+\+-=)/;
const QUERIED = new RegExp(
  String.raw`^(${NAME})(?::([a-z0-9-]+))?(?:\t| {1,100})(${VERSION})?(?:(?:\t| {1,100})([a-z0-9-]+))?$`,
);
const FIELD = /^(Package|Status|Version|Architecture): (.{0,200})$/;
const OTHER_FIELD = /^(?:[A-Z][A-Za-z0-9-]{1,60}:| |\t)/;

/** Whether a text is what `dpkg -l` or `dpkg-query -W` prints, or dpkg's own status file. */
export function detectPackageList(head: Uint8Array): 'list' | 'query' | 'status' | null {
  const lines = headLines(head)?.filter((l) => l.trim() !== '');
  if (!lines || lines.length === 0) return null;
  if (lines.slice(0, 10).some((l) => l.startsWith('+++-=')) || lines.slice(0, 5).every((l) => LISTED.test(l)))
    return 'list';
  if (/^Package: /.test(lines[0]!) && /^Status: \w+ \w+ [\w-]+$/.test(lines[1] ?? '')) return 'status';
  const queried = lines.slice(0, 1_000).filter((l) => QUERIED.exec(l)?.[3] !== undefined).length;
  // One package alone may be anything with a number behind it.
  return queried >= 5 && queried >= Math.min(lines.length, 1_000) * 0.8 ? 'query' : null;
}

/**
 * package-list: what was installed.
 *
 * Shape:  one row per package whose files are there, in the order of the file.
 * Units:  Debian versions as printed.
 * Errors: a line of no known form is counted in `unread`; a name that `dpkg -l` cut short is what it is.
 * Source: dpkg-query(1), dpkg(1) "Package states", deb-control(5). Tried on a Debian 12 host.
 */
export function readPackageList(text: string): PackageList {
  const form = detectPackageList(Buffer.from(text.slice(0, 65_536)));
  const out: PackageList = { packages: [], lines: 0, unread: [] };
  let fields: { at: number; values: Map<string, string> } | null = null;
  const finish = () => {
    const [status = '', name, version, arch] = ['Status', 'Package', 'Version', 'Architecture'].map((f) =>
      fields?.values.get(f),
    );
    if (
      fields &&
      name &&
      version &&
      /^\w+ \w+ (?:unpacked|half-configured|triggers-\w+|installed)$/.test(status)
    )
      out.packages.push({ package: name, version, arch: arch ?? null, line: fields.at });
    fields = null;
  };
  for (const [index, whole] of linesOf(text).entries()) {
    out.lines++;
    const line = whole.trimEnd();
    const at = index + 1;
    if (form === 'status') {
      const [, name, value] = FIELD.exec(line) ?? [];
      if (line === '') finish();
      else if (name) {
        fields ??= { at, values: new Map() };
        fields.values.set(name, value!);
      } else if (!OTHER_FIELD.test(whole)) out.unread.push(at);
      continue;
    }
    if (line.trim() === '' || LIST_HEAD.test(line)) continue;
    const listed = form === 'list' ? LISTED.exec(line.slice(0, 1_000)) : null;
    const queried = form === 'query' ? QUERIED.exec(line.slice(0, 1_000)) : null;
    if (listed) {
      const [, , state, , name, arch, version, column] = listed;
      if (/[iUFWt]/.test(state!) && version !== '<none>')
        out.packages.push({ package: name!, version: version!, arch: arch ?? column ?? null, line: at });
    } else if (queried) {
      const [, name, arch, version, column] = queried;
      if (version) out.packages.push({ package: name!, version, arch: arch ?? column ?? null, line: at });
    } else out.unread.push(at);
  }
  finish();
  return out;
}
