import { CulpritError } from '../errors/culprit-error.js';
import type { Case, Value } from '../store/case.js';
import { describeTexts } from './web.js';

/** What requests can be ranked and filtered by, as SQL over the view `requests`. */
const DIMENSIONS: Record<string, string> = {
  vhost: 'vhost',
  client: 'client',
  network: '(SELECT net FROM client_info WHERE id = client_id)',
  user: 'user_name',
  method: 'method',
  path: 'path',
  query: 'query',
  protocol: 'protocol',
  referer: 'referer',
  site: '(SELECT site FROM referer_info WHERE id = referer_id)',
  agent: 'agent',
  class: '(SELECT class FROM agent_info WHERE id = agent_id)',
  content: '(SELECT kind FROM path_info WHERE id = path_id)',
  folder: '(SELECT folder FROM path_folders WHERE id = path_id)',
  status: 'CAST(status AS VARCHAR)',
  host: 'host',
  source: 'source',
  day: "strftime(local_at, '%Y-%m-%d')",
  hour: "strftime(local_at, '%Y-%m-%d %H:00')",
};

export const DIMENSION_NAMES = Object.keys(DIMENSIONS);

export interface TopQuery {
  measure: 'bytes' | 'requests';
  by: string[];
  /** `agent=Photon/1.0`, `path~uploads` (contains), `status!=200`; all must hold. */
  where: string[];
  /** ISO wall time; `until` is not included. */
  since: string | null;
  until: string | null;
  per: 'day' | 'hour' | null;
  limit: number;
}

export interface TopAnswer {
  by: string[];
  measure: 'bytes' | 'requests';
  rows: { key: string[]; value: number; requests: number; share: number; series?: number[] }[];
  total: number;
  others: number;
  /** Start of each step of the series. */
  steps: string[];
}

const TEXTS = ['vhost', 'client', 'user', 'method', 'path', 'query', 'protocol', 'referer', 'agent'];

/** The biggest of anything by anything. Bytes of the body and bytes on the wire are never in one sum. */
export async function top(store: Case, query: TopQuery): Promise<TopAnswer> {
  await describeTexts(store);
  const kinds = await store.rows<{ k: string }>(
    'SELECT DISTINCT bytes_kind AS k FROM sources WHERE records > 0 ORDER BY k',
  );
  const mixed = query.measure === 'bytes' && kinds.length > 1;
  const by = mixed ? ['bytes kind', ...query.by] : query.by;
  const expressions = by.map((name) => (name === 'bytes kind' ? 'bytes_kind' : dimension(name, '--by')));
  const values: Value[] = [];
  const where = conditions(query, values);
  // The ids stand beside the texts, so that what is known of a text is looked up and not computed.
  const from = `(SELECT s.host, s.path AS source, s.bytes_kind, f.requested_at + to_minutes(f.zone_min) AS local_at,
      ${TEXTS.map((t) => `f.${t}_id, ${t}_texts.text AS ${t === 'user' ? 'user_name' : t}`).join(', ')}, f.status, f.bytes
    FROM request_facts f JOIN sources s USING (source_id) ${TEXTS.map((t) => `JOIN ${t}_texts ON ${t}_texts.id = f.${t}_id`).join(' ')})`;
  const measure = query.measure === 'bytes' ? 'coalesce(sum(bytes), 0)' : 'count(*)';
  const keys = expressions.map((e, i) => `coalesce(${e}, '-') AS k${i}`).join(', ');
  const names = expressions.map((_, i) => `k${i}`).join(', ');
  const rows = await store.rows<Record<string, Value>>(
    `WITH g AS (SELECT ${keys}, ${measure}::DOUBLE AS value, count(*)::DOUBLE AS requests FROM ${from} WHERE ${where} GROUP BY ${names})
     SELECT *, sum(value) OVER ()::DOUBLE AS total, count(*) OVER ()::DOUBLE AS groups FROM g
     ORDER BY value DESC, ${names} LIMIT ${Math.max(1, Math.trunc(query.limit))}`,
    values,
  );
  const total = Number(rows[0]?.total ?? 0);
  const answer: TopAnswer = {
    by,
    measure: query.measure,
    rows: rows.map((r) => ({
      key: by.map((_, i) => String(r[`k${i}`])),
      value: Number(r.value),
      requests: Number(r.requests),
      share: total > 0 ? Number(r.value) / total : 0,
    })),
    total,
    others: Math.max(0, Number(rows[0]?.groups ?? 0) - rows.length),
    steps: [],
  };
  if (query.per && rows.length > 0)
    await addSeries(store, answer, { from, where, keys, names, measure, values, per: query.per });
  return answer;
}

async function addSeries(
  store: Case,
  answer: TopAnswer,
  sql: {
    from: string;
    where: string;
    keys: string;
    names: string;
    measure: string;
    values: Value[];
    per: 'day' | 'hour';
  },
): Promise<void> {
  const rows = await store.rows<Record<string, Value>>(
    `SELECT ${sql.keys}, strftime(date_trunc('${sql.per}', local_at), '%Y-%m-%dT%H:%M:%S') AS step, ${sql.measure}::DOUBLE AS value
     FROM ${sql.from} WHERE ${sql.where} GROUP BY ${sql.names}, step ORDER BY step`,
    sql.values,
  );
  if (rows.length === 0) return;
  const seconds = sql.per === 'day' ? 86_400 : 3600;
  const first = Date.parse(`${rows[0]!.step}Z`) / 1000;
  const last = Date.parse(`${rows.at(-1)!.step}Z`) / 1000;
  const count = Math.min(100_000, Math.round((last - first) / seconds) + 1);
  answer.steps = Array.from({ length: count }, (_, i) =>
    new Date((first + i * seconds) * 1000).toISOString().slice(0, 19),
  );
  const index = new Map(answer.rows.map((row) => [JSON.stringify(row.key), row]));
  for (const row of answer.rows) row.series = answer.steps.map(() => 0);
  for (const r of rows) {
    const row = index.get(JSON.stringify(answer.by.map((_, i) => String(r[`k${i}`]))));
    const at = Math.round((Date.parse(`${r.step}Z`) / 1000 - first) / seconds);
    if (row?.series && at < count) row.series[at] = Number(r.value);
  }
}

function conditions(query: TopQuery, values: Value[]): string {
  const parts = query.where.map((text) => {
    const m = /^([a-z]+)(!=|=|~)(.*)$/s.exec(text);
    if (!m)
      throw new CulpritError({
        what: 'this condition cannot be read',
        why: `“${text}” is not NAME=VALUE, NAME!=VALUE or NAME~PART`,
        at: '--where',
        help: 'for example --where agent=Photon/1.0 --where path~uploads',
      });
    const sql = dimension(m[1]!, '--where');
    const value = m[3]!;
    if (value === '-' && m[2] !== '~') return `${sql} IS ${m[2] === '=' ? '' : 'NOT '}NULL`;
    const place = `$${values.push(value)}::VARCHAR`;
    if (m[2] === '~') return `contains(lower(${sql}), lower(${place}))`;
    return m[2] === '=' ? `${sql} = ${place}` : `${sql} IS DISTINCT FROM ${place}`;
  });
  if (query.since) parts.push(`local_at >= $${values.push(query.since)}::TIMESTAMP`);
  if (query.until) parts.push(`local_at < $${values.push(query.until)}::TIMESTAMP`);
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}

function dimension(name: string, option: string): string {
  const sql = Object.hasOwn(DIMENSIONS, name) ? DIMENSIONS[name] : undefined;
  if (sql) return sql;
  throw new CulpritError({
    what: `requests have no “${name}”`,
    at: option,
    help: `use one of: ${DIMENSION_NAMES.join(', ')}`,
  });
}
