/**
 * What can be wrong with a server's bandwidth, and what only looks like it.
 *
 * Each scenario adds to ordinary traffic what its culprit does; how much, it says in days of usual bytes. The
 * culprits' ids are those of the `bandwidth-spent` investigation.
 */
import type { Dice } from '../dice.js';
import {
  BROWSERS,
  inside,
  NEW_CRAWLERS,
  NEW_IMAGE_CACHES,
  PHOTON,
  PLAYERS,
  person,
  ROBOT_NETWORKS,
  SOCIAL_REFERRERS,
} from './agents.js';
import { home, instants, people, visit, visitor } from './people.js';
import type { Picture, PictureStyle, Thing } from './sites.js';
import { DAY, type Hit, HOUR, type World } from './world.js';

/** What a scenario made true. No `culprit`: nobody may be accused. */
export interface Outcome {
  culprit?: string;
  /** UTC milliseconds. Absent: since before the log begins, or never. */
  since?: number;
  until?: number;
  /** A popular post that is no part of the story. */
  blip?: number;
  agent?: string;
  object?: string;
  network?: string;
  /** Where the evidence cannot tell: between whom. */
  rivals?: string[];
}

export interface Scenario {
  pictures: (dice: Dice) => PictureStyle;
  play(world: World, seed: number): Outcome;
}

const either = (dice: Dice): PictureStyle => dice.pick(['resized', 'original'] as const);
const resized = (): PictureStyle => 'resized';
const original = (): PictureStyle => 'original';

export const SCENARIOS = {
  quiet: {
    pictures: either,
    play(world) {
      people(world);
      return {};
    },
  },
  'even-growth': {
    pictures: either,
    play(world) {
      const since = turningPoint(world);
      people(world, (at) => 1 + 1.5 * Math.min(1, Math.max(0, (at - since) / (10 * DAY))));
      return { since };
    },
  },
  'image-cache-refetch': {
    pictures: original,
    play(world, seed) {
      people(world);
      return imageCache(world, seed, turningPoint(world), world.end, world.dice.between(3, 6));
    },
  },
  'since-before': {
    pictures: original,
    play(world, seed) {
      people(world);
      const { since: _, ...outcome } = imageCache(
        world,
        seed,
        world.start,
        world.end,
        world.dice.between(3, 6),
      );
      return outcome;
    },
  },
  story: {
    pictures: resized,
    play(world) {
      people(world);
      const since = world.midnight(Math.round(world.days * 0.54));
      const until = since + Math.round(world.days * 0.25) * DAY;
      const blip = until + 3 * DAY;
      const outcome = imageCache(world, 1, since, until, 80);
      popularPost(world, blip, blip + 3 * DAY, 3);
      return { ...outcome, until, blip };
    },
  },
  'cache-side': { pictures: resized, play: cacheSide },
  'hotlinked-object': { pictures: either, play: hotlinked },
  crawler: { pictures: either, play: crawler },
  'range-refetch': { pictures: either, play: rangeRefetch },
  'popular-object': {
    pictures: either,
    play(world) {
      people(world);
      const since = turningPoint(world);
      const object = popularPost(world, since, world.end, world.dice.between(2.5, 5));
      return { culprit: 'popular-object', since, object };
    },
  },
  'brute-force': { pictures: either, play: bruteForce },
  undecidable: { pictures: original, play: undecidable },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Between the middle and three quarters of the log, at a full hour. */
function turningPoint(world: World): number {
  const dice = world.dice.fork('turning point');
  return (
    world.midnight(dice.int(Math.floor(world.days * 0.5), Math.floor(world.days * 0.75))) +
    dice.int(0, 20) * HOUR
  );
}

/**
 * Does `act` at hours people keep, or with `anyHour` around the clock, until `times` the usual bytes are spent each
 * day. `act` returns the bytes it cost.
 */
function spend(
  world: World,
  dice: Dice,
  [since, until]: [number, number],
  times: number,
  act: (at: number) => number,
  anyHour = false,
): void {
  // It begins on the stroke; and what one day spends too much, the next has less.
  let left = -act(since);
  for (let day = 0; day < world.days; day++) {
    const [from, to] = [Math.max(since, world.midnight(day)), Math.min(until, world.midnight(day + 1))];
    if (from >= to) continue;
    left += world.usualBytesPerDay * times * dice.between(0.85, 1.15) * ((to - from) / DAY);
    while (left > 0) {
      for (const at of anyHour ? [dice.int(from, to - 1)] : instants(world, dice, day, 20)) {
        if (at >= from && at < to && left > 0) left -= act(at);
      }
    }
  }
}

function guiltyOf(world: World): Pick<Hit, 'vhost' | 'https' | 'guilty'> {
  return { vhost: world.subject.vhost, https: world.subject.https, guilty: true };
}

/** Fetches one picture about 145 times in seven minutes, always whole, then another: a cache that keeps nothing. */
function imageCache(world: World, seed: number, since: number, until: number, times: number): Outcome {
  const dice = world.dice.fork('image cache');
  const { agent, network } =
    seed % 2 === 1 ? PHOTON : { agent: dice.pick(NEW_IMAGE_CACHES), network: dice.pick(ROBOT_NETWORKS) };
  const pictures = dice.some(originals(world), 12);
  const sweep = (at: number) => {
    const picture = dice.pickEarly(pictures);
    const count = dice.int(138, 152);
    for (let n = 0; n < count; n++) {
      const when = at + Math.round(((n + dice.next()) / count) * 7 * 60_000);
      const client = inside(dice, network);
      if (when < until) world.add({ ...guiltyOf(world), ...picture, at: when, client, agent });
    }
    return count * picture.bytes;
  };
  spend(world, dice, [since, until], times, sweep, true);
  return { culprit: 'image-cache-refetch', since, agent, network };
}

function originals(world: World): Thing[] {
  return world.subject.posts.flatMap((post) => post.pictures.map((picture) => picture.original));
}

function popularPost(world: World, since: number, until: number, times: number): string {
  const dice = world.dice.fork('popular post');
  const post = dice.pick(world.subject.posts.filter((post) => post.pictures.length > 1));
  const bytes = post.bytes + post.pictures.reduce((sum, picture) => sum + picture.bytes, 0);
  spend(world, dice, [since, until], times, (at) => {
    const from = dice.chance(0.8) ? dice.pick(SOCIAL_REFERRERS) : '-';
    visit(world, dice, world.subject, { ...visitor(dice), at, known: false, from, post, guilty: true });
    return bytes;
  });
  return post.path;
}

/**
 * The log of the image cache itself: it serves renditions of other sites' pictures, and one page asks for one picture
 * in every size from 523×512 down to 61×50.
 */
function cacheSide(world: World): Outcome {
  people(world);
  const cache = { vhost: 'i0.cache.example', https: true };
  const dice = world.dice.fork('cache side');
  const pictures = new Map<string, { site: string; picture: Picture }>();
  for (const site of world.sites)
    for (const post of site.posts)
      for (const picture of post.pictures)
        pictures.set(site.vhost + picture.path, { site: site.vhost, picture });
  const seen = world.hits.splice(0);
  for (const hit of seen) {
    const of = pictures.get(hit.vhost + hit.path);
    if (!of) continue;
    const size = dice.pick(['1024,683', '768,512', '300,200', '150,150']);
    world.add({ ...hit, ...cache, path: `/${of.site}${of.picture.original.path}?resize=${size}&ssl=1` });
  }
  world.measure();
  const since = turningPoint(world);
  const post = dice.pick(world.subject.posts);
  const object = `/${world.subject.vhost}${post.pictures[0]!.original.path}`;
  const referer = home(world.subject) + post.path;
  const sweep = (at: number) => {
    const who = visitor(dice);
    let [spent, when] = [0, at];
    for (let [width, height] = [523, 512]; width > 60; width -= 4, height -= 4) {
      const path = `${object}?resize=${width},${Math.max(height, 50)}&ssl=1`;
      const bytes = Math.round(width * height * 0.9);
      world.add({ ...cache, ...who, at: when, path, referer, bytes, guilty: true });
      spent += bytes;
      when += dice.int(40, 900);
    }
    return spent;
  };
  spend(world, dice, [since, world.end], dice.between(3, 6), sweep);
  return { culprit: 'image-cache-refetch', since, object };
}

function hotlinked(world: World): Outcome {
  people(world);
  const dice = world.dice.fork('hotlink');
  const since = turningPoint(world);
  const picture = dice.pick(originals(world));
  const threads = Array.from(
    { length: 8 },
    () => `https://forum.elsewhere.example/t/${dice.int(1000, 99_999)}`,
  );
  spend(world, dice, [since, world.end], dice.between(3, 6), (at) => {
    const hit = {
      ...guiltyOf(world),
      ...visitor(dice),
      at,
      referer: dice.pickEarly(threads),
      path: picture.path,
    };
    const unchanged = dice.chance(0.1);
    world.add(unchanged ? { ...hit, status: 304 } : { ...hit, bytes: picture.bytes });
    return unchanged ? 0 : picture.bytes;
  });
  return { culprit: 'hotlinked-object', since, object: picture.path };
}

function crawler(world: World): Outcome {
  people(world);
  const dice = world.dice.fork('crawler');
  const since = turningPoint(world);
  const agent = dice.pick(NEW_CRAWLERS);
  const network = dice.pick(ROBOT_NETWORKS);
  const things = everything(world);
  let next = 0;
  const walk = (at: number) => {
    let [spent, when] = [0, at];
    const client = inside(dice, network);
    if (next % things.length === 0)
      world.add({ ...guiltyOf(world), at, client, agent, path: '/robots.txt', bytes: 128 });
    for (let n = 0; n < 25; n++) {
      const thing = things[next++ % things.length]!;
      when += dice.int(300, 3_000);
      world.add({ ...guiltyOf(world), ...thing, at: when, client, agent });
      spent += thing.bytes;
    }
    return spent;
  };
  spend(world, dice, [since, world.end], dice.between(3, 6), walk, true);
  return { culprit: 'crawler', since, agent, network };
}

/** Every post and picture of the site, in the order in which links lead there. */
function everything(world: World): Thing[] {
  return world.subject.posts.flatMap((post) => [
    { path: post.path, bytes: post.bytes },
    ...post.pictures.map(({ path, bytes }) => ({ path, bytes })),
  ]);
}

/** A player that asks for the same pieces of one recording again and again. */
function rangeRefetch(world: World): Outcome {
  people(world);
  const dice = world.dice.fork('player');
  const since = turningPoint(world);
  const agent = dice.pick(PLAYERS);
  const recording = dice.pick(world.subject.audio);
  const listeners = Array.from({ length: 6 }, () => person(dice));
  const piece = 1_048_576;
  const hang = (at: number) => {
    const client = dice.pick(listeners);
    let when = at;
    const count = dice.int(40, 90);
    for (let n = 0; n < count; n++) {
      world.add({
        ...guiltyOf(world),
        at: when,
        client,
        agent,
        path: recording.path,
        status: 206,
        bytes: piece,
      });
      when += dice.int(2_000, 8_000);
    }
    return count * piece;
  };
  spend(world, dice, [since, world.end], dice.between(3, 6), hang);
  return { culprit: 'range-refetch', since, agent, object: recording.path };
}

/** Guessed passwords, answered with pages so large that the guessing is what costs. */
function bruteForce(world: World): Outcome {
  people(world);
  const dice = world.dice.fork('brute force');
  const since = turningPoint(world);
  const guessers = Array.from({ length: 60 }, () => ({ client: person(dice), agent: dice.pick(BROWSERS) }));
  const hammer = (at: number) => {
    const who = dice.pickEarly(guessers);
    const path = dice.chance(0.7) ? '/wp-login.php' : '/xmlrpc.php';
    let [spent, when] = [0, at];
    for (let n = dice.int(20, 60); n > 0; n--) {
      const bytes = dice.int(90_000, 140_000);
      world.add({ ...guiltyOf(world), ...who, at: when, method: 'POST', path, bytes });
      spent += bytes;
      when += dice.int(200, 2_500);
    }
    return spent;
  };
  spend(world, dice, [since, world.end], dice.between(2.5, 4), hammer, true);
  return { culprit: 'brute-force', since, object: '/wp-login.php' };
}

/**
 * Two nameless programs of one network begin on one day and take about as much each: one takes pages and pictures,
 * the other pictures only, and neither takes anything more than a few times.
 */
function undecidable(world: World): Outcome {
  people(world);
  const dice = world.dice.fork('nameless');
  const since = turningPoint(world);
  const network = dice.pick(ROBOT_NETWORKS);
  const times = dice.between(1.2, 1.6);
  for (const [agent, things] of [
    ['-', everything(world)],
    ['Java/1.8.0_402', originals(world)],
  ] as const) {
    let next = dice.int(0, things.length - 1);
    const take = (at: number) => {
      const thing = things[next++ % things.length]!;
      // Some are asked for a second time at once: neither a crawler's habit nor a cache's.
      const count = dice.chance(0.3) ? 2 : 1;
      for (let n = 0; n < count; n++)
        world.add({ ...guiltyOf(world), ...thing, at: at + n * 4_000, client: inside(dice, network), agent });
      return count * thing.bytes;
    };
    spend(world, dice, [since, world.end], times, take, true);
  }
  return { since, network, rivals: ['crawler', 'image-cache-refetch'] };
}
