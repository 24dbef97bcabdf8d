import { isbot } from 'isbot';
import { BROWSER_BEGINS, FEED_READERS, LIBRARIES, MEDIA_PLAYERS, MONITORS } from '../knowledge/agents.js';
import { CONTENT_KINDS, FEED_PATHS, LOGIN_PATHS } from '../knowledge/content.js';
import { IMAGE_CACHES, type ImageCache, RESIZE_PARAMETERS } from '../knowledge/image-caches.js';
import { SEARCH_ENGINES, SOCIAL_SITES } from '../knowledge/referrers.js';
import type { Case } from '../store/case.js';

/** What kind of program an agent is, by its name. What it does is another question. */
export type AgentClass =
  | 'image-cache'
  | 'browser'
  | 'crawler'
  | 'feed-reader'
  | 'media-player'
  | 'library'
  | 'monitor'
  | 'none'
  | 'other';

export function imageCacheOf(agent: string | null): ImageCache | null {
  const lower = (agent ?? '').toLowerCase();
  return IMAGE_CACHES.find((c) => lower.includes(c.agent)) ?? null;
}

export function classOf(agent: string | null): AgentClass {
  if (!agent) return 'none';
  const lower = agent.toLowerCase();
  const has = (words: readonly string[]) => words.some((w) => lower.includes(w));
  if (imageCacheOf(agent)) return 'image-cache';
  if (has(FEED_READERS)) return 'feed-reader';
  if (has(MONITORS)) return 'monitor';
  if (has(MEDIA_PLAYERS)) return 'media-player';
  if (has(LIBRARIES)) return 'library';
  if (BROWSER_BEGINS.some((b) => lower.startsWith(b)) && !isbot(agent)) return 'browser';
  // isbot calls every bare `Token/1.0` a bot; a crawler says more of itself.
  return /bot|crawl|spider|slurp|archiver|scrap|\+?https?:\/\//.test(lower) ? 'crawler' : 'other';
}

const quoted = (words: readonly string[]) => words.map((w) => `'${w}'`).join(', ');

/** SQL for the kind of content behind a path, from its lower-case text and its ending. */
function kindSql(low: string, ending: string): string {
  const kinds = Object.entries(CONTENT_KINDS).map(
    ([kind, endings]) => `WHEN ${ending} IN (${quoted(endings)}) THEN '${kind}'`,
  );
  const feed = `WHEN ${low} IN (${quoted(FEED_PATHS)}) OR ${low} LIKE '%/feed/' THEN 'feed'`;
  return `CASE ${feed} ${kinds.join(' ')} ELSE 'page' END`;
}

/** SQL for the network of an address: /24, /48, or the domain above a host name. `v4` is the first half, or ''. */
function netSql(text: string, v4: string): string {
  return `CASE
    WHEN ${v4} <> '' THEN regexp_extract(${text}, '^[0-9]+\\.[0-9]+\\.[0-9]+\\.') || '0/24'
    WHEN contains(${text}, ':') THEN regexp_extract(${text}, '^[^:]*:[^:]*:?[^:]*') || '::/48'
    ELSE coalesce(nullif(regexp_extract(${text}, '([^.]+\\.[^.]+)$', 1), ''), ${text}) END`;
}

function readersSql(host: string): string {
  return [...SEARCH_ENGINES, ...SOCIAL_SITES]
    .map((name) => {
      const bare = name.endsWith('.*')
        ? `${name.slice(0, -2).replaceAll('.', '\\.')}(\\.[a-z]{2,3}){1,2}`
        : name.replaceAll('.', '\\.');
      return `(^|\\.)${bare}$`;
    })
    .reduce((all, one) => `${all}|${one}`)
    .replace(/^/, `regexp_matches(${host}, '`)
    .concat("')");
}

/**
 * Makes what investigations of web logs share: temporary tables that tell of each agent, path, client, query and
 * referrer what it is (once for each distinct text), keyed by the ids that the facts have.
 */
export async function describeTexts(store: Case): Promise<void> {
  const agents = await store.rows<{ id: number; text: string | null }>('SELECT id, text FROM agent_texts');
  const classes = agents.map(({ id, text }) => `(${id}, '${classOf(text)}')`);
  await store.run('CREATE OR REPLACE TEMP TABLE agent_info (id INTEGER, class VARCHAR)');
  for (let i = 0; i < classes.length; i += 1000)
    await store.run(`INSERT INTO agent_info VALUES ${classes.slice(i, i + 1000).join(', ')}`);
  await store.run(
    `CREATE OR REPLACE TEMP TABLE path_info AS
     SELECT id, CASE WHEN low IS NULL THEN 'page' ELSE ${kindSql('low', 'ending')} END AS kind,
            coalesce(low IN (${quoted(LOGIN_PATHS)}) OR low LIKE '%/wp-login.php' OR low LIKE '%/xmlrpc.php', false) AS login
     FROM (SELECT id, low, regexp_extract(low, '\\.([a-z0-9]{1,5})$', 1) AS ending FROM (SELECT id, lower(text) AS low FROM path_texts))`,
  );
  // Seldom asked for, and dear: made when it is.
  await store.run(
    `CREATE OR REPLACE TEMP VIEW path_folders AS
     SELECT id, coalesce(regexp_extract(text, '^(.*/)', 1), '') AS folder FROM path_texts`,
  );
  // The id of a network is that of its first client: small numbers are counted faster.
  await store.run(
    `CREATE OR REPLACE TEMP TABLE client_info AS
     WITH named AS (SELECT id, ${netSql('text', 'v4')} AS net, nullif(v4, '') || '.0.0/16' AS wide
                    FROM (SELECT id, text, regexp_extract(text, '^([0-9]+\\.[0-9]+)\\.[0-9]+\\.[0-9]+$', 1) AS v4 FROM client_texts)),
          nets AS (SELECT net, min(id) AS net_id FROM named GROUP BY net),
          wides AS (SELECT wide, min(id) AS wide_id FROM named WHERE wide IS NOT NULL GROUP BY wide)
     SELECT id, coalesce(net_id, 0) AS net_id, net, coalesce(wide_id, 0) AS wide_id, wide
     FROM named LEFT JOIN nets USING (net) LEFT JOIN wides USING (wide)`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE query_info AS
     SELECT id, coalesce(regexp_matches(lower(text), '(^|&)(${RESIZE_PARAMETERS.join('|')})=[0-9]'), false) AS resize
     FROM query_texts`,
  );
  // `site_id` 0: no site; `page_id`: the path that was asked for here and is the referrer's.
  await store.run(
    `CREATE OR REPLACE TEMP TABLE referer_info AS
     WITH named AS (SELECT id, nullif(regexp_extract(lower(text), '^[a-z]+://([^/:?#]+)', 1), '') AS site,
                           nullif(regexp_extract(text, '^[A-Za-z]+://[^/]+(/[^?#]*)', 1), '') AS path
                    FROM referer_texts),
          pages AS (SELECT text AS path, min(id) AS page_id FROM path_texts WHERE text IN (SELECT path FROM named) GROUP BY text)
     SELECT id, site, coalesce(${readersSql('site')}, false) AS sends_readers, page_id, CASE WHEN site IS NULL THEN 0 ELSE dense_rank() OVER (ORDER BY site) END::INTEGER AS site_id
     FROM named LEFT JOIN pages USING (path)`,
  );
}
