import type { Dice } from '../dice.js';
import type { Addresses } from './agents.js';
import type { Calendar } from './calendar.js';
import type { Site } from './sites.js';

/** One request as the server saw it. A 200 with no bytes is an empty answer; a 304 never has any. */
export interface Hit {
  /** UTC milliseconds at which the request came. */
  at: number;
  vhost: string;
  https?: boolean;
  client: string;
  user?: string;
  method?: string;
  path?: string;
  /** The whole request line, where it is not method, path and protocol. */
  line?: string;
  status?: number;
  /** Of the response body. */
  bytes?: number;
  referer?: string;
  agent: string;
  /** Part of what the case is about. Never written to the evidence. */
  guilty?: boolean;
}

/** A server for some days: its sites, its calendar, and the requests so far. */
export interface World {
  dice: Dice;
  calendar: Calendar;
  /** UTC milliseconds: when the logs begin and end. */
  from: number;
  to: number;
  sites: Site[];
  /** The site that the case is about. */
  subject: Site;
  visitsPerDay: number;
  scale: number;
  /** Sigma of the day to day lognormal. */
  noise: number;
  weekend: number;
  addresses: Addresses;
  /** With the culprit the server sends this many times the bytes a day it sent without. */
  growth: number;
  hits: Hit[];
  /** Bytes a day without culprit; set by `measure`. */
  usual: number;
  measure(): void;
  add(hit: Hit): void;
}

/** What a scenario made true. */
export interface Outcome {
  since?: number;
  until?: number;
  blip?: number;
  agent?: string;
  object?: string;
  network?: string;
  vhost?: string;
}
