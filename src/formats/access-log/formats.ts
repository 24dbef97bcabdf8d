import { compile, type Program } from './program.js';

/**
 * How the lines of one source are to be read. Plain data, so that it can be sent to a worker and kept in a case.
 * The text formats of a choice are tried in order on each line: a log's format may change in mid-file.
 */
export interface TextFormat {
  dialect: 'apache' | 'nginx';
  name: string;
  format: string;
}
export type FormatChoice = { kind: 'json' } | { kind: 'text'; formats: TextFormat[] };

/**
 * Formats that are recognised without being told, richest first. `common` is `combined` whose lines end early: it
 * is read as such, for a log may go from the one to the other.
 *
 * Source: httpd docs "Log Files" (common, combined), Debian's apache2.conf (vhost_combined), nginx
 * ngx_http_log_module (its `combined` is the same shape). Single quotes: as some published excerpts have them.
 */
const COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"';
export const BUILT_IN: TextFormat[] = [
  { dialect: 'apache', name: 'vhost_combined', format: `%v:%p ${COMBINED}` },
  { dialect: 'apache', name: 'vhost_combined', format: `%v ${COMBINED}` },
  { dialect: 'apache', name: 'combined', format: COMBINED },
  { dialect: 'apache', name: 'vhost_combined', format: `%v:%p ${COMBINED}`.replaceAll('"', "'") },
  { dialect: 'apache', name: 'combined', format: COMBINED.replaceAll('"', "'") },
];

/** A format first, then the built-in ones for lines that do not fit it. */
export function withFallbacks(first: TextFormat): FormatChoice {
  return { kind: 'text', formats: [first, ...BUILT_IN.filter((f) => f.format !== first.format)] };
}

export function programs(choice: FormatChoice): Program[] {
  return choice.kind === 'json' ? [] : choice.formats.map((f) => compile(f.dialect, f.format, f.name));
}

export function formatName(choice: FormatChoice): string {
  return choice.kind === 'json' ? 'access-log (json)' : `access-log (${choice.formats[0]!.name})`;
}
