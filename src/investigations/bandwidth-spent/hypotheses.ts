import type { Amount, Fact } from '../../findings/finding.js';
import { between } from '../statistics.js';
import { classOf, imageCacheOf } from '../web.js';
import { type Figures, predicate, type Scene, type Slice } from './scene.js';

export type CulpritId =
  | 'image-cache-refetch'
  | 'hotlinked-object'
  | 'crawler'
  | 'range-refetch'
  | 'popular-object'
  | 'brute-force';

/** One measured fact with what it weighs for the hypothesis: a log-likelihood ratio, natural log. */
interface Sign {
  says: string;
  weight: number;
  amount?: Amount;
}

/** A hypothesis held against the part of the traffic that fits it best. */
export interface Weighed {
  id: CulpritId;
  says: string;
  slice: Slice | null;
  /** Part of the increase that the slice makes up. */
  explains: number;
  figures: Figures | null;
  weight: number;
  signs: (Fact & { weight: number })[];
  /** What would settle it where it stays open. */
  bring: string[];
}

/**
 * Every hypothesis begins behind: on most sites on most days none of these things happens. A culprit needs
 * several signs, and needs to be what the bytes went to.
 */
const PRIOR = -3;

const percent = (share: number) => {
  const p = share * 100;
  return `${p >= 99.95 || p === 0 ? p.toFixed(0) : p < 1 || p > 99 ? p.toFixed(1) : p.toFixed(0)} %`;
};
const count = (n: number) => Math.round(n).toLocaleString('en-GB');
const plural = (n: number, word: string) =>
  `${count(n)} ${Math.round(n) === 1 ? word : word.endsWith('s') ? `${word}es` : `${word}s`}`;

/** How much of the bytes it is comes first with each: a culprit that did not cost anything is none. */
function explaining(scene: Scene, explains: number): Sign {
  const shown = percent(Math.max(0, Math.min(1, explains)));
  return {
    says: scene.changed ? `it makes up ${shown} of the increase` : `it makes up ${shown} of all bytes`,
    weight: between(explains, [
      [0.05, -8],
      [0.25, -3],
      [0.5, 1],
      [0.8, 3],
    ]),
    amount: { value: Number((Math.max(0, Math.min(1, explains)) * 100).toFixed(1)), unit: 'percent' },
  };
}

async function weighed(
  scene: Scene,
  hypothesis: Pick<Weighed, 'id' | 'says' | 'bring'>,
  slice: Slice,
  signsOf: (f: Figures) => Sign[] | Promise<Sign[]>,
): Promise<Weighed> {
  const explains = await scene.explains(slice);
  const figures = await scene.figures(slice);
  const signs = [explaining(scene, explains), ...(await signsOf(figures))];
  const places = await scene.places(slice);
  return {
    ...hypothesis,
    slice,
    explains,
    figures,
    weight: PRIOR + signs.reduce((total, s) => total + s.weight, 0),
    signs: signs.map((sign) => ({ ...sign, from: places })),
  };
}

/** There is nothing at all in the log that the hypothesis speaks of. */
function absent(scene: Scene, hypothesis: Pick<Weighed, 'id' | 'says'>, says: string): Weighed {
  return {
    ...hypothesis,
    slice: null,
    explains: 0,
    figures: null,
    weight: PRIOR - 8,
    signs: [{ says, weight: -8, from: { searched: scene.paths, lines: scene.lines, unread: scene.unread } }],
    bring: [],
  };
}

/** A column of the scene, and the table that has its texts. */
const AGENT = { id: 'agent_id', texts: 'SELECT id, text FROM agent_texts' };
const PATH = { id: 'path_id', texts: 'SELECT id, text FROM path_texts' };
const NET = { id: 'net_id', texts: 'SELECT DISTINCT net_id, net FROM client_info' };
const WIDE = { id: 'wide_id', texts: 'SELECT DISTINCT wide_id, wide FROM client_info WHERE wide_id <> 0' };
const REFERRING_SITE = { id: 'site_id', texts: 'SELECT DISTINCT site_id, site FROM referer_info' };

/** The texts of the elements with most bytes during the stretch. */
async function biggest(
  scene: Scene,
  { id, texts }: typeof AGENT,
  where: string,
  most = 2,
): Promise<(string | null)[]> {
  const rows = await scene.rows<{ name: string | null }>(
    `SELECT name, sum(bytes) AS bytes FROM (SELECT ${id} AS id, sum(bytes) AS bytes FROM scene WHERE during AND ${where} GROUP BY ${id})
     JOIN (${texts}) AS named(id, name) USING (id) GROUP BY name ORDER BY bytes DESC LIMIT ${most}`,
  );
  return rows.map((r) => r.name);
}

/** The network with most bytes, and the wider one: a program may have one or the other. */
async function biggestNets(scene: Scene, where: string): Promise<Slice[]> {
  const [net] = await biggest(scene, NET, where, 1);
  const [wide] = await biggest(scene, WIDE, `wide_id <> 0 AND ${where}`, 1);
  return [...(net ? [{ net }] : []), ...(wide ? [{ wideNet: wide }] : [])];
}

/**
 * A network from which nearly everybody comes, whenever: a proxy, a CDN or the house's own network stands in front,
 * and its address tells nothing of who asks.
 */
async function inFront(scene: Scene, net: Slice): Promise<Sign[]> {
  const { sql, values } = await predicate(scene.store, net);
  const [row] = await scene.rows<{ share: number | null }>(
    `SELECT (count(*) FILTER (${sql}) / count(*))::DOUBLE AS share FROM scene ${scene.changed ? 'WHERE NOT during' : ''}`,
    values,
  );
  const share = row?.share ?? 0;
  if (share < 0.3) return [];
  return [
    {
      says: `${percent(share)} of ${scene.changed ? 'the requests before and after' : 'all requests'} come from there too: a proxy or CDN seems to stand in front`,
      weight: -8,
    },
  ];
}

/** The best of several candidates for one hypothesis. */
async function best(candidates: (() => Promise<Weighed>)[]): Promise<Weighed | null> {
  const all: Weighed[] = [];
  for (const candidate of candidates) all.push(await candidate());
  return all.toSorted((a, b) => b.weight - a.weight)[0] ?? null;
}

// ---- image-cache-refetch

async function imageCache(scene: Scene): Promise<Weighed> {
  const hypothesis = {
    id: 'image-cache-refetch' as const,
    says: 'an image cache or proxy fetches the same originals again and again',
    bring: ['a packet capture or a log with request headers of these fetches (If-None-Match, Via)'],
  };
  const agents = await biggest(scene, AGENT, "kind = 'image' AND class NOT IN ('browser')", 3);
  const fetching = agents.map((agent): (() => Promise<Weighed>) => {
    const cache = imageCacheOf(agent);
    const named = cache
      ? `${cache.name}, the image cache of ${cache.operator},`
      : `the agent ${agent ?? '-'}`;
    return () =>
      weighed(
        scene,
        { ...hypothesis, says: `${named} fetches the same originals again and again, whole` },
        { agent, kind: 'image' },
        async (f) => {
          const [{ all = 0 } = {}] = await scene.rows<{ all: number }>(
            `SELECT count(*)::DOUBLE AS all FROM scene WHERE during AND agent_id IN (SELECT id FROM agent_texts WHERE text IS NOT DISTINCT FROM $1)`,
            [agent],
          );
          return imageCacheSigns(
            f,
            cache ? 'cache' : classOf(agent) === 'crawler' ? 'crawler' : 'other',
            all,
          );
        },
      );
  });
  const nets = await biggestNets(scene, "kind = 'image' AND class = 'browser'");
  const hidden = nets.map((net) => (): Promise<Weighed> => {
    const where = net.net ?? net.wideNet;
    return weighed(
      scene,
      {
        ...hypothesis,
        says: `a program in ${where} that calls itself a browser fetches the same originals again and again`,
      },
      { ...net, kind: 'image' },
      async (f) => [
        ...imageCacheSigns(f, 'browser', (await scene.figures(net)).requests),
        ...(await inFront(scene, net)),
      ],
    );
  });
  const found = await best([...fetching, ...hidden, ...(await sweeping(scene, hypothesis))]);
  return found ?? absent(scene, hypothesis, 'no program but browsers fetches images');
}

function imageCacheSigns(
  f: Figures,
  name: 'cache' | 'crawler' | 'browser' | 'other',
  requestsOfAgent: number,
): Sign[] {
  const perObject = f.requests / Math.max(1, f.objects);
  const only = f.requests / Math.max(1, requestsOfAgent);
  return [
    {
      says: {
        cache: 'its agent is known as an image cache',
        crawler: 'its agent says that it is a crawler',
        browser: 'its agent says that it is a browser',
        other: 'its agent is no browser and none that is known',
      }[name],
      weight: { cache: 4, crawler: -2, browser: -1, other: 1 }[name],
    },
    {
      says: `${percent(only)} of what it asks for are images, ${plural(f.objects, 'object')} in all`,
      weight: between(only, [
        [0.7, -4],
        [0.9, 0.5],
        [1, 2.5],
      ]),
    },
    {
      says: `each object was fetched ${perObject < 10 ? perObject.toFixed(1) : count(perObject)} times; ${percent(f.waste / Math.max(1, f.bytes))} of the bytes are beyond the first fetch`,
      weight: between(f.waste / Math.max(1, f.bytes), [
        [0.2, -5],
        [0.6, 0],
        [0.9, 3],
      ]),
      amount: { value: f.waste, unit: 'byte' },
    },
    {
      says: `${percent(f.notModified)} of its fetches were answered 304, ${percent(f.partial)} are parts: it takes the whole object each time`,
      weight: between(f.notModified + f.partial, [
        [0.02, 1],
        [0.3, -2],
      ]),
    },
    {
      says: `${percent(f.withoutReferrer)} carry no referrer`,
      weight: between(f.withoutReferrer, [
        [0.3, -2.5],
        [0.95, 1],
      ]),
    },
    {
      says: `${plural(f.clients, 'address')} in ${plural(f.nets, 'network')}; the busiest has ${percent(f.topNet)}`,
      weight:
        f.clients < 3
          ? -0.5
          : between(f.nets / f.clients, [
              [0.2, 1.5],
              [0.7, -3],
            ]),
    },
  ];
}

/** The cache's own side: readers ask it for one original in many sizes. */
async function sweeping(
  scene: Scene,
  hypothesis: Pick<Weighed, 'id' | 'says' | 'bring'>,
): Promise<(() => Promise<Weighed>)[]> {
  const [found] = await scene.rows<{ n: number }>(
    'SELECT count(*)::DOUBLE AS n FROM scene WHERE during AND resize',
  );
  if (!found || found.n < 10) return [];
  const slice: Slice = { resized: true };
  const says =
    'one original is asked for in every size: each size is fetched or made from the whole original';
  return [
    () =>
      weighed(scene, { ...hypothesis, says }, slice, async (f) => {
        const [{ sizes = 0, most = 0 } = {}] = await scene.rows<{ sizes: number; most: number }>(
          `SELECT median(n)::DOUBLE AS sizes, max(n)::DOUBLE AS most FROM (
           SELECT path_id, count(DISTINCT query_id) AS n, sum(bytes) AS b FROM scene WHERE during AND resize
           GROUP BY path_id ORDER BY b DESC LIMIT 20)`,
        );
        return [
          {
            says: `${plural(f.objects, 'original')} were asked for in up to ${plural(most, 'different size')} each (median of the biggest: ${count(sizes)})`,
            weight: between(most, [
              [3, -4],
              [8, 3],
              [15, 6],
            ]),
          },
          {
            says: `${percent(f.images)} of these requests are for images`,
            weight: between(f.images, [
              [0.5, -3],
              [0.95, 2],
            ]),
          },
          {
            says: `${plural(f.requests, 'request')} for ${plural(f.objects, 'original')}`,
            weight: between(f.requests / Math.max(1, f.objects), [
              [2, -2],
              [10, 1.5],
            ]),
          },
        ];
      }),
  ];
}

// ---- hotlinked-object

async function hotlinked(scene: Scene): Promise<Weighed> {
  const hypothesis = {
    id: 'hotlinked-object' as const,
    says: 'pages elsewhere show objects of this site',
    bring: ['a log with referrers (combined instead of common)'],
  };
  const sites = await biggest(
    scene,
    REFERRING_SITE,
    "NOT own AND NOT sends_readers AND kind IN ('image', 'media', 'download') AND site_id <> 0",
  );
  // One site may show it, or many.
  const slices: Slice[] = sites.map((site) => ({ referringSite: site! }));
  if (sites.length > 1) slices.push({ foreign: true });
  const found = await best(
    slices.map(
      (slice) => () =>
        weighed(
          scene,
          {
            ...hypothesis,
            says: slice.referringSite
              ? `pages of ${slice.referringSite} show objects of this site`
              : 'pages of several sites show objects of this site',
          },
          slice,
          async (f) => {
            const { sql, values } = await predicate(scene.store, slice);
            const [row] = await scene.rows<{ readers: number; sized: number; all: number }>(
              `SELECT (SELECT count(DISTINCT client_id)::DOUBLE FROM scene WHERE during AND kind = 'page'
                       AND client_id IN (SELECT client_id FROM scene WHERE during AND ${sql})) AS readers,
                      (SELECT count(*) FILTER (resize)::DOUBLE / greatest(1, count(*)) FROM scene WHERE during AND ${sql}) AS sized,
                      (SELECT count(*)::DOUBLE FROM scene WHERE during) AS all`,
              values,
            );
            const { readers = 0, sized = 0, all = 1 } = row ?? {};
            const reading = readers / Math.max(1, f.clients);
            const unsure: Sign[] =
              scene.ownName === null
                ? [{ says: 'nothing tells the site’s own name, so these pages may be its own', weight: -6 }]
                : [];
            if (!scene.changed && f.requests > 0.8 * all)
              unsure.push({
                says: `${percent(f.requests / all)} of all that is asked for here, all the time: this seems to be where that site keeps its files`,
                weight: -8,
              });
            if (sized > 0.05)
              unsure.push({
                says: `${percent(sized)} of them ask for a size: images are served here for pages elsewhere on purpose`,
                weight: between(sized, [
                  [0.1, 0],
                  [0.8, -8],
                ]),
              });
            return [
              ...unsure,
              {
                says: `${plural(f.requests, 'request')} for ${plural(f.objects, 'object')} were referred by ${slice.referringSite ?? 'pages elsewhere'}`,
                weight: between(f.requests / Math.max(1, f.objects), [
                  [1, -1],
                  [20, 2],
                ]),
              },
              {
                says: `${plural(f.clients, 'address')} in ${plural(f.nets, 'network')}, ${percent(f.browsers)} browsers`,
                weight:
                  between(f.browsers, [
                    [0.3, -4],
                    [0.9, 1],
                  ]) +
                  between(f.clients, [
                    [3, -3],
                    [50, 2],
                  ]),
              },
              {
                says: `${percent(reading)} of them read a page here`,
                weight: between(reading, [
                  [0.15, 3],
                  [0.6, -4],
                ]),
              },
              {
                says: `${percent(f.pages)} of what they ask for are pages`,
                weight: between(f.pages, [
                  [0.05, 1],
                  [0.5, -5],
                ]),
              },
            ];
          },
        ),
    ),
  );
  return found ?? absent(scene, hypothesis, 'no image, media or download was referred by a page elsewhere');
}

// ---- crawler

async function crawler(scene: Scene): Promise<Weighed> {
  const hypothesis = {
    id: 'crawler' as const,
    says: 'a crawler walks the site',
    bring: ['more days of this log: a walk shows by its breadth'],
  };
  const all = Math.max(1, await scene.objectsOfSite());
  const signs = (f: Figures, name: 'crawler' | 'browser' | 'other'): Sign[] => [
    {
      says: `it asked for ${plural(f.objects, 'object')}, ${percent(f.objects / all)} of the ${count(all)} that the site was asked for at all`,
      weight: between(f.objects / all, [
        [0.1, -5],
        [0.35, 0],
        [0.7, 3],
      ]),
    },
    {
      says: `${percent(f.pages)} of its requests are for pages`,
      weight: between(f.pages, [
        [0.01, -4],
        [0.05, -1],
        [0.12, 2],
      ]),
    },
    {
      says: `the object it asked for most got ${percent(f.topObject)} of its requests`,
      weight: between(f.topObject, [
        [0.1, 1],
        [0.5, -4],
      ]),
    },
    {
      says:
        name === 'crawler'
          ? 'its agent says that it is a crawler'
          : name === 'browser'
            ? 'its agent says that it is a browser'
            : 'its agent says neither browser nor crawler',
      weight: name === 'crawler' ? 2.5 : name === 'browser' ? -1 : 0.5,
    },
    {
      says: `${percent(f.withoutReferrer)} carry no referrer; ${plural(f.nets, 'network')}`,
      weight:
        between(f.withoutReferrer, [
          [0.3, -2],
          [0.9, 1],
        ]) +
        between(f.topNet, [
          [0.05, -1],
          [0.5, 1],
        ]),
    },
  ];
  const agents = await biggest(scene, AGENT, "class NOT IN ('browser', 'image-cache')");
  const nets = await biggestNets(scene, "class = 'browser'");
  const found = await best([
    ...agents.map(
      (agent) => () =>
        weighed(
          scene,
          { ...hypothesis, says: `${agent ?? 'a program without a name'} walks the whole site` },
          { agent },
          (f) => signs(f, /bot|crawl|spider|https?:/i.test(agent ?? '') ? 'crawler' : 'other'),
        ),
    ),
    ...nets.map(
      (net) => () =>
        weighed(
          scene,
          {
            ...hypothesis,
            says: `a program in ${net.net ?? net.wideNet} that calls itself a browser walks the site`,
          },
          net,
          async (f) => [...signs(f, 'browser'), ...(await inFront(scene, net))],
        ),
    ),
  ]);
  return found ?? absent(scene, hypothesis, 'no program but browsers asked for anything');
}

// ---- range-refetch

async function ranges(scene: Scene): Promise<Weighed> {
  const hypothesis = {
    id: 'range-refetch' as const,
    says: 'a client fetches the same ranges of an object over and over',
    bring: ['a log with the Range header (Apache %{Range}i, nginx $http_range)'],
  };
  const paths = await biggest(scene, PATH, 'status = 206', 2);
  const found = await best(
    paths.map(
      (path) => () =>
        weighed(
          scene,
          { ...hypothesis, says: `parts of ${path} are fetched over and over` },
          { path, status: 206 },
          async (f) => {
            const [row] = await scene.rows<{ per: number; same: number; size: number | null }>(
              `WITH part AS (SELECT * FROM scene WHERE during AND status = 206 AND path_id IN (SELECT id FROM path_texts WHERE text = $1))
           SELECT coalesce(median(b), 0)::DOUBLE AS per,
                  (SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM part GROUP BY client_id, bytes))::DOUBLE / greatest(1, (SELECT count(*) FROM part)) AS same,
                  (SELECT max(bytes)::DOUBLE FROM scene WHERE status = 200 AND path_id IN (SELECT id FROM path_texts WHERE text = $1)) AS size
           FROM (SELECT sum(bytes) AS b FROM part GROUP BY client_id)`,
              [path],
            );
            const { per = 0, same = 0, size = null } = row ?? {};
            const times = size ? per / size : null;
            return [
              {
                says: `${plural(f.requests, 'part')} (206) were sent to ${plural(f.clients, 'address')}; ${percent(same)} are of a size that the same address had already got`,
                weight: between(same, [
                  [0.3, -4],
                  [0.7, 1],
                  [0.95, 3],
                ]),
              },
              {
                says: `${count(f.requests / Math.max(1, f.clients))} parts for each address`,
                weight: between(f.requests / Math.max(1, f.clients), [
                  [3, -3],
                  [20, 2],
                  [60, 3],
                ]),
              },
              {
                says:
                  times === null
                    ? 'nobody fetched it whole, so its size is not known'
                    : `half of the addresses got more than ${times.toFixed(1)} times its whole size`,
                weight:
                  times === null
                    ? 0
                    : between(times, [
                        [1, -3],
                        [2, 1],
                        [5, 3],
                      ]),
              },
              {
                says: `${percent(f.withoutReferrer)} carry no referrer, ${percent(f.browsers)} come from browsers`,
                weight: between(f.browsers, [
                  [0.1, 1],
                  [0.9, -0.5],
                ]),
              },
            ];
          },
        ),
    ),
  );
  return found ?? absent(scene, hypothesis, 'no part of an object (206) was sent');
}

// ---- popular-object

async function popular(scene: Scene): Promise<Weighed> {
  const hypothesis = {
    id: 'popular-object' as const,
    says: 'one page or object got popular with people',
    bring: ['a log with referrers and agents (combined instead of common)'],
  };
  const rows = await scene.rows<{ page: string | null }>(
    `SELECT (SELECT text FROM path_texts WHERE id = owner_id) AS page
     FROM (SELECT owner_id, sum(bytes) FILTER (during)::DOUBLE / ${scene.steps} - coalesce(sum(bytes) FILTER (NOT during), 0)::DOUBLE / ${Math.max(1, scene.otherSteps)} AS more
           FROM scene GROUP BY owner_id ORDER BY more DESC NULLS LAST LIMIT 2) ORDER BY more DESC NULLS LAST`,
  );
  const found = await best(
    rows
      .filter((r) => r.page !== null)
      .map(
        ({ page }) =>
          () =>
            weighed(
              scene,
              { ...hypothesis, says: `${page} got popular: many people read it, with what it shows` },
              { page: page! },
              async (f) => {
                const [row] = await scene.rows<{ sites: number; readers: number; again: number }>(
                  `WITH part AS (SELECT * FROM scene WHERE during AND owner_id IN (SELECT id FROM path_texts WHERE text = $1))
             SELECT (SELECT count(DISTINCT site_id) FROM part WHERE sends_readers OR NOT own)::DOUBLE AS sites,
                    (SELECT count(DISTINCT client_id) FROM part WHERE kind = 'page')::DOUBLE AS readers,
                    (SELECT coalesce(sum(n - 1), 0)::DOUBLE / greatest(1, count(*)) FROM (SELECT count(*) AS n FROM part WHERE status = 200 GROUP BY client_id, path_id, query_id)) AS again`,
                  [page!],
                );
                const { sites = 0, readers = 0, again = 0 } = row ?? {};
                return [
                  {
                    says: `${plural(f.clients, 'address')} in ${plural(f.nets, 'network')} asked for it, ${percent(f.browsers)} browsers`,
                    weight:
                      between(f.browsers, [
                        [0.4, -6],
                        [0.9, 1.5],
                      ]) +
                      between(f.nets, [
                        [5, -5],
                        [60, 2],
                      ]),
                  },
                  {
                    says: `${percent(readers / Math.max(1, f.clients))} of them read a page`,
                    weight: between(readers / Math.max(1, f.clients), [
                      [0.1, -5],
                      [0.7, 3],
                    ]),
                  },
                  {
                    says: `each fetched an object ${(1 + again).toFixed(1)} times`,
                    weight: between(again, [
                      [0.3, 2],
                      [3, -4],
                    ]),
                  },
                  {
                    says: `they came from ${plural(Math.max(0, sites - 1), 'other site')}; ${percent(f.withoutReferrer)} carry no referrer`,
                    weight: between(f.withoutReferrer, [
                      [0.5, 1.5],
                      [0.95, -3],
                    ]),
                  },
                ];
              },
            ),
      ),
  );
  return found ?? absent(scene, hypothesis, 'nothing was asked for');
}

// ---- brute-force

async function bruteForce(scene: Scene): Promise<Weighed> {
  const hypothesis = {
    id: 'brute-force' as const,
    says: 'passwords are tried on the login pages',
    bring: ['the log of the application: failed logins'],
  };
  const [any] = await scene.rows<{ n: number }>(
    'SELECT count(*)::DOUBLE AS n FROM scene WHERE during AND login',
  );
  if (!any || any.n === 0) return absent(scene, hypothesis, 'no login page was asked for');
  return weighed(scene, hypothesis, { login: true }, (f) => [
    {
      says: `${plural(f.requests, 'request')} for login pages, ${percent(f.posts)} of them POST`,
      weight: between(f.posts, [
        [0.2, -3],
        [0.7, 3],
      ]),
    },
    {
      says: `${count(f.requests / Math.max(1, f.clients))} for each address`,
      weight: between(f.requests / Math.max(1, f.clients), [
        [2, -1],
        [20, 3],
      ]),
    },
    {
      says: `${plural(f.objects, 'path')}, ${percent(f.withoutReferrer)} without referrer`,
      weight: between(f.withoutReferrer, [
        [0.2, -1],
        [0.8, 1],
      ]),
    },
  ]);
}

/** All of them, weighed, heaviest first. */
export async function weighAll(scene: Scene): Promise<Weighed[]> {
  const all: Weighed[] = [];
  for (const weigh of [imageCache, hotlinked, crawler, ranges, popular, bruteForce])
    all.push(await weigh(scene));
  return all.toSorted((a, b) => b.weight - a.weight);
}
