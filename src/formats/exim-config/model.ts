import type { EximScheme } from './debian.js';
import type { Macro, Remark } from './logical-lines.js';
import type { RetryRule } from './retry-rule.js';

/** An option with its value as text; a boolean is `true` or `false`. A named list is `domainlist local_domains`. */
export interface EximSetting {
  name: string;
  value: string;
  path: string;
  line: number;
}

/** A router, transport or authenticator. `driver` is null when none is set. */
export interface EximDriver {
  name: string;
  driver: string | null;
  options: EximSetting[];
  path: string;
  line: number;
}

export interface EximConfiguration {
  scheme: EximScheme | 'printed';
  /** The files whose lines were read, in order. */
  files: string[];
  main: EximSetting[];
  macros: Macro[];
  routers: EximDriver[];
  transports: EximDriver[];
  authenticators: EximDriver[];
  retry: RetryRule[];
  /** What Exim would refuse, in order, in its own words where it has any; Exim stops at the first. */
  problems: Remark[];
  /** What the given files leave open: includes that are missing, built-in macros, which scheme is in use. */
  open: Remark[];
}
