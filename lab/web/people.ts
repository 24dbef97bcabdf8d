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
import { DAY, HOUR } from './calendar.js';
import type { Page, Site, Thing } from './sites.js';
import type { Hit, World } from './world.js';

/** Visits by the hour of the local day. */
const HOURS = [3, 2, 1, 1, 1, 2, 4, 7, 9, 10, 10, 10, 11, 10, 10, 10, 11, 12, 13, 14, 14, 12, 9, 5];

/** How many times the usual number of visits a site has at an instant: 1 is an ordinary day. */
export type Rate = (site: Site, at: number) => number;

/** Fills the case with ordinary traffic and measures it: what a culprit adds is a multiple of this. */
export function people(world: World, rate: Rate = () => 1): void {
  for (const site of world.sites) {
    const dice = world.dice.fork(`people of ${site.vhost}`);
    const regulars = Array.from({ length: 40 }, () => visitor(dice, world));
    for (let day = 0; day < world.calendar.days; day++) {
      const mood = dice.lognormal(1, world.noise);
      const visits = world.visitsPerDay * site.share * mood * weekday(world, site, day);
      for (const at of instants(world, dice, day, visits, (at) => rate(site, at))) {
        const regular = dice.chance(0.35);
        const who = regular ? dice.pickEarly(regulars) : visitor(dice, world);
        visit(world, dice, site, {
          ...who,
          at,
          known: regular && dice.chance(0.6),
          from: referrer(dice, site),
        });
      }
    }
    robots(world, site, rate);
  }
  dirt(world);
  world.measure();
}

/** The hours of a day at which `mean` things happen, thinned by `rate`, which may change within the day. */
export function* instants(
  world: World,
  dice: Dice,
  day: number,
  mean: number,
  rate: (at: number) => number = () => 1,
) {
  const [from, to] = [world.calendar.midnight(day), world.calendar.midnight(day + 1)];
  const most = Math.max(rate(from), rate((from + to) / 2), rate(to - 1), 1e-9);
  // Cut the first day or the last day short, where a case is of some hours only.
  const [first, last] = [Math.max(from, world.from), Math.min(to, world.to)];
  for (let left = dice.poisson(mean * most); left > 0; left--) {
    const at = from + (dice.weighted(HOURS) + dice.next()) * HOUR;
    if (at >= first && at < last && dice.chance(rate(at) / most)) yield at;
  }
}

export function weekday(world: World, site: Site, day: number): number {
  const noon = world.calendar.midnight(day) + DAY / 2;
  const weekend = [0, 6].includes(new Date(noon + world.calendar.offset(noon) * 60_000).getUTCDay());
  return weekend ? site.weekend * world.weekend : 1;
}

export function visitor(dice: Dice, world: World): { client: string; agent: string } {
  return { client: person(dice, world.addresses), agent: dice.pick(BROWSERS) };
}

export function home(site: Site): string {
  return `${site.https ? 'https' : 'http'}://${site.vhost}`;
}

function referrer(dice: Dice, site: Site): string {
  if (dice.chance(0.3)) return '-';
  return dice.chance(0.6) ? dice.pick(SEARCH_REFERRERS) : `${home(site)}/`;
}

/** One person reads some pages: the page, its pictures, and now and then something large. */
export interface Visit {
  at: number;
  client: string;
  agent: string;
  /** Has been here before: unchanged things are revalidated, not sent. */
  known: boolean;
  from: string;
  /** The page to begin at. */
  page?: Page;
  guilty?: boolean;
}

export function visit(world: World, dice: Dice, site: Site, who: Visit): void {
  let { at, from } = who;
  const base: Pick<Hit, 'vhost' | 'https' | 'client' | 'agent' | 'guilty'> = {
    vhost: site.vhost,
    https: site.https,
    client: who.client,
    agent: who.agent,
    ...(who.guilty ? { guilty: true } : {}),
  };
  const get = (thing: Thing, referer: string, unchanged: boolean) => {
    world.add({
      ...base,
      at,
      path: thing.path,
      referer,
      ...(unchanged ? { status: 304 } : { bytes: thing.bytes }),
    });
    at += dice.int(20, 900);
  };
  const first = who.page ?? dice.pickEarly(site.pages);
  const more = Array.from({ length: dice.poisson(0.6) }, () => dice.pickEarly(site.pages));
  for (const page of [first, ...more]) {
    get(page, from, false);
    from = home(site) + page.path;
    if (page === first) for (const asset of site.assets) if (dice.chance(0.6)) get(asset, from, who.known);
    for (const picture of page.pictures)
      if (dice.chance(0.85)) get(picture, from, who.known && dice.chance(0.8));
    at += dice.int(5_000, 90_000);
  }
  if (dice.chance(0.02)) get(dice.pick(site.downloads), from, false);
  if (dice.chance(0.006)) play(world, dice, site, { ...who, at, from }, dice.pick(site.audio));
}

/** A player asks for a recording range by range, each once, and may stop early. */
export function play(world: World, dice: Dice, site: Site, who: Visit, thing: Thing): void {
  const piece = dice.pick([524_288, 1_048_576, 2_097_152]);
  const heard = thing.bytes * (dice.chance(0.6) ? 1 : dice.next());
  let at = who.at;
  for (let start = 0; start < heard; start += piece) {
    const bytes = Math.min(piece, thing.bytes - start);
    world.add({
      at,
      vhost: site.vhost,
      https: site.https,
      client: who.client,
      agent: who.agent,
      referer: who.from,
      path: thing.path,
      status: 206,
      bytes,
      ...(who.guilty ? { guilty: true } : {}),
    });
    at += dice.int(4_000, 20_000);
  }
}

function robots(world: World, site: Site, rate: Rate): void {
  const dice = world.dice.fork(`robots of ${site.vhost}`);
  const base = { vhost: site.vhost, https: site.https };
  const probe = inside(dice, '69.162.124.224/28');
  for (let day = 0; day < world.calendar.days; day++) {
    const some = Math.ceil(8 * world.scale);
    for (const at of instants(world, dice, day, some, (at) => rate(site, at))) {
      const google = dice.chance(0.6);
      const client = inside(dice, google ? '66.249.64.0/20' : '157.55.39.0/24');
      const page = dice.pick(site.pages);
      const fresh = dice.chance(0.7);
      const agent = google ? GOOGLEBOT : BINGBOT;
      world.add({
        ...base,
        at,
        client,
        agent,
        path: page.path,
        ...(fresh ? { bytes: page.bytes } : { status: 304 }),
      });
    }
    for (const at of instants(world, dice, day, some)) {
      const client = person(dice, world.addresses);
      const agent = dice.pick(FEED_READERS);
      const unchanged = dice.chance(0.7);
      world.add({
        ...base,
        at,
        client,
        agent,
        path: '/feed/',
        ...(unchanged ? { status: 304 } : { bytes: 18_211 }),
      });
    }
    for (const at of instants(world, dice, day, some))
      world.add({ ...base, at, client: probe, agent: MONITOR, method: 'HEAD', path: '/' });
  }
}

const SCANNED = [
  '/.env',
  '/phpmyadmin/index.php',
  '/wp-content/plugins/x/readme.txt',
  '/.git/config',
  '/old/backup.zip',
];

/** What every server on the net is sent: scans, timeouts, TLS on the plain port, requests that are none. */
function dirt(world: World): void {
  const dice = world.dice.fork('dirt');
  for (let day = 0; day < world.calendar.days; day++) {
    for (const at of instants(world, dice, day, 14 * world.scale)) {
      const site = dice.pick(world.sites);
      const base = { at, vhost: site.vhost, client: person(dice, world.addresses), agent: '-' };
      const kinds: (() => Hit)[] = [
        () => ({ ...base, line: '-', status: 408 }),
        () => ({ ...base, line: '\x16\x03\x01\x02', status: 400, bytes: 226 }),
        () => ({ ...base, path: dice.pick(SCANNED), status: 404, bytes: 196, agent: 'Go-http-client/1.1' }),
        () => ({ ...base, path: dice.pick(SCANNED), status: 403, bytes: 199, agent: `"'><script>\\x22` }),
        () => ({ ...base, method: 'POST', path: '/wp-login.php', bytes: 3_912, agent: dice.pick(BROWSERS) }),
        () => ({
          ...base,
          client: '::1',
          line: 'OPTIONS * HTTP/1.0',
          agent: 'Apache (internal dummy connection)',
        }),
        () => ({
          ...base,
          path: `/search?q=caf\xe9&x="${dice.int(1, 99)}"`,
          bytes: 9_800,
          agent: dice.pick(BROWSERS),
        }),
      ];
      world.add(dice.pick(kinds)());
    }
  }
}
