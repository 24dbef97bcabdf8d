import { basename } from 'node:path';
import type { TextFormat } from '../access-log/formats.js';

/** A log that a server's configuration speaks of: where it is written, how, and for which virtual host. */
export interface LogDefinition {
  path: string;
  format: TextFormat | null;
  vhost: string | null;
}

export interface ServerLogs {
  server: 'apache' | 'nginx';
  formats: Map<string, TextFormat>;
  /** Logs with the nickname of their format, which another file may define. */
  logs: { path: string; nickname: string | null; format: TextFormat | null; vhost: string | null }[];
}

const APACHE_WORDS =
  /^[ \t]*(?:LogFormat|CustomLog|TransferLog|<VirtualHost|ServerName|ServerRoot|DocumentRoot)\b/im;
const NGINX_WORDS = /^[ \t]*(?:log_format|access_log|server_name|http\s*\{|server\s*\{|location\s+\S)/m;

/** Says whose configuration a text is, or null. */
export function serverOf(head: Uint8Array): 'apache' | 'nginx' | null {
  if (head.includes(0)) return null;
  const text = Buffer.from(head).toString('latin1');
  if (APACHE_WORDS.test(text)) return 'apache';
  return NGINX_WORDS.test(text) && /[{};]/.test(text) ? 'nginx' : null;
}

/**
 * Log formats and logs in one configuration file. Only what tells how a log is written is read here; includes and
 * conditions are not followed, so several definitions may claim a log: the caller asks the log itself.
 *
 * Source: httpd 2.4 mod_log_config (LogFormat, CustomLog, TransferLog, GlobalLog), core (ServerName); nginx
 *         ngx_http_log_module (log_format, access_log).
 */
export function logDefinitions(server: 'apache' | 'nginx', text: string): ServerLogs {
  return server === 'apache' ? apacheLogs(text) : nginxLogs(text);
}

/** The words of an Apache directive's line: quotes group, a backslash takes the next quote or backslash with it. */
function apacheWords(line: string): string[] {
  const words: string[] = [];
  for (const m of line.matchAll(/"([^"\\]*(?:\\.[^"\\]*)*)"|'([^'\\]*(?:\\.[^'\\]*)*)'|(\S+)/g))
    words.push((m[1] ?? m[2] ?? m[3] ?? '').replace(/\\(["'\\])/g, '$1'));
  return words;
}

function apacheLogs(text: string): ServerLogs {
  const formats: ServerLogs['formats'] = new Map();
  const logs: ServerLogs['logs'] = [];
  let vhost: string | null = null;
  let inVhost = -1;
  let transfer: TextFormat | null = null;
  // A backslash at the end of a line joins the next one as it stands, inside quotes too.
  for (const line of text.replace(/\\\r?\n/g, '').split(/\r?\n/)) {
    const bare = line.trim();
    if (bare.startsWith('#')) continue;
    if (/^<VirtualHost\b/i.test(bare)) {
      inVhost = logs.length;
      vhost = null;
    } else if (/^<\/VirtualHost/i.test(bare) && inVhost >= 0) {
      // ServerName may stand behind CustomLog.
      for (const log of logs.slice(inVhost)) log.vhost = vhost;
      inVhost = -1;
    }
    const [word = '', ...rest] = apacheWords(bare);
    switch (word.toLowerCase()) {
      case 'servername':
        if (inVhost >= 0) vhost = (rest[0] ?? '').replace(/^https?:\/\//, '').replace(/:\d+$/, '') || null;
        break;
      case 'logformat':
        if (rest[0] === undefined) break;
        if (rest[1]) formats.set(rest[1], { dialect: 'apache', name: rest[1], format: rest[0] });
        else transfer = { dialect: 'apache', name: 'custom', format: rest[0] };
        break;
      case 'customlog':
      case 'globallog': {
        const [to, how] = rest;
        const path = logPath(to);
        if (!path) break;
        const spelt = how?.includes('%') ? { dialect: 'apache' as const, name: 'custom', format: how } : null;
        logs.push({ path, nickname: spelt ? null : (how ?? null), format: spelt, vhost: null });
        break;
      }
      case 'transferlog': {
        const path = logPath(rest[0]);
        if (path) logs.push({ path, nickname: null, format: transfer, vhost: null });
        break;
      }
    }
  }
  return { server: 'apache', formats, logs };
}

/** Where a log is written: a path, or the file behind `|rotatelogs -l /var/log/x.%Y%m%d 86400`. */
function logPath(to: string | undefined): string | null {
  if (!to) return null;
  if (!to.startsWith('|')) return to;
  const file = to
    .slice(1)
    .split(/\s+/)
    .slice(1)
    .find((word) => word.includes('/'));
  // The time in the name is what rotation changes, wherever it stands.
  return file ? file.replace(/[._-]?%[a-zA-Z](?:[-_.:T]?%[a-zA-Z])*/g, '') : null;
}

const NGINX_ESCAPES: Record<string, string> = { t: '\t', r: '\r', n: '\n' };

/** nginx tokens: words, quoted strings, and the three marks. */
function* nginxTokens(text: string): Generator<string> {
  for (const m of text.matchAll(
    /#[^\n]*|"([^"\\]*(?:\\.[^"\\]*)*)"|'([^'\\]*(?:\\.[^'\\]*)*)'|([{};])|([^\s{};"'#](?:\$\{|[^\s{};])*)/gs,
  )) {
    if (m[0].startsWith('#')) continue;
    const quoted = m[1] ?? m[2];
    if (quoted !== undefined)
      yield `"${quoted.replace(/\\(["'\\trn])/g, (_, c: string) => NGINX_ESCAPES[c] ?? c)}`;
    else yield m[0];
  }
}

function nginxLogs(text: string): ServerLogs {
  const formats: ServerLogs['formats'] = new Map();
  const logs: ServerLogs['logs'] = [];
  const blocks: { name: string; from: number; vhost: string | null }[] = [];
  let words: string[] = [];
  for (const token of nginxTokens(text)) {
    if (token === '{') {
      blocks.push({ name: words[0] ?? '', from: logs.length, vhost: null });
      words = [];
    } else if (token === '}') {
      const block = blocks.pop();
      if (block?.name === 'server') for (const log of logs.slice(block.from)) log.vhost ??= block.vhost;
      words = [];
    } else if (token === ';') {
      nginxDirective(words, formats, logs, blocks);
      words = [];
    } else words.push(token);
  }
  return { server: 'nginx', formats, logs };
}

function nginxDirective(
  [word = '', ...rest]: string[],
  formats: ServerLogs['formats'],
  logs: ServerLogs['logs'],
  blocks: { name: string; vhost: string | null }[],
): void {
  const bare = (s: string) => (s.startsWith('"') ? s.slice(1) : s);
  if (word === 'server_name') {
    const server = blocks.findLast((b) => b.name === 'server');
    // `.example.com` is example.com and all below it.
    const names = rest.map((n) => bare(n).replace(/^\./, ''));
    const name = names.find((n) => /^[a-z0-9.-]+$/i.test(n) && n.includes('.'));
    if (server && name) server.vhost = name;
  } else if (word === 'log_format' && rest[0]) {
    const parts = rest.slice(1).filter((p) => !p.startsWith('escape='));
    const name = bare(rest[0]);
    formats.set(name, { dialect: 'nginx', name, format: parts.map(bare).join('') });
  } else if (word === 'access_log' && rest[0]) {
    const path = bare(rest[0]);
    if (path === 'off' || path.startsWith('syslog:') || path.includes('$')) return;
    const nickname = rest[1] && !rest[1].includes('=') ? bare(rest[1]) : 'combined';
    logs.push({ path, nickname, format: null, vhost: null });
  }
}

/** Logs of all configuration files together, with their formats resolved. */
export function resolved(all: ServerLogs[]): LogDefinition[] {
  const named = { apache: new Map<string, TextFormat>(), nginx: new Map<string, TextFormat>() };
  for (const { server, formats } of all)
    for (const [name, format] of formats) named[server].set(name, format);
  return all.flatMap(({ server, logs }) =>
    logs.map(({ path, nickname, format, vhost }) => ({
      path,
      vhost,
      format: format ?? (nickname === null ? null : (named[server].get(nickname) ?? null)),
    })),
  );
}

/** The definition of a log, by the longest tail that both paths have in common; null when not even the name fits. */
export function definitionOf(stream: string, definitions: LogDefinition[]): LogDefinition | null {
  let best: LogDefinition | null = null;
  let longest = 0;
  for (const definition of definitions) {
    if (basename(definition.path) !== basename(stream)) continue;
    const a = definition.path
      .replace(/\$\{[^}]*\}/g, '')
      .split('/')
      .filter(Boolean)
      .reverse();
    const b = stream.split(/[/!]+/).filter(Boolean).reverse();
    let common = 0;
    while (common < a.length && a[common] === b[common]) common++;
    if (common > longest) {
      longest = common;
      best = definition;
    }
  }
  return best;
}
