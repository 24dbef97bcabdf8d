/**
 * What can make mail late, and what only looks like it. The culprits' ids are those of the `mail-late` investigation.
 *
 * Times are seconds of the scenario: minutes and hours of a real server, shortened by the daemon's configuration.
 */
import type { Dice } from '../dice.js';
import type { Settings } from './daemon.js';
import type { Mailing } from './mailing.js';
import type { ProviderName } from './providers.js';
import type { Script, Window } from './receiver.js';

export interface Plan {
  /** One sentence: what is the case. */
  summary: string;
  /** No `culprit`: nobody may be accused. */
  culprit?: string;
  provider?: ProviderName;
  /** When the fault was there. */
  fault?: Window;
  script: Script;
  settings?: Partial<Settings>;
  mailing?: Partial<Mailing>;
  /** Domains whose name servers do not answer during the fault. */
  broken?: readonly string[];
  /** The text that the culprit speaks, as sent. */
  reply?: string;
  /** Messages that will never leave the queue are no reason to wait. */
  undeliverable?: boolean;
}

type Scenario = (dice: Dice, seed: number) => Plan;

const TSS04 =
  '421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes';
const FAULT = { from: 2, until: 20 };

export const SCENARIOS = {
  healthy: () => ({ summary: 'every provider takes all mail at once', script: {} }),

  greylist(_, seed) {
    const reply =
      seed % 2 === 1
        ? '450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example-school.org.uk.html'
        : '451 4.7.1 Greylisting in action, please come back later';
    return {
      summary: 'the school defers each new triplet of client, sender and recipient for 12 s',
      culprit: 'greylisting',
      provider: 'school',
      script: { school: { greylist: { seconds: 12, reply: [reply] } } },
      reply,
    };
  },

  'provider-deferral': () => ({
    summary: 'Yahoo answers 421 TSS04 to every connection for a while, then takes mail again',
    culprit: 'provider-deferral',
    provider: 'yahoo',
    fault: FAULT,
    script: { yahoo: { refusals: [{ at: 'connect', reply: [TSS04], ...FAULT }] } },
    reply: TSS04,
  }),
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
