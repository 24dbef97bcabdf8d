import type { Amount, Place } from '../../findings/finding.js';
import type { Case, Value } from '../../store/case.js';
import { sum } from '../statistics.js';
import { binSql, type Calendar, type Course, type Site } from './course.js';

/**
 * A part of a site's requests, by what they have in common. Plain data in the log's own words, so that it can be
 * kept and measured again later (`verify`), and read by people.
 */
export interface Slice {
  agent?: string | null;
  path?: string | null;
  /** A page with all that it shows: requests for it, and those that its address referred. */
  page?: string;
  referringSite?: string;
  net?: string;
  /** An IPv4 /16. */
  wideNet?: string;
  /** Referred by a page elsewhere that sends no readers. */
  foreign?: boolean;
  status?: number;
  kind?: string;
  method?: string;
  folder?: string;
  class?: string;
  /** Paths on which passwords are tried. */
  login?: boolean;
  /** Queries that ask for a size. */
  resized?: boolean;
}

const WORDS: Record<keyof Slice, string> = {
  agent: 'agent',
  path: 'path',
  page: 'page',
  referringSite: 'referred by',
  net: 'network',
  wideNet: 'network',
  foreign: 'referred by pages elsewhere',
  status: 'status',
  kind: 'content',
  method: 'method',
  folder: 'folder',
  class: 'kind of agent',
  login: 'logins',
  resized: 'sizes asked for',
};

/** `agent Photon/1.0, content image`. */
export function sliceText(slice: Slice): string {
  return Object.entries(slice)
    .map(([key, value]) => {
      const word = WORDS[key as keyof Slice];
      return value === true ? word : `${word} ${value === null ? '-' : value}`;
    })
    .join(', ');
}

/** Figures of a slice's requests during the episode. Bytes are bytes; shares are 0 to 1. */
export interface Figures {
  requests: number;
  bytes: number;
  clients: number;
  nets: number;
  /** Share of the requests that come from the busiest network. */
  topNet: number;
  objects: number;
  agents: number;
  /** Share of the requests that go to the object asked for most. */
  topObject: number;
  images: number;
  pages: number;
  notModified: number;
  partial: number;
  posts: number;
  refused: number;
  withoutReferrer: number;
  foreignReferrer: number;
  browsers: number;
  /** Bytes beyond the first fetch of each object (by whomever in the slice). */
  waste: number;
}

/** One site in one stretch of time: what hypotheses look at. */
export class Scene {
  private increase: number | undefined;

  private constructor(
    readonly store: Case,
    readonly site: Site,
    readonly calendar: Calendar,
    readonly course: Course,
    /** Steps of the calendar, `to` past the last. */
    readonly from: number,
    readonly to: number,
    /** False when the stretch is all there is: nothing to compare with. */
    readonly changed: boolean,
    readonly paths: string[],
    readonly lines: number,
    readonly unread: number,
    /** The site's own name, for referrers; null when nothing tells it. */
    readonly ownName: string | null,
  ) {}

  static async of(
    store: Case,
    calendar: Calendar,
    course: Course,
    stretch: { from: number; to: number } | null,
    without: Slice | null = null,
  ): Promise<Scene> {
    const { site } = course;
    const own = await ownName(store, site);
    const from = stretch?.from ?? 0;
    const to = stretch?.to ?? calendar.starts.length;
    await store.run(
      `CREATE OR REPLACE TEMP TABLE scene AS
       WITH referers AS (SELECT id, site_id, sends_readers, page_id,
                                coalesce(site = $1 OR ends_with(site, '.' || $1) OR site IN (SELECT lower(text) FROM vhost_texts WHERE text IS NOT NULL), false) AS own
                         FROM referer_info)
       SELECT f.source_id, f.line, f.moment, f.bin, f.bin >= ${from} AND f.bin < ${to} AS during, f.status, f.bytes,
              f.client_id, c.net_id, c.wide_id, f.agent_id, a.class, f.path_id, p.kind, p.login, f.query_id, q.resize, f.method_id,
              f.referer_id, r.site_id, r.sends_readers, r.own,
              CASE WHEN r.own AND p.kind <> 'page' THEN coalesce(r.page_id, f.path_id) ELSE f.path_id END AS owner_id
       FROM (SELECT source_id, line, requested_at + to_minutes(zone_min) AS moment, ${binSql(calendar)} AS bin, status,
                    coalesce(bytes, 0) AS bytes, client_id, agent_id, path_id, query_id, method_id, referer_id
             FROM request_facts WHERE ${await rowsOf(store, site)}) f
       JOIN agent_info a ON a.id = f.agent_id
       JOIN path_info p ON p.id = f.path_id
       JOIN client_info c ON c.id = f.client_id
       JOIN query_info q ON q.id = f.query_id
       JOIN referers r ON r.id = f.referer_id`,
      [own],
    );
    if (without) {
      const { sql, values } = await predicate(store, without);
      await store.run(`DELETE FROM scene WHERE ${sql}`, values);
    }
    const sources = await store.rows<{ path: string; lines: bigint; unread: bigint }>(
      `SELECT path, lines, unread FROM sources WHERE source_id IN (SELECT DISTINCT source_id FROM scene) ORDER BY first_at`,
    );
    return new Scene(
      store,
      site,
      calendar,
      course,
      from,
      to,
      stretch !== null,
      sources.map((s) => s.path),
      sum(sources.map((s) => Number(s.lines))),
      sum(sources.map((s) => Number(s.unread))),
      own,
    );
  }

  /** Steps that the stretch covers; what is compared is always per step. */
  get steps(): number {
    return Math.max(1, this.to - this.from);
  }

  get otherSteps(): number {
    return Math.max(0, this.calendar.starts.length - this.steps);
  }

  rows<T extends object>(sql: string, values: Value[] = []): Promise<T[]> {
    return this.store.rows<T>(sql, values);
  }

  /** The part of the increase that a slice makes up; of everything where nothing changed. May pass 1. */
  async explains(slice: Slice): Promise<number> {
    this.increase ??= await this.increaseOf({});
    return this.increase > 0 ? (await this.increaseOf(slice)) / this.increase : 0;
  }

  /** Bytes a step that the stretch has more than the rest; all of them where nothing changed. */
  private async increaseOf(slice: Slice): Promise<number> {
    const { sql, values } = await predicate(this.store, slice);
    const rows = await this.rows<{ during: boolean; bytes: number }>(
      `SELECT during, sum(bytes)::DOUBLE AS bytes FROM scene WHERE ${sql} GROUP BY during`,
      values,
    );
    const bytes = (during: boolean) => rows.find((r) => r.during === during)?.bytes ?? 0;
    return (
      bytes(true) / this.steps - (this.changed && this.otherSteps > 0 ? bytes(false) / this.otherSteps : 0)
    );
  }

  async figures(slice: Slice): Promise<Figures> {
    const { sql, values } = await predicate(this.store, slice);
    const [f] = await this.rows<Record<string, number | null>>(
      `WITH part AS (SELECT * FROM scene WHERE during AND ${sql}),
            objects AS (SELECT count(*) AS n, sum(bytes) - coalesce(arg_min(bytes, moment) FILTER (status = 200), max(bytes)) AS beyond
                        FROM part GROUP BY path_id),
            nets AS (SELECT count(*) AS n FROM part GROUP BY net_id)
       SELECT count(*)::DOUBLE AS requests, sum(bytes)::DOUBLE AS bytes,
              count(DISTINCT client_id)::DOUBLE AS clients, count(DISTINCT net_id)::DOUBLE AS nets,
              (SELECT max(n) FROM nets)::DOUBLE AS top_net,
              count(DISTINCT path_id)::DOUBLE AS objects, count(DISTINCT agent_id)::DOUBLE AS agents,
              (SELECT max(n) FROM objects)::DOUBLE AS top_object, (SELECT sum(greatest(beyond, 0)) FROM objects)::DOUBLE AS waste,
              count(*) FILTER (kind = 'image')::DOUBLE AS images, count(*) FILTER (kind = 'page')::DOUBLE AS pages,
              count(*) FILTER (status = 304)::DOUBLE AS not_modified, count(*) FILTER (status = 206)::DOUBLE AS partial,
              count(*) FILTER (status IN (401, 403, 429, 503))::DOUBLE AS refused,
              count(*) FILTER (method_id = (SELECT id FROM method_texts WHERE text = 'POST'))::DOUBLE AS posts,
              count(*) FILTER (site_id = 0)::DOUBLE AS bare,
              count(*) FILTER (NOT own AND site_id <> 0)::DOUBLE AS foreign_referrer,
              count(*) FILTER (class = 'browser')::DOUBLE AS browsers
       FROM part`,
      values,
    );
    const requests = f!.requests ?? 0;
    const share = (n: number | null | undefined) => (requests > 0 ? (n ?? 0) / requests : 0);
    return {
      requests,
      bytes: f!.bytes ?? 0,
      clients: f!.clients ?? 0,
      nets: f!.nets ?? 0,
      topNet: share(f!.top_net),
      objects: f!.objects ?? 0,
      agents: f!.agents ?? 0,
      topObject: share(f!.top_object),
      images: share(f!.images),
      pages: share(f!.pages),
      notModified: share(f!.not_modified),
      partial: share(f!.partial),
      posts: share(f!.posts),
      refused: share(f!.refused),
      withoutReferrer: share(f!.bare),
      foreignReferrer: share(f!.foreign_referrer),
      browsers: share(f!.browsers),
      waste: f!.waste ?? 0,
    };
  }

  /** Objects that the site was asked for during the stretch, by anybody: how broad "everything" is. */
  async objectsOfSite(): Promise<number> {
    const [row] = await this.rows<{ n: number }>(
      `SELECT count(DISTINCT path_id)::DOUBLE AS n FROM scene WHERE status IN (200, 206, 304)`,
    );
    return row!.n;
  }

  /** Up to `most` places of a slice's requests, early ones first. */
  async places(slice: Slice, most = 3): Promise<Place[]> {
    const { sql, values } = await predicate(this.store, slice);
    const rows = await this.rows<{ path: string; line: number }>(
      `SELECT s.path, p.line FROM (SELECT source_id, line, moment FROM scene WHERE during AND ${sql} ORDER BY moment, source_id, line LIMIT ${most}) p
       JOIN sources s USING (source_id) ORDER BY p.moment, source_id, p.line`,
      values,
    );
    return rows.map(({ path, line }) => ({ path, line }));
  }

  /** Bytes of a slice, step by step over the whole calendar. */
  async courseOf(slice: Slice): Promise<number[]> {
    const { sql, values } = await predicate(this.store, slice);
    const rows = await this.rows<{ bin: number; bytes: number }>(
      `SELECT bin, sum(bytes)::DOUBLE AS bytes FROM scene WHERE ${sql} GROUP BY bin`,
      values,
    );
    const bytes = this.calendar.starts.map(() => 0);
    for (const row of rows) if (row.bin in bytes) bytes[row.bin] = row.bytes;
    return bytes;
  }

  /** Bytes a day, whatever the calendar's step. */
  perDay(bytesAStep: number): Amount {
    return { value: Math.round(bytesAStep * (this.calendar.unit === 'day' ? 1 : 24)), unit: 'byte/day' };
  }
}

/**
 * The name under which the site itself refers to its objects: its registered domain, so that `static.` and `www.`
 * are the same site. Where nothing says it, the site is known by its own pages: what they show is referred by
 * addresses whose paths were asked for here; or by the site that refers most of everything. Null: not to be told.
 */
async function ownName(store: Case, site: Site): Promise<string | null> {
  // The list of public suffixes is big, and many runs do not need it.
  const { getDomain } = await import('tldts');
  const domainOf = (host: string): string =>
    getDomain(host.toLowerCase()) ?? host.toLowerCase().replace(/^www\./, '');
  if (site.known) return domainOf(site.name);
  const rows = await store.rows<{ site: string; here: number; n: number; every: number }>(
    `WITH refs AS (SELECT referer_id AS id, count(*) AS n FROM request_facts WHERE vhost_id = $1 GROUP BY referer_id)
     SELECT site, (coalesce(sum(n) FILTER (p.kind = 'page'), 0))::DOUBLE AS here, sum(n)::DOUBLE AS n,
            sum(sum(n)) OVER ()::DOUBLE AS every
     FROM refs JOIN referer_info r USING (id) LEFT JOIN path_info p ON p.id = r.page_id WHERE site IS NOT NULL AND NOT sends_readers GROUP BY site
     ORDER BY here DESC, n DESC LIMIT 5`,
    [site.vhostId],
  );
  const own = rows.find((r) => r.here > r.n * 0.3) ?? rows.find((r) => r.n > r.every * 0.5);
  return own ? domainOf(own.site) : null;
}

/**
 * Whether anything but people reading pages has so large a part of a site's bytes that it is worth a closer look:
 * a program, a page elsewhere, a network, parts of objects, logins. Cheap, and never too strict.
 */
export async function mayDominate(store: Case, site: Site, least: number): Promise<boolean> {
  const facts = `request_facts WHERE ${await rowsOf(store, site)}`;
  // Added up by id first: what the ids stand for is looked up once for each.
  const by = (id: string) => `(SELECT ${id} AS id, sum(bytes) AS b FROM ${facts} GROUP BY ${id})`;
  const [row] = await store.rows<Record<string, number | null>>(
    `SELECT (SELECT sum(bytes)::DOUBLE FROM ${facts}) AS total,
            (SELECT max(b)::DOUBLE FROM ${by('agent_id')} JOIN agent_info USING (id) WHERE class <> 'browser') AS program,
            (SELECT max(b)::DOUBLE FROM (SELECT sum(b) AS b FROM ${by('referer_id')} JOIN referer_info USING (id)
               WHERE site IS NOT NULL AND NOT coalesce(site = $1 OR ends_with(site, '.' || $1), false) GROUP BY site_id)) AS site,
            (SELECT max(b)::DOUBLE FROM (SELECT sum(b) AS b FROM ${by('client_id')} JOIN client_info USING (id) GROUP BY net_id)) AS net,
            (SELECT sum(bytes)::DOUBLE FROM ${facts} AND status = 206) AS parts,
            (SELECT sum(bytes)::DOUBLE FROM ${facts} AND path_id IN (SELECT id FROM path_info WHERE login)) AS logins,
            (SELECT sum(bytes)::DOUBLE FROM ${facts} AND query_id IN (SELECT id FROM query_info WHERE resize)) AS sizes`,
    [await ownName(store, site)],
  );
  const { total, ...parts } = row!;
  return Object.values(parts).some((b) => (b ?? 0) >= least * (total ?? 0));
}

/** SQL over `request_facts`: the rows of a site. Only numbers of the case itself. */
async function rowsOf(store: Case, { vhostId, bytesKind }: Site): Promise<string> {
  const sources = await store.rows<{ source_id: number; fits: boolean }>(
    'SELECT source_id, bytes_kind = $1 AS fits FROM sources WHERE records > 0',
    [bytesKind],
  );
  const fitting = sources.filter((s) => s.fits).map((s) => s.source_id);
  const some = fitting.length < sources.length ? ` AND source_id IN (${fitting.join(', ') || 'NULL'})` : '';
  return `vhost_id = ${vhostId}${some}`;
}

/** SQL over the table `scene`; texts of the slice are parameters. */
export async function predicate(store: Case, slice: Slice): Promise<{ sql: string; values: Value[] }> {
  const parts: string[] = [];
  const values: Value[] = [];
  const ids = async (sql: string, value: Value): Promise<string> => {
    const rows = await store.rows<{ id: number }>(sql, value === null ? [] : [value]);
    return rows.length === 0 ? 'NULL' : rows.map((r) => Number(r.id)).join(', ');
  };
  for (const [key, value] of Object.entries(slice) as [keyof Slice, string | number | boolean | null][]) {
    switch (key) {
      case 'agent':
      case 'path':
      case 'method': {
        const sql = `SELECT id FROM ${key}_texts WHERE text ${value === null ? 'IS NULL' : '= $1'}`;
        parts.push(`${key}_id IN (${await ids(sql, value)})`);
        break;
      }
      case 'page':
        parts.push(`owner_id IN (${await ids('SELECT id FROM path_texts WHERE text = $1', value)})`);
        break;
      case 'referringSite':
        parts.push(
          `site_id IN (${await ids('SELECT DISTINCT site_id AS id FROM referer_info WHERE site = $1', value)})`,
        );
        break;
      case 'net':
        parts.push(
          `net_id IN (${await ids('SELECT DISTINCT net_id AS id FROM client_info WHERE net = $1', value)})`,
        );
        break;
      case 'wideNet':
        parts.push(
          `wide_id IN (${await ids('SELECT DISTINCT wide_id AS id FROM client_info WHERE wide = $1', value)})`,
        );
        break;
      case 'foreign':
        parts.push('NOT own AND NOT sends_readers AND site_id <> 0');
        break;
      case 'folder':
        parts.push(`path_id IN (SELECT id FROM path_folders WHERE folder = $${values.push(value)})`);
        break;
      case 'login':
        parts.push('login');
        break;
      case 'resized':
        parts.push('resize');
        break;
      default:
        parts.push(`${key} = $${values.push(value)}`);
    }
  }
  return { sql: parts.length === 0 ? 'true' : parts.join(' AND '), values };
}
