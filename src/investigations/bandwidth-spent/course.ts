import type { Case } from '../../store/case.js';
import { sum } from '../statistics.js';

/** One site whose bytes may be added up: never body bytes and bytes on the wire in one sum. */
export interface Site {
  /** Virtual host, or the log's own name where nothing tells. */
  name: string;
  vhostId: number;
  /** The vhost is known from the line, the configuration or the file's name. */
  known: boolean;
  bytesKind: 'body' | 'sent' | 'unknown';
}

/** The whole time of the evidence in even steps, in the log's own wall time. */
export interface Calendar {
  unit: 'day' | 'hour';
  /** Start of each step, ISO without zone. */
  starts: string[];
  /** Whether the evidence covers the step wholly; the first and last mostly are cut. */
  whole: boolean[];
}

export interface Course {
  site: Site;
  bytes: number[];
  requests: number[];
}

const HOUR = 3600;
/** The search for an episode takes the square of it. */
const MOST_STEPS = 5000;

/** Records so far from the rest, and so few of them, come from a clock that was wrong. */
const STRAY_GAP_DAYS = 60;
const STRAY_SHARE = 0.01;

/** Days, or hours when there are few days. */
export async function calendarOf(store: Case): Promise<Calendar | null> {
  const days = await store.rows<{ day: number; n: number; first: number; last: number }>(
    `SELECT floor(epoch(moment) / 86400)::INTEGER AS day, count(*)::DOUBLE AS n, epoch(min(moment)) AS first, epoch(max(moment)) AS last
     FROM (SELECT requested_at + to_minutes(zone_min) AS moment FROM request_facts) GROUP BY 1 ORDER BY 1`,
  );
  const clusters: (typeof days)[] = [];
  for (const day of days) {
    const cluster = clusters.at(-1);
    if (cluster && day.day - cluster.at(-1)!.day <= STRAY_GAP_DAYS) cluster.push(day);
    else clusters.push([day]);
  }
  const all = sum(days.map((d) => d.n));
  const kept = clusters.filter((c) => sum(c.map((d) => d.n)) >= STRAY_SHARE * all).flat();
  const first = kept[0]?.first;
  const last = kept.at(-1)?.last;
  if (first === undefined || last === undefined) return null;
  const unit = last - first < 5 * 24 * HOUR ? 'hour' : 'day';
  const step = unit === 'day' ? 24 * HOUR : HOUR;
  const from = Math.floor(first / step) * step;
  const count = Math.min(MOST_STEPS, Math.floor((last - from) / step) + 1);
  const starts = Array.from({ length: count }, (_, i) => isoOf(from + i * step));
  const whole = starts.map(
    (_, i) =>
      (i > 0 || first - from < step * 0.2) && (i < count - 1 || last - (from + i * step) > step * 0.8),
  );
  return { unit, starts, whole };
}

/** `2015-11-30T00:00:00`: wall time has no zone. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

/** SQL for the step of the calendar in which a wall time lies. */
export function binSql(calendar: Calendar, at: string): string {
  const step = calendar.unit === 'day' ? 86_400 : HOUR;
  return `CAST(floor((epoch(${at}) - epoch(TIMESTAMP '${calendar.starts[0]}')) / ${step}) AS INTEGER)`;
}

/** Bytes and requests of every site, step by step. */
export async function coursesOf(store: Case, calendar: Calendar): Promise<Course[]> {
  const rows = await store.rows<{
    vhost_id: number;
    name: string;
    known: boolean;
    bytes_kind: Site['bytesKind'];
    bin: number;
    bytes: number;
    requests: number;
  }>(
    `SELECT vhost_id, coalesce(v.text, min(regexp_extract(s.stream, '[^/]+$'))) AS name, v.text IS NOT NULL AS known, bytes_kind,
            ${binSql(calendar, 'requested_at + to_minutes(zone_min)')} AS bin,
            CAST(sum(coalesce(bytes, 0)) AS DOUBLE) AS bytes, CAST(count(*) AS DOUBLE) AS requests
     FROM request_facts JOIN sources s USING (source_id) JOIN vhost_texts v ON v.id = vhost_id
     GROUP BY vhost_id, v.text, bytes_kind, bin ORDER BY vhost_id, bytes_kind, bin`,
  );
  const courses = new Map<string, Course>();
  for (const { vhost_id, name, known, bytes_kind, bin, bytes, requests } of rows) {
    const key = `${vhost_id} ${bytes_kind}`;
    let course = courses.get(key);
    if (!course) {
      const zeros = () => calendar.starts.map(() => 0);
      course = {
        site: { name, known, vhostId: vhost_id, bytesKind: bytes_kind },
        bytes: zeros(),
        requests: zeros(),
      };
      courses.set(key, course);
    }
    if (bin >= 0 && bin < calendar.starts.length) {
      course.bytes[bin] = bytes;
      course.requests[bin] = requests;
    }
  }
  return [...courses.values()];
}
