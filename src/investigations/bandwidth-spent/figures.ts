import type { Impact, Note, Place } from '../../findings/finding.js';
import type { Case } from '../../store/case.js';
import { isoOf } from './course.js';
import { predicate, type Scene, type Slice } from './scene.js';

/** Retention that is replayed: what a cache that keeps originals so long would have saved. */
const RETENTIONS: { says: string; seconds: number }[] = [
  { says: 'for ever', seconds: Number.POSITIVE_INFINITY },
  { says: '30 days', seconds: 30 * 86_400 },
  { says: '7 days', seconds: 7 * 86_400 },
  { says: '1 day', seconds: 86_400 },
];

/** Fetches with less than this between them are one burst. */
const BURST_GAP_SECONDS = 120;
/** The densest burst is looked for among the objects that were fetched most. */
const MOST_OBJECTS = 30;

export interface Burst {
  path: string;
  fetches: number;
  seconds: number;
  from: string;
  to: string;
  clients: number;
  bytesEach: number;
  /** Pages and feeds that anybody asked the site for in the same minutes. */
  pages: number;
  places: Place[];
}

/** The densest run of fetches of one object, and what else went on meanwhile. */
export async function densestBurst(scene: Scene, slice: Slice): Promise<Burst | null> {
  const { sql, values } = await predicate(scene.store, slice);
  const [row] = await scene.rows<{
    path_id: number;
    path: string | null;
    n: number;
    start: number;
    stop: number;
    clients: number;
    each: number;
  }>(
    `WITH slice AS (SELECT path_id, moment, client_id, bytes FROM scene WHERE during AND ${sql}),
          often AS (SELECT path_id FROM slice GROUP BY path_id ORDER BY count(*) DESC LIMIT ${MOST_OBJECTS}),
          part AS (SELECT * FROM slice WHERE path_id IN (SELECT path_id FROM often)),
          marked AS (SELECT *, CASE WHEN moment - lag(moment) OVER w > to_seconds(${BURST_GAP_SECONDS}) THEN 1 ELSE 0 END AS is_new
                     FROM part WINDOW w AS (PARTITION BY path_id ORDER BY moment)),
          runs AS (SELECT *, sum(is_new) OVER (PARTITION BY path_id ORDER BY moment ROWS UNBOUNDED PRECEDING) AS run FROM marked)
     SELECT path_id, (SELECT text FROM path_texts WHERE id = path_id) AS path, count(*)::DOUBLE AS n,
            epoch(min(moment)) AS start, epoch(max(moment)) AS stop, count(DISTINCT client_id)::DOUBLE AS clients, median(bytes)::DOUBLE AS each
     FROM runs GROUP BY path_id, run ORDER BY n DESC, start LIMIT 1`,
    values,
  );
  if (!row || row.n < 5 || row.path === null) return null;
  const from = isoOf(row.start);
  const to = isoOf(row.stop);
  const window = `moment BETWEEN TIMESTAMP '${from}' AND TIMESTAMP '${to}' + INTERVAL 1 SECOND`;
  const [pages] = await scene.rows<{ n: number }>(
    `SELECT count(*)::DOUBLE AS n FROM scene WHERE kind IN ('page', 'feed') AND ${window}`,
  );
  const places = await scene.rows<{ path: string; line: number }>(
    `SELECT s.path, p.line FROM (SELECT source_id, line, moment FROM scene WHERE path_id = ${row.path_id} AND ${window} ORDER BY moment, source_id, line LIMIT 3) p
     JOIN sources s USING (source_id) ORDER BY p.moment, source_id, p.line`,
  );
  return {
    path: row.path,
    fetches: row.n,
    seconds: Math.round(row.stop - row.start),
    from,
    to,
    clients: row.clients,
    bytesEach: row.each,
    pages: pages!.n,
    places: places.map(({ path, line }) => ({ path, line })),
  };
}

/**
 * Bytes that would not have been sent had whoever fetched kept each object so long after fetching it. A fetch
 * after that time is made anew and kept again. The log is replayed object by object, in time order.
 */
export async function savedByRetention(scene: Scene, slice: Slice): Promise<number[]> {
  const { sql, values } = await predicate(scene.store, slice);
  const saved = RETENTIONS.map(() => 0);
  const fetchedAt = RETENTIONS.map(() => Number.NEGATIVE_INFINITY);
  const result = await scene.store.connection.stream(
    `SELECT path_id, epoch(moment) AS moment, bytes::DOUBLE AS bytes FROM scene WHERE during AND ${sql} AND status IN (200, 206) ORDER BY path_id, moment`,
    values,
  );
  let object = -1;
  for (
    let chunk = await result.fetchChunk();
    chunk && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    const [paths, times, sizes] = chunk.getColumns() as [number[], number[], number[]];
    for (let i = 0; i < paths.length; i++) {
      const at = times[i]!;
      const isNew = paths[i] !== object;
      object = paths[i]!;
      for (const [k, { seconds }] of RETENTIONS.entries())
        if (isNew || at - fetchedAt[k]! > seconds) fetchedAt[k] = at;
        else saved[k]! += sizes[i]!;
    }
  }
  return saved;
}

/** Pages and feeds that people and readers asked for in the stretch, a day. */
export async function pagesPerDay(scene: Scene): Promise<number> {
  const [row] = await scene.rows<{ n: number }>(
    `SELECT count(*)::DOUBLE AS n FROM scene WHERE during AND kind IN ('page', 'feed') AND NOT login`,
  );
  return row!.n / scene.steps / (scene.calendar.unit === 'day' ? 1 : 1 / 24);
}

/** Bytes of the site's own files, where its document root is among the evidence. */
export async function docrootBytes(
  store: Case,
  scene: Scene,
): Promise<{ bytes: number; folder: string } | null> {
  const [asked] = await scene.rows<{ path: string }>(
    `SELECT (SELECT text FROM path_texts WHERE id = path_id) AS path FROM scene WHERE during AND kind = 'image' AND status = 200
     GROUP BY path_id ORDER BY sum(bytes) DESC LIMIT 1`,
  );
  if (!asked?.path) return null;
  const [root] = await store.rows<{ folder: string }>(
    `SELECT left(path, length(path) - length($1::VARCHAR)) AS folder FROM sources
     WHERE kind = 'other' AND length(path) > length($1::VARCHAR) AND right(path, length($1::VARCHAR)) = $1 LIMIT 1`,
    [asked.path],
  );
  if (!root) return null;
  const [size] = await store.rows<{ bytes: number }>(
    `SELECT sum(stored_bytes)::DOUBLE AS bytes FROM sources WHERE starts_with(path, $1::VARCHAR || '/')`,
    [root.folder],
  );
  return { bytes: size!.bytes, folder: root.folder };
}

function span(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function retentionImpact(saved: number[]): Impact[] {
  return RETENTIONS.map(({ says }, i) => ({
    says:
      i === 0
        ? 'would have been saved, had each object been kept for ever once fetched'
        : `would have been saved, kept ${says}`,
    value: Math.round(saved[i]!),
    unit: 'byte' as const,
  }));
}

export function burstNote(burst: Burst): Note {
  const each = Math.round(burst.bytesEach).toLocaleString('en-GB');
  return {
    says:
      `${burst.path} was fetched ${burst.fetches.toLocaleString('en-GB')} times within ${span(burst.seconds)} ` +
      `(${burst.from.replace('T', ' ')} to ${burst.to.slice(11)}) from ${burst.clients.toLocaleString('en-GB')} addresses, ` +
      `${each} bytes each time; in the same time the site was asked for ${burst.pages.toLocaleString('en-GB')} pages and feeds`,
    amount: { value: burst.fetches, unit: 'request' },
    from: burst.places,
  };
}
