/** What is there on any server: people who read, polite robots, and a little dirt. */
import type { Dice } from '../dice.js';
import {
  BINGBOT,
  BROWSERS,
  FEED_READERS,
  GOOGLEBOT,
  inside,
  MONITOR,
  person,
  SEARCH_REFERRERS,
} from './agents.js';
import type { Post, Site, Thing } from './sites.js';
import { type Hit, HOUR, type World } from './world.js';

/** Visits by the hour of the day. */
const HOURS = [3, 2, 1, 1, 1, 2, 4, 7, 9, 10, 10, 10, 11, 10, 10, 10, 11, 12, 13, 14, 14, 12, 9, 5];
/** Visits by the day of the week, from Sunday. */
const WEEKDAYS = [1.15, 1, 0.95, 0.95, 1, 0.9, 1.1];

/** How many times the usual number of visits the server has at an instant. */
export type Rate = (at: number) => number;

export function people(world: World, rate: Rate = () => 1): void {
  for (const site of world.sites) {
    const dice = world.dice.fork(`people of ${site.vhost}`);
    const regulars = Array.from({ length: 40 }, () => visitor(dice));
    const visits = (world.visitsPerDay / world.sites.length) * site.share;
    for (let day = 0; day < world.days; day++) {
      for (const at of instants(world, dice, day, visits * dice.lognormal(1, 0.12), rate)) {
        const known = dice.chance(0.3);
        const who = known ? dice.pickEarly(regulars) : visitor(dice);
        visit(world, dice, site, { ...who, at, known, from: referrer(dice, site) });
      }
    }
    robots(world, site, rate);
  }
  dirt(world);
  world.measure();
}

/** The instants of a day at which `mean` things happen, more of them where `rate` is higher. */
export function* instants(world: World, dice: Dice, day: number, mean: number, rate: Rate = () => 1) {
  const from = world.midnight(day);
  const weekday = WEEKDAYS[new Date(from).getUTCDay()]!;
  const most = Math.max(...HOURS.map((_, hour) => rate(from + hour * HOUR)));
  for (let left = dice.poisson(mean * weekday * most); left > 0; left--) {
    const at = from + Math.floor((dice.weighted(HOURS) + dice.next()) * HOUR);
    if (dice.chance(rate(at) / most)) yield at;
  }
}

export function visitor(dice: Dice): { client: string; agent: string } {
  return { client: person(dice), agent: dice.pick(BROWSERS) };
}

export function home(site: Site): string {
  return `${site.https ? 'https' : 'http'}://${site.vhost}`;
}

function referrer(dice: Dice, site: Site): string {
  if (dice.chance(0.3)) return '-';
  return dice.chance(0.6) ? dice.pick(SEARCH_REFERRERS) : `${home(site)}/`;
}

export interface Visit {
  at: number;
  client: string;
  agent: string;
  /** Has been here before: unchanged things are revalidated, not sent again. */
  known: boolean;
  from: string;
  /** The post to begin at. */
  post?: Post;
  guilty?: true;
}

/** One person reads some posts: each with its style sheet and pictures; now and then a recording. */
export function visit(world: World, dice: Dice, site: Site, who: Visit): void {
  let { at, from } = who;
  const { client, agent } = who;
  const base = {
    vhost: site.vhost,
    https: site.https,
    client,
    agent,
    ...(who.guilty && { guilty: who.guilty }),
  };
  const get = (thing: Thing, unchanged: boolean) => {
    world.add({
      ...base,
      at,
      path: thing.path,
      referer: from,
      ...(unchanged ? { status: 304 } : { bytes: thing.bytes }),
    });
    at += dice.int(20, 900);
  };
  const first = who.post ?? dice.pickEarly(site.posts);
  const more = Array.from({ length: dice.poisson(0.6) }, () => dice.pickEarly(site.posts));
  for (const post of [first, ...more]) {
    get(post, false);
    from = home(site) + post.path;
    if (post === first) for (const asset of site.assets) if (dice.chance(0.6)) get(asset, who.known);
    for (const picture of post.pictures) {
      if (dice.chance(0.9)) get(picture, who.known && dice.chance(0.8));
      if (picture.original.path !== picture.path && dice.chance(0.003)) get(picture.original, false);
    }
    at += dice.int(5_000, 90_000);
  }
  if (dice.chance(0.004)) listen(world, dice, base, at, from, dice.pick(site.audio));
}

/** A browser asks for a recording piece by piece, each once, and may stop early. */
function listen(
  world: World,
  dice: Dice,
  base: Pick<Hit, 'vhost' | 'https' | 'client' | 'agent'>,
  from: number,
  referer: string,
  thing: Thing,
): void {
  const heard = thing.bytes * (dice.chance(0.4) ? 1 : dice.next());
  let at = from;
  for (let start = 0; start < heard; start += 1_048_576) {
    const bytes = Math.min(1_048_576, thing.bytes - start);
    world.add({ ...base, at, path: thing.path, referer, status: 206, bytes });
    at += dice.int(4_000, 20_000);
  }
}

function robots(world: World, site: Site, rate: Rate): void {
  const dice = world.dice.fork(`robots of ${site.vhost}`);
  const base = { vhost: site.vhost, https: site.https };
  const readers = FEED_READERS.map((agent) => ({ agent, client: person(dice) }));
  const probe = inside(dice, '192.0.2.0/24');
  for (let day = 0; day < world.days; day++) {
    for (const at of instants(world, dice, day, 8 * world.scale, rate)) {
      const { agent, network } = dice.chance(0.6) ? GOOGLEBOT : BINGBOT;
      const client = inside(dice, network);
      const post = dice.pick(site.posts);
      world.add({
        ...base,
        at,
        client,
        agent,
        path: post.path,
        ...(dice.chance(0.7) ? { bytes: post.bytes } : { status: 304 }),
      });
      if (dice.chance(0.1))
        world.add({ ...base, at: at - 900, client, agent, path: '/robots.txt', bytes: 128 });
    }
    for (const at of instants(world, dice, day, 8 * world.scale)) {
      const answer = dice.chance(0.8) ? { status: 304 } : { bytes: 18_211 };
      world.add({ ...base, ...dice.pick(readers), at, path: '/feed/', ...answer });
    }
    for (const at of instants(world, dice, day, 3 * world.scale))
      world.add({ ...base, at, client: probe, agent: MONITOR, method: 'HEAD', path: '/' });
  }
}

const SCANNED = [
  '/.env',
  '/phpmyadmin/index.php',
  '/.git/config',
  '/old/backup.zip',
  '/wp-content/debug.log',
];

/** What every server is sent: guessed passwords, scans, timeouts, TLS on the plain port. */
function dirt(world: World): void {
  const dice = world.dice.fork('dirt');
  for (let day = 0; day < world.days; day++) {
    for (const at of instants(world, dice, day, 14 * world.scale)) {
      const site = dice.pick(world.sites);
      const base = { at, vhost: site.vhost, https: site.https, client: person(dice), agent: '-', path: '/' };
      const kinds: Hit[] = [
        { ...base, line: '-', status: 408 },
        { ...base, line: '\x16\x03\x01\x02', https: false, status: 400, bytes: 226 },
        { ...base, path: dice.pick(SCANNED), status: 404, bytes: 196, agent: 'Go-http-client/1.1' },
        { ...base, path: dice.pick(SCANNED), status: 403, bytes: 199, agent: '"><script>' },
        { ...base, client: '::1', line: 'OPTIONS * HTTP/1.0', agent: 'Apache (internal dummy connection)' },
        { ...base, path: '/?s=caf\xe9', bytes: 9_800, agent: dice.pick(BROWSERS) },
        { ...base, method: 'POST', path: '/wp-login.php', bytes: 3_912, agent: dice.pick(BROWSERS) },
        { ...base, method: 'POST', path: '/wp-login.php', bytes: 3_912, agent: dice.pick(BROWSERS) },
      ];
      world.add(dice.pick(kinds));
    }
  }
}
