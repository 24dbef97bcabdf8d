import type { Impact } from '../../findings/finding.js';
import { EXIM_DEFAULT_RULE, POSTFIX_RETRY_DEFAULTS } from '../../knowledge/retry-defaults.js';
import {
  parseRetryParameters,
  type RetryParameter,
  retryParametersText,
  shorterRule,
} from '../mail/retry.js';
import {
  type RecipientHistory,
  type RetryPolicy,
  type SimulationSummary,
  simulateAll,
} from '../mail/retry-simulation.js';
import { count, share as percent } from '../mail/words.js';
import type { MailScene, ProviderCourse } from './scene.js';

/** Late recipients whose tries are replayed; of more, the first. */
const MOST_REPLAYED = 20_000;
const QUEUE_RUN_S = 1_800;

/** How this server retries mail to a provider, and what a shorter rule would have done. */
export interface RetryStudy {
  /** As the configuration among the evidence has it, or the program’s default when there is none. */
  known: boolean;
  parameters: RetryParameter[];
  shorter: RetryParameter[];
  queueRun_s: number;
  gain: SimulationSummary | null;
}

/** Replays the late recipients of a provider under a shorter rule of this server’s own mail program. */
export async function studyRetries(
  scene: MailScene,
  program: 'exim' | 'postfix',
  course: ProviderCourse,
  ruleText: string | null,
): Promise<RetryStudy> {
  const queueRun_s = await queueRunOf(scene, program);
  const parameters =
    (ruleText === null ? null : parseRetryParameters(ruleText)) ?? parseRetryParameters(EXIM_DEFAULT_RULE)!;
  const first = parameters[0]?.interval_s ?? 900;
  // A third of the first interval, down to five minutes in the field, for six hours or as long as the first set.
  const interval = Math.max(1, Math.round(first >= 600 ? Math.max(300, first / 3) : first / 3));
  const until = first >= 600 ? Math.max(21_600, parameters[0]!.cutoff_s) : (parameters[0]?.cutoff_s ?? 7_200);
  const shorter = shorterRule(parameters, interval, until);
  const policy: RetryPolicy =
    program === 'exim'
      ? { mta: 'exim', parameters: shorter, queueRun_s: Math.min(queueRun_s, interval), about: 'host' }
      : {
          mta: 'postfix',
          minimalBackoff_s: Math.round(POSTFIX_RETRY_DEFAULTS.minimalBackoff_s / 5),
          maximalBackoff_s: 900,
          queueRunDelay_s: Math.round(POSTFIX_RETRY_DEFAULTS.queueRunDelay_s / 5),
          queueLifetime_s: POSTFIX_RETRY_DEFAULTS.queueLifetime_s,
        };
  return {
    known: ruleText !== null,
    parameters,
    shorter,
    queueRun_s,
    gain: simulateAll(await historiesOf(scene, course), policy),
  };
}

/** From the daemon’s start line (`-q30m`), else from the runs in the log, else Debian’s half hour. */
async function queueRunOf({ store }: MailScene, program: 'exim' | 'postfix'): Promise<number> {
  if (program === 'postfix') return POSTFIX_RETRY_DEFAULTS.queueRunDelay_s;
  const started = await store.row<{ text: string | null }>(
    `SELECT y.text FROM mail_facts f JOIN reply_texts y ON y.id = f.reply_id
     WHERE f.kind = 17 AND y.text LIKE '% -q%' ORDER BY f.logged_at DESC LIMIT 1`,
  );
  const [, n, unit] = /-q+[a-z]*(\d{1,6})([smhd])/.exec(started?.text ?? '') ?? [];
  if (n && unit) return Number(n) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's']!;
  const row = await store.row<{ gap: number | null }>(
    `SELECT median(gap) AS gap FROM (SELECT epoch(logged_at) - epoch(lag(logged_at) OVER (ORDER BY logged_at)) AS gap
     FROM mail_facts WHERE kind = 14)`,
  );
  return row?.gap != null && row.gap >= 1 ? Math.round(row.gap) : QUEUE_RUN_S;
}

async function historiesOf({ store }: MailScene, course: ProviderCourse): Promise<RecipientHistory[]> {
  const rows = await store.rows<{ arrived: number; at: number; accepted: boolean; key: string }>(
    `SELECT epoch(j.arrived_at) AS arrived, epoch(a.attempted_at) AS at, a.outcome = 'delivered' AS accepted,
            j.message_no || ' ' || j.address_id AS key
     FROM judged j JOIN attempt_facts a USING (message_no, address_id)
     WHERE j.provider = $1 AND j.late AND j.arrived_at IS NOT NULL AND a.made
     ORDER BY j.message_no, j.address_id, a.attempt LIMIT ${MOST_REPLAYED * 5}`,
    [course.id],
  );
  const histories = new Map<string, { arrived: number; attempts: { at: number; accepted: boolean }[] }>();
  for (const { key, arrived, at, accepted } of rows) {
    const history = histories.get(key) ?? { arrived, attempts: [] };
    history.attempts.push({ at, accepted });
    histories.set(key, history);
  }
  return [...histories.values()].slice(0, MOST_REPLAYED);
}

/** What a shorter rule would have saved, and at what cost, as figures of the finding. */
export function savedImpact({ gain, shorter, known }: RetryStudy): Impact[] {
  if (!gain || gain.recipients === 0) return [];
  const { savedShare, attemptsThen, attempts } = gain;
  const rule = retryParametersText(shorter.slice(0, 1));
  return [
    {
      says: `of the delay a shorter retry rule (${rule} first) would have saved: ${percent(savedShare.pessimistic)} to ${percent(savedShare.optimistic)}, with ${count(attemptsThen.middle)} tries instead of ${count(attempts)}${known ? '' : '; the rule in force is not among the evidence'}`,
      value: Math.round(savedShare.middle * 1000) / 10,
      unit: 'percent',
    },
  ];
}
