import type { Dice } from '../dice.js';
import type { Site } from './sites.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** One request as the server saw it. A 304 has no bytes. */
export interface Hit {
  /** UTC milliseconds. */
  at: number;
  vhost: string;
  https: boolean;
  client: string;
  agent: string;
  method?: string;
  path: string;
  /** The whole request line, where it is not method, path and protocol. */
  line?: string;
  status?: number;
  /** Of the response body. */
  bytes?: number;
  referer?: string;
  /** What the scenario is about. Never written to the log, counted in the truth. */
  guilty?: true;
}

/** A server for some days: its sites, and the requests so far. */
export class World {
  readonly hits: Hit[] = [];
  readonly subject: Site;
  usualBytesPerDay = 0;

  constructor(
    readonly dice: Dice,
    readonly sites: Site[],
    /** UTC midnight of the first day. */
    readonly start: number,
    readonly days: number,
    /** On an average day, by people, on the whole server. */
    readonly visitsPerDay: number,
    readonly scale: number,
  ) {
    this.subject = sites[0]!;
  }

  get end(): number {
    return this.midnight(this.days);
  }

  midnight(day: number): number {
    return this.start + day * DAY;
  }

  add(hit: Hit): void {
    if (hit.at >= this.start && hit.at < this.end) this.hits.push(hit);
  }

  /** Measures what is ordinary, before a culprit comes. */
  measure(): void {
    this.usualBytesPerDay = this.hits.reduce((sum, hit) => sum + (hit.bytes ?? 0), 0) / this.days;
  }
}
