/** Web access logs of which the truth is known: the same options make the same bytes. */
import { Dice } from '../dice.js';
import { type Compress, type Layout, writeLogs } from './logs.js';
import { SCENARIOS, type Scenario, type ScenarioName } from './scenarios.js';
import { makeSites } from './sites.js';
import { DAY, World } from './world.js';

export interface Options {
  scenario: ScenarioName;
  seed: number;
  layout: Layout;
  /** 56 unless told. */
  days?: number;
  /** How busy the server is: 1 is about 120 visits a day. */
  scale?: number;
  /** `delayed` unless told. */
  compress?: Compress;
}

/** What a case must be found to be. Times are the log's wall clock, which is UTC. */
interface Truth {
  scenario: ScenarioName;
  seed: number;
  vhost: string;
  /** Null: since before the log begins, or nothing ever changed. */
  since: string | null;
  until?: string;
  blip?: string;
  agent?: string;
  object?: string;
  network?: string;
  rivals?: string[];
  /** Null: nobody may be accused. */
  culprit: string | null;
  layout: Layout;
  days: number;
  scale: number;
  lines: number;
  bytes: number;
  /** What the scenario added to ordinary traffic, the blip included. */
  added: { lines: number; bytes: number };
}

export interface Generated {
  files: Map<string, Buffer>;
  truth: Truth;
}

/** Days. A shorter log has no room for a before, a harm and an after. */
export const SHORTEST = 28;
/** A Monday, so that a log of whole weeks ends on a Sunday, just after it was rotated. */
const FIRST_MONDAY = Date.UTC(2024, 0, 8);

export function generate(options: Options): Generated {
  const { scenario, seed, layout, days = 56, scale = 1, compress = 'delayed' } = options;
  if (days < SHORTEST) throw new RangeError(`a log is of ${SHORTEST} days or more, not of ${days}`);
  const dice = new Dice(`web/${scenario}/${seed}`);
  const { pictures, play }: Scenario = SCENARIOS[scenario];
  const sites = makeSites(dice.fork('sites'), dice.int(3, 5), pictures(dice));
  const start = FIRST_MONDAY + (seed % 26) * 7 * DAY;
  const world = new World(dice, sites, start, days, 120 * scale, scale);
  const { since, until, blip, culprit, ...known } = play(world, seed);
  world.hits.sort((a, b) => a.at - b.at);
  const files = writeLogs(world.hits, world.end, layout, compress);
  const added = world.hits.filter((hit) => hit.guilty);
  const truth: Truth = {
    scenario,
    seed,
    vhost: world.hits.find((hit) => hit.guilty)?.vhost ?? world.subject.vhost,
    since: since === undefined ? null : local(since),
    ...(until !== undefined && { until: local(until) }),
    ...(blip !== undefined && { blip: local(blip) }),
    ...known,
    culprit: culprit ?? null,
    layout,
    days,
    scale,
    lines: world.hits.length,
    bytes: bytes(world.hits),
    added: { lines: added.length, bytes: bytes(added) },
  };
  return { files, truth };
}

function bytes(hits: { bytes?: number }[]): number {
  return hits.reduce((sum, hit) => sum + (hit.bytes ?? 0), 0);
}

function local(at: number): string {
  return new Date(at).toISOString().slice(0, 19);
}
