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

/** SQL for the kind of content behind a path. */
function kindSql(text: string): string {
  const ending = `regexp_extract(lower(${text}), '\\.([a-z0-9]{1,5})$', 1)`;
  const kinds = Object.entries(CONTENT_KINDS).map(
    ([kind, endings]) => `WHEN ${ending} IN (${quoted(endings)}) THEN '${kind}'`,
  );
  const feed = `WHEN lower(${text}) IN (${quoted(FEED_PATHS)}) OR lower(${text}) LIKE '%/feed/' THEN 'feed'`;
  return `CASE ${feed} ${kinds.join(' ')} ELSE 'page' END`;
}

/** SQL for the network of an address: /24, /48, or the domain above a host name. */
function netSql(text: string): string {
  return `CASE
    WHEN ${text} SIMILAR TO '[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+' THEN regexp_extract(${text}, '^([0-9]+\\.[0-9]+\\.[0-9]+)', 1) || '.0/24'
    WHEN contains(${text}, ':') THEN split_part(${text}, ':', 1) || ':' || split_part(${text}, ':', 2) || ':' || split_part(${text}, ':', 3) || '::/48'
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
     SELECT id, CASE WHEN text IS NULL THEN 'page' ELSE ${kindSql('text')} END AS kind,
            coalesce(lower(text) IN (${quoted(LOGIN_PATHS)}) OR lower(text) LIKE '%/wp-login.php' OR lower(text) LIKE '%/xmlrpc.php', false) AS login,
            coalesce(regexp_extract(text, '^(.*/)', 1), '') AS folder
     FROM path_texts`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE client_info AS
     SELECT id, coalesce(hash(net) % 2147483647, 0)::INTEGER AS net_id, net,
            CASE WHEN wide IS NULL THEN 0 ELSE (hash(wide) % 2147483647)::INTEGER END AS wide_id, wide
     FROM (SELECT id, ${netSql('text')} AS net, nullif(regexp_extract(text, '^([0-9]+\\.[0-9]+)\\.[0-9]+\\.[0-9]+$', 1), '') || '.0.0/16' AS wide FROM client_texts)`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE query_info AS
     SELECT id, coalesce(regexp_matches(lower(text), '(^|&)(${RESIZE_PARAMETERS.join('|')})=[0-9]'), false) AS resize
     FROM query_texts`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE referer_info AS
     SELECT id, site, coalesce(${readersSql('site')}, false) AS sends_readers, path, dense_rank() OVER (ORDER BY site) AS site_id
     FROM (SELECT id, nullif(regexp_extract(lower(text), '^[a-z]+://([^/:?#]+)', 1), '') AS site,
                  nullif(regexp_extract(text, '^[A-Za-z]+://[^/]+(/[^?#]*)', 1), '') AS path
           FROM referer_texts)`,
  );
}
