import { headLines, linesOf } from '../text-lines.js';

/**
 * One fact about the machine. `subject` is what it is about where there are several: an interface, a feature, a route.
 * Names: node-name, kernel-release, kernel-version, kernel-package, machine; os-id, os-version, os-name,
 * debian-version; exim-version, exim-built, exim-support, exim-config-file; mtu, route-mtu, address, offload.
 */
export interface SystemFact {
  name: string;
  subject: string | null;
  value: string;
  line: number;
}

export interface SystemFacts {
  facts: SystemFact[];
  lines: number;
  unread: number[];
}

const UNAME =
  /^Linux (\S{1,255}) (\d\S{0,100}) (#\d.{0,200}?) ((?:x86_64|i[3-6]86|aarch64|armv\w+|ppc64(?:le)?|s390x|riscv64|mips\w*|loongarch64)\b).{0,100}$/;
const PACKAGE = /\b(?:Debian|Ubuntu) (\d[\w.+~:-]{0,100})/;
const RELEASE = /^([A-Z][A-Z0-9_]{1,40})=(?:"((?:[^"\\]|\\.){0,500})"|'([^']{0,500})'|(\S{0,500}))$/;
const RELEASE_NAMES: Record<string, string> = {
  ID: 'os-id',
  VERSION_ID: 'os-version',
  PRETTY_NAME: 'os-name',
};
const DEBIAN = /^(?:\d{1,2}\.\d{1,2}|(?:bullseye|bookworm|trixie|forky|buster)\/sid)$/;
const EXIM = /^Exim version (\d[\w.]{0,20})(?: #(\d+))?(?: \(.{1,60}?\))?(?: built (.{1,60}))?$/;
const EXIM_OTHER =
  /^(?:Copyright \(c\)|\(c\) The Exim|\(ACKNOWLEDGMENTS|contributors in ACK|Berkeley DB: |Probably |Lookups \(built-in\): |Lookups: |Authenticators: |Routers: |Transports: |Malware: |Fixed never_users: |Configure owner: |Size of off_t: |Compiler: |Library version: |\s+Runtime: |Total \d+ lookups|Dynamic lookup|WHITELIST_D_MACROS|TRUSTED_CONFIG_LIST|Configuration file search path is |Hints DB|2.{18,30} (?:\[\d+\] )?cwd=)/;
const LINK = /^\d{1,6}: ([^\s:@]{1,64})(?:@\S{1,64})?: <[\w,-]{0,200}> (?:.{0,200} )?mtu (\d{1,6})\b/;
const LINK_OTHER = /^\s+(?:link\/|altname |valid_lft |alias |vlan |bridge|RX:|TX:|\d+ +\d+ +\d+)/;
const ADDRESS = /^\s+(?:inet6?) ([0-9a-fA-F.:]{2,45}\/\d{1,3})\b/;
const ROUTE =
  /^(?:(?:unreachable|blackhole|local|broadcast|multicast|anycast|prohibit|throw) )?(default|[0-9a-fA-F.:]{2,45}(?:\/\d{1,3})?)\s(?:.{0,300}\b)?(?:dev|via)\s.{0,300}$/;
const ROUTE_MTU = /\bmtu (?:lock )?(\d{1,6})\b/;
const OFFLOAD =
  /^\s*([a-z][a-z0-9_-]{2,60}): (on|off)(?: \[(?:fixed|requested on|requested off|not requested)\])?$/;
const FEATURES = /^Features for (\S{1,64}):$/;
const COMPLAINT = /^(?:Error: |RTNETLINK answers: |Cannot |Failed to find cgroup2 mount|ip: |exim\d?: )/;

/** Facts that tell what a text is; the other lines stand beside them. */
const isTelling = (line: string) =>
  UNAME.test(line) ||
  LINK.test(line) ||
  EXIM.test(line) ||
  /^(?:PRETTY_NAME|VERSION_ID)=/.test(line) ||
  FEATURES.test(line);

/** Whether a text is what uname, `ip addr`, `exim -bV` or `ethtool -k` prints, one or several, or os-release. */
export function detectSystemFacts(head: Uint8Array, path: string): boolean {
  const lines = headLines(head)?.filter((l) => l.trim() !== '');
  if (!lines || lines.length === 0) return false;
  if (/(?:^|\/)debian_version$/.test(path)) return lines.length === 1 && DEBIAN.test(lines[0]!.trim());
  if (!lines.some((l) => isTelling(l.trimEnd()))) return false;
  const { unread } = readSystemFacts(lines.join('\n'));
  return unread.length * 4 <= lines.length;
}

/**
 * system-facts: which system this is, and with which limits of packet size.
 *
 * Shape:  one row per fact, in file order; the outputs of several programs may stand in one file.
 * Units:  mtu in bytes.
 * Errors: a line that none of these programs prints is counted in `unread`.
 * Source: uname(1), os-release(5), ip-address(8), ip-route(8), ethtool(8); show_whats_supported in Exim's src/exim.c.
 *         Tried on Debian 12 (iproute2 6.1, Exim 4.96).
 */
export function readSystemFacts(text: string): SystemFacts {
  const out: SystemFacts = { facts: [], lines: 0, unread: [] };
  let about: string | null = null;
  for (const [index, whole] of linesOf(text).entries()) {
    out.lines++;
    const line = whole.trimEnd();
    if (line === '' || /^#/.test(line)) continue;
    const add = (name: string, value: string, subject: string | null = null) =>
      out.facts.push({ name, subject, value, line: index + 1 });
    const link = LINK.exec(line);
    const features = FEATURES.exec(line);
    if (link) about = link[1]!;
    else if (features) about = features[1]!;
    else if (!/^\s/.test(line) && !OFFLOAD.test(line) && !COMPLAINT.test(line)) about = null;
    if (link) add('mtu', link[2]!, about);
    else if (!features && !tell(line, about, add)) out.unread.push(index + 1);
  }
  return out;
}

function tell(
  line: string,
  about: string | null,
  add: (name: string, value: string, subject?: string | null) => void,
): boolean {
  const uname = UNAME.exec(line);
  if (uname) {
    add('node-name', uname[1]!);
    add('kernel-release', uname[2]!);
    add('kernel-version', uname[3]!);
    const built = PACKAGE.exec(uname[3]!);
    if (built) add('kernel-package', built[1]!);
    add('machine', uname[4]!);
    return true;
  }
  const release = RELEASE.exec(line);
  if (release) {
    const name = RELEASE_NAMES[release[1]!];
    const value = release[2]?.replace(/\\(.)/g, '$1') ?? release[3] ?? release[4]!;
    if (name) add(name, value);
    return true;
  }
  const exim = EXIM.exec(line);
  if (exim) {
    add('exim-version', exim[1]!);
    if (exim[3]) add('exim-built', exim[3]);
    return true;
  }
  const address = ADDRESS.exec(line);
  if (address) {
    add('address', address[1]!, about);
    return true;
  }
  const offload = OFFLOAD.exec(line);
  if (offload) {
    add('offload', offload[2]!, about === null ? offload[1]! : `${about} ${offload[1]}`);
    return true;
  }
  const route = ROUTE.exec(line);
  if (route) {
    const mtu = ROUTE_MTU.exec(line);
    if (mtu) add('route-mtu', mtu[1]!, route[1]!);
    return true;
  }
  const [, key, value] = /^(Support for|Configuration file is)(?:: | )(.{1,1000})$/.exec(line) ?? [];
  if (key) add(key === 'Support for' ? 'exim-support' : 'exim-config-file', value!);
  else if (DEBIAN.test(line)) add('debian-version', line);
  else return EXIM_OTHER.test(line) || LINK_OTHER.test(line) || COMPLAINT.test(line);
  return true;
}
