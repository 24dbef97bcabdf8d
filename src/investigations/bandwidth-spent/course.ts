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
  /** The first step: days or hours since 1970. */
  first: number;
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
/** Evidence of less time than this is looked at by the hour. */
const FEW = 5 * 24 * HOUR;
/** The search for an episode takes the square of it. */
const MOST_STEPS = 5000;

/** Records so far from the rest, and so few of them, come from a clock that was wrong. */
const STRAY_GAP_DAYS = 60;
const STRAY_SHARE = 0.01;

/** The calendar of the evidence and every site's course in it; null when it holds no requests. */
export interface History {
  calendar: Calendar;
  courses: Course[];
}

interface Bin {
  source_id: number;
  vhost_id: number;
  /** Steps since 1970 in wall time. */
  bin: number;
  requests: number;
  bytes: number;
  /** Seconds since 1970 in wall time. */
  first: number;
  last: number;
}

const secondsOf = (unit: Calendar['unit']) => (unit === 'day' ? 24 * HOUR : HOUR);
/** Wall time in microseconds from the year 1 on: never negative, so that a division of integers rounds down. */
const WALL = '(epoch_us(requested_at) + zone_min * 60000000::BIGINT + 62135596800000000)';
const YEAR_1 = -62_135_596_800;

/** One pass over all requests, in steps of days; in hours where there are few days. */
export async function historyOf(store: Case): Promise<History | null> {
  const [span] = await store.rows<{ seconds: number | null }>(
    'SELECT (epoch(max(last_at)) - epoch(min(first_at)))::DOUBLE AS seconds FROM sources WHERE records > 0',
  );
  const likely = (span?.seconds ?? 0) < FEW ? 'hour' : 'day';
  let bins = await binsOf(store, likely);
  let calendar = calendarOf(bins, likely);
  if (calendar && calendar.unit !== likely) {
    bins = await binsOf(store, calendar.unit);
    calendar = calendarOf(bins, calendar.unit);
  }
  return calendar ? { calendar, courses: await coursesOf(store, calendar, bins) } : null;
}

function binsOf(store: Case, unit: Calendar['unit']): Promise<Bin[]> {
  const step = secondsOf(unit);
  return store.rows<Bin>(
    `SELECT source_id, vhost_id, (${WALL} // ${step}000000 + ${YEAR_1 / step})::INTEGER AS bin, count(*)::DOUBLE AS requests,
            coalesce(sum(bytes), 0)::DOUBLE AS bytes, min(${WALL}) / 1e6 + ${YEAR_1} AS first, max(${WALL}) / 1e6 + ${YEAR_1} AS last
     FROM request_facts GROUP BY ALL`,
  );
}

/** Days, or hours when there are few days. `bins` are of the unit given. */
function calendarOf(bins: Bin[], of: Calendar['unit']): Calendar | null {
  const days = new Map<number, { day: number; n: number; first: number; last: number }>();
  for (const { bin, requests, first, last } of bins) {
    const at = of === 'day' ? bin : Math.floor(bin / 24);
    const day = days.get(at);
    if (!day) days.set(at, { day: at, n: requests, first, last });
    else {
      day.n += requests;
      day.first = Math.min(day.first, first);
      day.last = Math.max(day.last, last);
    }
  }
  const clusters: { day: number; n: number; first: number; last: number }[][] = [];
  for (const day of [...days.values()].toSorted((a, b) => a.day - b.day)) {
    const cluster = clusters.at(-1);
    if (cluster && day.day - cluster.at(-1)!.day <= STRAY_GAP_DAYS) cluster.push(day);
    else clusters.push([day]);
  }
  const all = sum(bins.map((b) => b.requests));
  const kept = clusters.filter((c) => sum(c.map((d) => d.n)) >= STRAY_SHARE * all).flat();
  const first = kept[0]?.first;
  const last = kept.at(-1)?.last;
  if (first === undefined || last === undefined) return null;
  const unit = last - first < FEW ? 'hour' : 'day';
  const step = secondsOf(unit);
  const from = Math.floor(first / step) * step;
  const count = Math.min(MOST_STEPS, Math.floor((last - from) / step) + 1);
  const starts = Array.from({ length: count }, (_, i) => isoOf(from + i * step));
  const whole = starts.map(
    (_, i) =>
      (i > 0 || first - from < step * 0.2) && (i < count - 1 || last - (from + i * step) > step * 0.8),
  );
  return { unit, first: from / step, starts, whole };
}

/** `2015-11-30T00:00:00`: wall time has no zone. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

/** SQL for the step of the calendar in which a row of `request_facts` lies. */
export function binSql({ unit, first }: Calendar): string {
  const step = secondsOf(unit);
  return `(${WALL} // ${step}000000 - ${first - YEAR_1 / step})::INTEGER`;
}

/** Bytes and requests of every site, step by step. */
async function coursesOf(store: Case, calendar: Calendar, bins: Bin[]): Promise<Course[]> {
  const sources = new Map(
    (
      await store.rows<{ source_id: number; log: string; kind: Site['bytesKind'] }>(
        "SELECT source_id, regexp_extract(stream, '[^/]+$') AS log, bytes_kind AS kind FROM sources",
      )
    ).map((s) => [s.source_id, s]),
  );
  const vhosts = new Map(
    (await store.rows<{ id: number; text: string | null }>('SELECT id, text FROM vhost_texts')).map((v) => [
      v.id,
      v.text,
    ]),
  );
  const courses = new Map<string, Course>();
  for (const { source_id, vhost_id, bin, bytes, requests } of bins) {
    const { log, kind } = sources.get(source_id)!;
    const name = vhosts.get(vhost_id) ?? null;
    const key = `${vhost_id} ${kind}`;
    let course = courses.get(key);
    if (!course) {
      const zeros = () => calendar.starts.map(() => 0);
      course = {
        site: { name: name ?? log, known: name !== null, vhostId: vhost_id, bytesKind: kind },
        bytes: zeros(),
        requests: zeros(),
      };
      courses.set(key, course);
    }
    // Of several logs that nothing names, the first by name.
    if (name === null && log < course.site.name) course.site.name = log;
    const at = bin - calendar.first;
    if (at < 0 || at >= calendar.starts.length) continue;
    course.bytes[at]! += bytes;
    course.requests[at]! += requests;
  }
  return [...courses.values()].toSorted(
    (a, b) => a.site.vhostId - b.site.vhostId || (a.site.bytesKind < b.site.bytesKind ? -1 : 1),
  );
}
