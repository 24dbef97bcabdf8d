import type { SourceReport } from '../findings/finding.js';
import type { Case } from './case.js';

/** Every name under which evidence was met, and what became of it: the same order each time. */
export async function sourceReports(store: Case): Promise<SourceReport[]> {
  const rows = await store.rows<{
    path: string;
    kind: string | null;
    format: string | null;
    host: string | null;
    stream: string | null;
    bytes: bigint;
    records: bigint;
    unread: bigint;
    first: string | null;
    last: string | null;
    same_as: string | null;
    error: string | null;
    bytes_kind: SourceReport['bytesKind'] | null;
  }>(
    `WITH named AS (
       SELECT path, source_id, stored_bytes, same_as, error FROM appearances
       UNION ALL
       SELECT path, source_id, stored_bytes, NULL, error FROM sources WHERE path NOT IN (SELECT path FROM appearances))
     SELECT a.path, s.kind, s.format, s.host, s.stream, a.stored_bytes AS bytes, a.same_as, a.error,
            CASE WHEN a.same_as IS NULL THEN s.records ELSE 0 END AS records,
            CASE WHEN a.same_as IS NULL THEN s.unread ELSE 0 END AS unread,
            strftime(s.first_at, '%Y-%m-%dT%H:%M:%S') AS first, strftime(s.last_at, '%Y-%m-%dT%H:%M:%S') AS last, s.bytes_kind
     FROM named a LEFT JOIN sources s USING (source_id)
     ORDER BY s.stream NULLS LAST, s.first_at NULLS LAST, a.same_as NULLS FIRST, a.path`,
  );
  const host = (await store.fact('host')) ?? '';
  return rows.map((r) => ({
    path: r.path,
    format: r.format,
    host: r.host ?? host,
    stream: r.stream ?? r.path,
    bytes: Number(r.bytes),
    records: Number(r.records ?? 0),
    unread: Number(r.unread ?? 0),
    first: r.same_as === null ? r.first : null,
    last: r.same_as === null ? r.last : null,
    ...(r.same_as === null ? {} : { sameAs: r.same_as }),
    ...(r.error === null ? {} : { error: r.error }),
    ...(r.kind === 'access-log' && r.bytes_kind ? { bytesKind: r.bytes_kind } : {}),
  }));
}

/** The whole time of the records, in the log's own wall time, and the offset that most lines carry (`+01:00`). */
export async function periodOf(
  store: Case,
): Promise<{ first: string | null; last: string | null; zone?: string }> {
  const row = await store.row<{ first: string | null; last: string | null }>(
    `SELECT strftime(min(first_at), '%Y-%m-%dT%H:%M:%S') AS first, strftime(max(last_at), '%Y-%m-%dT%H:%M:%S') AS last
     FROM sources WHERE records > 0`,
  );
  const zone = await store.row<{ zone: number | null }>(
    'SELECT mode(zone_min)::INTEGER AS zone FROM request_facts',
  );
  if (!row?.first || zone?.zone == null) return { first: null, last: null };
  const minutes = Math.abs(zone.zone);
  const two = (n: number) => String(n).padStart(2, '0');
  return {
    ...row,
    zone: `${zone.zone < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`,
  };
}

/** Lines that could not be read, by file and reason, each with the first place where it happened. */
export interface UnreadGroup {
  path: string;
  reason: string;
  count: number;
  line: number;
  excerpt: string;
}

export async function unreadGroups(store: Case): Promise<UnreadGroup[]> {
  const rows = await store.rows<{
    path: string;
    reason: string;
    count: bigint;
    line: bigint | null;
    excerpt: string | null;
  }>(
    `WITH counts AS (SELECT source_id, reason, sum(lines) AS count FROM unread_counts GROUP BY ALL HAVING sum(lines) > 0),
          first AS (SELECT source_id, reason, min(line) AS line, arg_min(excerpt, line) AS excerpt FROM unread_lines GROUP BY ALL)
     SELECT s.path, c.reason, c.count::BIGINT AS count, f.line, f.excerpt
     FROM counts c JOIN sources s USING (source_id) LEFT JOIN first f USING (source_id, reason)
     ORDER BY c.count DESC, s.path`,
  );
  return rows.map((r) => ({
    path: r.path,
    reason: r.reason,
    count: Number(r.count),
    line: Number(r.line ?? 0),
    excerpt: r.excerpt ?? '',
  }));
}
