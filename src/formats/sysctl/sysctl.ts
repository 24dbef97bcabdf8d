import { headLines, linesOf } from '../text-lines.js';

/** One assignment of a kernel parameter, or a key that patterns shall leave alone. */
export interface KernelSetting {
  /** As `sysctl -a` has it: dotted; a dot inside a component is a slash (`net.ipv4.conf.eth0/100.forwarding`). */
  name: string;
  /** White space inside as one blank, since the kernel separates numbers by tabs. */
  value: string;
  /**
   * `running`: what the kernel had; `file`: the assignment of a configuration file that counts; `file-lost`: one that
   * a later assignment or a file of the same name overrides; `file-excluded`: the key is kept out of patterns.
   */
  is: 'running' | 'file' | 'file-lost' | 'file-excluded';
  path: string;
  line: number;
}

export interface KernelSettings {
  /** Running values as printed, then the files' in the order in which they are applied. */
  settings: KernelSetting[];
  files: { path: string; lines: number; unread: number[] }[];
}

/** Directories of configuration, the one that wins first; a path that ends in none of them is taken for the first. */
const DIRECTORIES = ['etc', 'run', 'usr/local/lib', 'usr/lib', 'lib'];
const OF_CONFIG = /(?:^|\/)(?:sysctl\.d\/([^/]+\.conf)|(sysctl\.conf))(?:\.(?:dpkg-(?:old|bak)|bak))?$/;
const TOP = 'abi|crypto|debug|dev|fs|fscache|kernel|net|sunrpc|user|vm|xen';
const ASSIGNMENT = /^\s*(-?)([A-Za-z0-9][^\s=]{0,300})\s*=\s?(.*)$/;
const EXCLUSION = /^\s*-([A-Za-z0-9][^\s=]{0,300})\s*$/;
/** A value of several lines goes on without a name: `dev.cdrom.info` and its like repeat the name, so none does. */
const COMPLAINT = /^(?:sysctl: |\* Applying |Failed to |Couldn't )/;
const KNOWN_KEY = new RegExp(String.raw`^\s*-?(?:${TOP})[./][a-zA-Z0-9_][^\s=]{0,300}\s*=`);

/** Whether a text is what `sysctl -a` prints, or a file of sysctl.d. */
export function detectSysctl(head: Uint8Array, path: string): boolean {
  const lines = headLines(head);
  if (!lines) return false;
  const said = lines.filter((l) => !isBlank(l) && !COMPLAINT.test(l));
  if (OF_CONFIG.test(path))
    return lines.length > 0 && said.every((l) => ASSIGNMENT.test(l) || EXCLUSION.test(l));
  const known = said.filter((l) => KNOWN_KEY.test(l)).length;
  return known > 0 && known >= said.length * 0.75;
}

const isBlank = (line: string) => /^\s*(?:[#;].*)?$/.test(line);

/**
 * sysctl: kernel parameters, as they were and as the files would set them.
 *
 * Shape:  one row per assignment. Files of sysctl.d are applied by name, whatever directory they are in; of the same
 *         name only that of the first directory counts (/etc, /run, /usr/local/lib, /usr/lib, /lib). /etc/sysctl.conf
 *         comes last, as `sysctl --system` has it; systemd reads it only where a sysctl.d links to it. A key that is
 *         set by its name is not set by a pattern.
 * Units:  the parameter's own.
 * Errors: a line that assigns nothing is counted in `unread`. An empty file, or a link to /dev/null, that masks
 *         another one is no evidence that a format can see.
 * Source: sysctl.d(5), sysctl(8) "System file precedence", sysctl.conf(5). Tried on Debian 12.
 */
export function readSysctl(files: { path: string; text: string }[]): KernelSettings {
  const out: KernelSettings = { settings: [], files: [] };
  const configs: { at: Place; settings: KernelSetting[] }[] = [];
  for (const { path, text } of files) {
    const at = placeOf(path, text);
    const read = { path, lines: 0, unread: [] as number[] };
    const settings: KernelSetting[] = [];
    for (const [index, whole] of linesOf(text).entries()) {
      read.lines++;
      const line = whole.trimEnd();
      if (isBlank(line) || COMPLAINT.test(line)) continue;
      const [, , key, value] = ASSIGNMENT.exec(line) ?? [];
      const excluded = EXCLUSION.exec(line)?.[1];
      if (key === undefined && (excluded === undefined || !at)) {
        read.unread.push(index + 1);
        continue;
      }
      settings.push({
        name: dotted(key ?? excluded!),
        value: (value ?? '').trim().replace(/[ \t]+/g, ' '),
        is: at ? (key === undefined ? 'file-excluded' : 'file') : 'running',
        path,
        line: index + 1,
      });
    }
    out.files.push(read);
    if (at) configs.push({ at, settings });
    else out.settings.push(...settings);
  }
  configs.sort((a, b) => compare(a.at, b.at));
  const counted = new Map<string, KernelSetting>();
  const seen = new Set<string>();
  for (const { at, settings } of configs) {
    const masked = seen.has(at.name);
    seen.add(at.name);
    for (const s of settings) {
      out.settings.push(s);
      if (s.is !== 'file') continue;
      if (masked) s.is = 'file-lost';
      else {
        const before = counted.get(s.name);
        if (before) before.is = 'file-lost';
        counted.set(s.name, s);
      }
    }
  }
  return out;
}

/**
 * What the files set a parameter to; null when they leave it alone. A name goes before every pattern, and of patterns
 * the last counts.
 */
export function configured(settings: readonly KernelSetting[], name: string): KernelSetting | null {
  const ofFiles = settings.filter((s) => s.is === 'file' || s.is === 'file-excluded');
  const named = ofFiles.findLast((s) => s.name === name);
  if (named) return named.is === 'file' ? named : null;
  return ofFiles.findLast((s) => s.is === 'file' && /[*?[]/.test(s.name) && matches(s.name, name)) ?? null;
}

interface Place {
  /** Name of the file, by which all are sorted. */
  name: string;
  directory: number;
  last: boolean;
}

/** Where a file of configuration comes in; null for what `sysctl -a` printed. */
function placeOf(path: string, text: string): Place | null {
  const [, inDirectory, single] = OF_CONFIG.exec(path) ?? [];
  if (single) return { name: single, directory: 0, last: true };
  if (inDirectory) {
    const parent = path.slice(0, path.lastIndexOf('/sysctl.d/'));
    const directory = DIRECTORIES.findIndex((d) => parent === d || parent.endsWith(`/${d}`));
    return { name: inDirectory, directory: Math.max(directory, 0), last: false };
  }
  // `sysctl -a` writes no comments, and one blank on either side of the sign.
  const isPrinted =
    !/^[ \t]*[#;]/m.test(text) && linesOf(text).every((l) => !l.includes('=') || / = ?/.test(l));
  return isPrinted ? null : { name: path.slice(path.lastIndexOf('/') + 1), directory: 0, last: false };
}

const compare = (a: Place, b: Place) =>
  Number(a.last) - Number(b.last) ||
  (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) ||
  a.directory - b.directory;

/** A name with slashes for separators becomes one with dots, and the other way round inside the components. */
function dotted(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  if (first !== '/') return key;
  return key.replace(/[./]/g, (c) => (c === '/' ? '.' : '/'));
}

/** glob(7) over a name; the separator of components is not matched by `*` or `?`. In linear time for each star. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('.');
  const components = name.split('.');
  return parts.length === components.length && parts.every((p, i) => matchesComponent(p, components[i]!));
}

function matchesComponent(pattern: string, text: string): boolean {
  const tokens = [...pattern.matchAll(/\[(!?)([^\]]+)\]|[^[]|\[/g)];
  const fits = (token: RegExpMatchArray, c: string) =>
    token[2] === undefined ? token[0] === '?' || token[0] === c : inSet(token[2], c) !== (token[1] === '!');
  let p = 0;
  let star = -1;
  let resumed = 0;
  for (let t = 0; t < text.length; ) {
    const token = tokens[p];
    if (token?.[0] === '*') {
      star = p++;
      resumed = t;
    } else if (token && fits(token, text[t]!)) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resumed;
    } else return false;
  }
  while (tokens[p]?.[0] === '*') p++;
  return p === tokens.length;
}

function inSet(set: string, c: string): boolean {
  for (let i = 0; i < set.length; i++) {
    if (set[i + 1] === '-' && i + 2 < set.length) {
      if (set[i]! <= c && c <= set[i + 2]!) return true;
      i += 2;
    } else if (set[i] === c) return true;
  }
  return false;
}
