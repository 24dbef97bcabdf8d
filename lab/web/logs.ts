/** Writes requests as Apache would have: lines in a format, in files that logrotate has been at. */
import { gzipSync } from 'node:zlib';
import { DAY, type Hit, HOUR } from './world.js';

export const LAYOUTS = ['vhost_combined', 'per-vhost'] as const;
/** One file for all sites with the site in front of each line, or one file a site. */
export type Layout = (typeof LAYOUTS)[number];

/** logrotate's `delaycompress`, which leaves `.1` as it is, or its absence. */
export type Compress = 'delayed' | 'all';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** cron.weekly on Debian runs on Sundays at 06:47. */
const ROTATED_AT = 6 * HOUR + 47 * 60_000;
const WEEK = 7 * DAY;
/** 4 January 1970 was a Sunday. */
const SUNDAY = 3 * DAY;

/** File name to content. `hits` must be in the order of their times. */
export function writeLogs(hits: Hit[], end: number, layout: Layout, compress: Compress): Map<string, Buffer> {
  const current = week(end - 1);
  const parts = new Map<string, Map<number, string[]>>();
  for (const hit of hits) {
    const name = layout === 'per-vhost' ? `${hit.vhost}-access.log` : 'other_vhosts_access.log';
    const age = current - week(hit.at);
    const ages = parts.get(name) ?? new Map<number, string[]>();
    const lines = ages.get(age) ?? [];
    parts.set(name, ages.set(age, lines));
    lines.push(
      layout === 'per-vhost' ? combined(hit) : `${hit.vhost}:${hit.https ? 443 : 80} ${combined(hit)}`,
    );
  }
  const files = new Map<string, Buffer>();
  for (const [name, ages] of parts) {
    for (const [age, lines] of ages) {
      const text = Buffer.from(`${lines.join('\n')}\n`);
      const zipped = age > (compress === 'all' ? 0 : 1);
      files.set(name + (age ? `.${age}` : '') + (zipped ? '.gz' : ''), zipped ? gzip(text) : text);
    }
  }
  return files;
}

/** Which rotation period: the number grows with time. */
function week(at: number): number {
  return Math.floor((at - SUNDAY - ROTATED_AT) / WEEK);
}

/** The header says nothing of when and where: the same text makes the same bytes. */
function gzip(text: Buffer): Buffer {
  const zipped = gzipSync(text, { level: 9 });
  zipped.writeUInt32LE(0, 4); // mtime
  zipped[9] = 255; // operating system: unknown
  return zipped;
}

function combined(hit: Hit): string {
  const request = hit.line ?? `${hit.method ?? 'GET'} ${hit.path} HTTP/1.1`;
  const fields = [request, hit.referer ?? '-', hit.agent].map(escaped);
  return `${hit.client} - - [${clock(hit.at)}] "${fields[0]}" ${hit.status ?? 200} ${hit.bytes || '-'} "${fields[1]}" "${fields[2]}"`;
}

function clock(at: number): string {
  const iso = new Date(at).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** As Apache's `ap_escape_logitem` does. */
function escaped(text: string): string {
  return text.replace(/["\\\x00-\x1f\x7f-\xff]/g, (char) =>
    char === '"' || char === '\\' ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
