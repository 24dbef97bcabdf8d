import type { Place, Search } from '../../findings/finding.js';
import type { Case, Value } from '../../store/case.js';
import { openLedger } from '../mail/ledger.js';
import { greylistTriplets } from '../mail/replies.js';

/** A mail is late from here: four times the usual delay of mail that was never put off, and five seconds at least. */
const LATE_TIMES = 4;
const LATE_LEAST_S = 5;
/** Phases in which the message itself is under way: who breaks off there is the question of mail-stalls. */
const IN_TRANSFER = "('data', 'body', 'end-of-data')";
export const STALLED = `(class = 'network' AND phase IN ${IN_TRANSFER})`;

/** How mail to one provider went. Times in seconds. */
export interface ProviderCourse {
  id: string;
  name: string;
  recipients: number;
  delivered: number;
  /** Refused at least once. */
  deferred: number;
  failed: number;
  waiting: number;
  /** Deferred, and beyond the limit; of them delivered in the end. */
  late: number;
  lateDelivered: number;
  never: number;
  delays: { median: number; p90: number; p99: number; max: number };
  lateDelays: { median: number; p90: number; p99: number; max: number };
  /** Of the late ones that were delivered: how their delay came about. */
  spent: {
    total: number;
    beforeFirst: number;
    refused: number;
    /** From the last refusal to the try that was taken: at most this is this server’s doing. */
    ownRetry: number;
    /** From when the receiver refused nobody any more and took others’ mail: at least this is. */
    ownProven: number;
    /** From when the receiver, though it went on to refuse some, had taken others’ mail. */
    meanwhile: number;
    /** Part of the recipients that were refused once at most. */
    once: number;
  };
}

/** Refusals of one kind by one provider. */
export interface Kind {
  class: string;
  phase: string | null;
  code: number | null;
  enhanced: string | null;
  greylistWords: boolean;
  stalled: boolean;
  text: string;
  normalised: string;
  refusals: number;
  recipients: number;
  waited: number;
}

/** Everything that mail-late asks of a case, asked once. */
export class MailScene {
  usual = Number.NaN;
  lateFrom = LATE_LEAST_S;
  providers: ProviderCourse[] = [];
  paths: string[] = [];
  lines = 0;
  unread = 0;
  /** End of the logs. */
  private zoneMin = 0;

  private constructor(readonly store: Case) {}

  static async of(store: Case): Promise<MailScene> {
    await openLedger(store);
    const scene = new MailScene(store);
    await scene.look();
    return scene;
  }

  private async look(): Promise<void> {
    const { store } = this;
    const sources = await store.rows<{ path: string; lines: bigint; unread: bigint }>(
      "SELECT path, lines, unread FROM sources WHERE kind IN ('exim-log', 'postfix-log') ORDER BY first_at",
    );
    this.paths = sources.map((s) => s.path);
    this.lines = sources.reduce((n, s) => n + Number(s.lines), 0);
    this.unread = sources.reduce((n, s) => n + Number(s.unread), 0);
    const zone = await store.row<{ z: number }>(
      'SELECT zone_min AS z FROM mail_facts GROUP BY zone_min ORDER BY count(*) DESC LIMIT 1',
    );
    this.zoneMin = zone && zone.z !== -32_768 ? zone.z : 0;
    const healthy = await store.row<{ usual: number | null }>(
      `SELECT median(epoch(ended_at) - epoch(arrived_at)) AS usual FROM remote_recipients
       WHERE outcome = 'delivered' AND deferrals = 0 AND put_offs = 0 AND arrived_at IS NOT NULL`,
    );
    this.usual = healthy?.usual ?? Number.NaN;
    this.lateFrom = Math.max(
      LATE_LEAST_S,
      Number.isNaN(this.usual) ? 0 : LATE_TIMES * Math.min(this.usual, 60),
    );
    await this.measure();
    this.providers = await this.courses();
  }

  /** Each remote recipient with its delay, and when the provider took anybody's mail after refusing this one. */
  private async measure(): Promise<void> {
    const { store, lateFrom } = this;
    await store.run(
      `CREATE OR REPLACE TEMP TABLE acceptances AS
       SELECT r.provider, r.server, a.attempted_at AS accepted_at FROM attempt_facts a
       JOIN remote_recipients r USING (message_no, address_id) WHERE a.outcome = 'delivered'`,
    );
    // What only waits for its host's retry time is late for what the host last said to somebody else.
    await store.run(
      `CREATE OR REPLACE TEMP TABLE refused AS
       SELECT provider, server, attempted_at FROM refusals WHERE outcome = 'deferred'`,
    );
    // Only what was put off can be late; the rest is not looked up in time.
    await store.run(
      `CREATE OR REPLACE TEMP TABLE put_off AS
       WITH refused_last AS (
         SELECT r.message_no, r.address_id, r.provider, r.server, f.attempted_at AS anybody_refused_at,
                coalesce(r.last_refusal_at, CASE WHEN r.put_offs > 0 THEN f.attempted_at END) AS last_refusal_at
         FROM (SELECT *, coalesce(ended_at, last_seen_at) AS until FROM remote_recipients WHERE deferrals + put_offs > 0) r
         ASOF LEFT JOIN refused f ON f.provider = r.provider AND f.server = r.server AND r.until >= f.attempted_at)
       SELECT m.message_no, m.address_id, m.last_refusal_at, x.accepted_at AS others_accepted_at,
              y.accepted_at AS meanwhile_accepted_at
       FROM refused_last m
       ASOF LEFT JOIN acceptances x
         ON x.provider = m.provider AND x.server = m.server AND m.anybody_refused_at <= x.accepted_at
       ASOF LEFT JOIN acceptances y
         ON y.provider = m.provider AND y.server = m.server AND m.last_refusal_at <= y.accepted_at`,
    );
    await store.run(
      `CREATE OR REPLACE TEMP TABLE judged AS
       WITH measured AS (
         SELECT *, epoch(coalesce(ended_at, last_seen_at)) - epoch(arrived_at) AS delay,
                least(first_attempt_at, first_put_off_at) AS first_try_at
         FROM remote_recipients)
       SELECT m.* EXCLUDE (last_refusal_at), epoch(first_try_at) - epoch(arrived_at) AS before_first,
              (m.deferrals + m.put_offs > 0 AND (m.delay >= ${lateFrom} OR m.delay IS NULL OR m.outcome <> 'delivered')) AS late,
              p.last_refusal_at, p.others_accepted_at, p.meanwhile_accepted_at
       FROM measured m LEFT JOIN put_off p USING (message_no, address_id)`,
    );
  }

  private async courses(): Promise<ProviderCourse[]> {
    const q = (name: string, where: string) =>
      `quantile_cont(delay, [0.5, 0.9, 0.99]) FILTER (${where}) AS ${name}, max(delay) FILTER (${where}) AS ${name}_max`;
    const rows = await this.store.rows<Record<string, Value>>(
      `SELECT provider AS id, any_value(provider_name) AS name, count(*) AS recipients,
              count(*) FILTER (outcome = 'delivered') AS delivered, count(*) FILTER (deferrals + put_offs > 0) AS deferred,
              count(*) FILTER (outcome = 'failed') AS failed, count(*) FILTER (outcome = 'waiting') AS waiting,
              count(*) FILTER (late) AS late, count(*) FILTER (late AND outcome = 'delivered') AS late_delivered,
              count(*) FILTER (late AND outcome <> 'delivered') AS never,
              ${q('delays', "outcome = 'delivered' AND arrived_at IS NOT NULL")},
              ${q('late_delays', 'late AND arrived_at IS NOT NULL')},
              sum(delay) FILTER (${SPENT}) AS total, sum(before_first) FILTER (${SPENT}) AS before_first,
              sum(greatest(0, epoch(last_refusal_at) - epoch(first_try_at))) FILTER (${SPENT}) AS refused,
              sum(epoch(ended_at) - epoch(greatest(last_refusal_at, first_try_at))) FILTER (${SPENT}) AS own_retry,
              sum(epoch(ended_at) - epoch(greatest(first_try_at, least(others_accepted_at, ended_at)))) FILTER (${SPENT}) AS own_proven,
              sum(epoch(ended_at) - epoch(greatest(first_try_at, least(meanwhile_accepted_at, ended_at)))) FILTER (${SPENT}) AS meanwhile,
              avg(CASE WHEN deferrals <= 1 THEN 1.0 ELSE 0.0 END) FILTER (${SPENT}) AS once
       FROM judged GROUP BY provider ORDER BY late DESC, recipients DESC, provider`,
    );
    const spread = (row: Record<string, Value>, name: string) => {
      const list = row[name] as { items: (number | null)[] } | null;
      const [median, p90, p99] = (list?.items ?? []).map((v) => v ?? Number.NaN);
      return {
        median: median ?? Number.NaN,
        p90: p90 ?? Number.NaN,
        p99: p99 ?? Number.NaN,
        max: (row[`${name}_max`] as number | null) ?? Number.NaN,
      };
    };
    return rows.map((row) => ({
      id: String(row.id),
      name: String(row.name),
      recipients: Number(row.recipients),
      delivered: Number(row.delivered),
      deferred: Number(row.deferred),
      failed: Number(row.failed),
      waiting: Number(row.waiting),
      late: Number(row.late),
      lateDelivered: Number(row.late_delivered),
      never: Number(row.never),
      delays: spread(row, 'delays'),
      lateDelays: spread(row, 'late_delays'),
      spent: {
        total: Number(row.total ?? 0),
        beforeFirst: Number(row.before_first ?? 0),
        refused: Number(row.refused ?? 0),
        ownRetry: Number(row.own_retry ?? 0),
        ownProven: Number(row.own_proven ?? 0),
        meanwhile: Number(row.meanwhile ?? 0),
        once: Number(row.once ?? 0),
      },
    }));
  }

  /** What a provider refused with, the longest waits first. */
  async kindsOf(provider: string): Promise<Kind[]> {
    const rows = await this.store.rows<Record<string, Value>>(
      `SELECT i.class, i.phase, any_value(i.code) AS code, any_value(i.enhanced) AS enhanced,
              bool_or(i.greylist_words) AS greylist_words, ${STALLED.replaceAll('class', 'i.class').replaceAll('phase', 'i.phase')} AS stalled,
              any_value(y.text) AS text, i.normalised, count(*) AS refusals,
              count(DISTINCT (f.message_no, f.address_id)) AS recipients,
              coalesce(sum(epoch(f.next_at) - epoch(f.attempted_at)), 0) AS waited
       FROM refusals f JOIN reply_info i ON i.reply_id = f.reply_id JOIN reply_texts y ON y.id = f.reply_id
       WHERE f.provider = $1 AND f.outcome = 'deferred'
       GROUP BY i.class, i.phase, i.normalised ORDER BY waited DESC, refusals DESC`,
      [provider],
    );
    return rows.map((r) => ({
      class: String(r.class),
      phase: r.phase as string | null,
      code: r.code as number | null,
      enhanced: r.enhanced as string | null,
      greylistWords: Boolean(r.greylist_words),
      stalled: Boolean(r.stalled),
      text: String(r.text ?? ''),
      normalised: String(r.normalised),
      refusals: Number(r.refusals),
      recipients: Number(r.recipients),
      waited: Number(r.waited),
    }));
  }

  /** How a provider behaved towards each triplet of sender, recipient and this machine. */
  async behaviourOf(provider: string): Promise<ReturnType<typeof greylistTriplets>> {
    const rows = await this.store.rows<{
      key: string;
      at: number;
      outcome: 'delivered' | 'deferred' | 'failed';
      host: string | null;
    }>(
      `SELECT r.server || '|' || m.sender_id || '|' || r.address_id AS key, epoch(a.attempted_at) AS at, a.outcome, h.text AS host
       FROM attempt_facts a JOIN remote_recipients r USING (message_no, address_id)
       JOIN message_facts m USING (message_no) JOIN mail_host_texts h ON h.id = a.host_id
       LEFT JOIN reply_info i ON i.reply_id = a.reply_id
       WHERE r.provider = $1 AND a.made AND (a.outcome <> 'deferred' OR (i.code IS NOT NULL AND i.phase IS DISTINCT FROM 'local'))
       ORDER BY a.attempted_at, a.line LIMIT 100000`,
      [provider],
    );
    return greylistTriplets(rows.map((r) => ({ ...r, host: r.host ?? '' })));
  }

  /** Attempts made at a provider in order of time, each refused as `class` says or not. */
  async attemptsOf(provider: string, classes: string[] | null): Promise<{ at: number; refused: boolean }[]> {
    const list = classes ?? [];
    const among = list.map((_, i) => `$${i + 2}`).join(', ');
    return this.store.rows(
      `SELECT epoch(a.attempted_at) AS at,
              a.outcome = 'deferred' ${list.length > 0 ? `AND i.class IN (${among})` : ''} AS refused
       FROM attempt_facts a JOIN remote_recipients r USING (message_no, address_id)
       LEFT JOIN reply_info i ON i.reply_id = a.reply_id
       WHERE r.provider = $1 AND a.made ORDER BY a.attempted_at, a.line`,
      [provider, ...list],
    );
  }

  /** Of each recipient at a provider, in order of arrival: late or not. */
  async latenessOf(provider: string): Promise<boolean[]> {
    const rows = await this.store.rows<{ late: boolean }>(
      'SELECT late FROM judged WHERE provider = $1 ORDER BY began_at, message_no',
      [provider],
    );
    return rows.map((r) => r.late);
  }

  /** A few places of refusals of these kinds. */
  async places(provider: string, where = 'true', most = 3): Promise<Place[]> {
    return this.store.rows<{ path: string; line: number }>(
      `SELECT s.path, f.line FROM refusals f JOIN sources s USING (source_id)
       WHERE f.provider = $1 AND f.outcome = 'deferred' AND ${where} ORDER BY f.attempted_at, f.line LIMIT ${most}`,
      [provider],
    );
  }

  searched(): Search {
    return { searched: this.paths, lines: this.lines, unread: this.unread };
  }

  /** Seconds of the case's own clock as the log's wall time, ISO without zone. */
  wall(seconds: number): string {
    return new Date((seconds + this.zoneMin * 60) * 1000).toISOString().slice(0, 19);
  }
}

/** Late, delivered, and seen from its beginning: the whole delay is known. */
const SPENT = "late AND outcome = 'delivered' AND arrived_at IS NOT NULL AND last_refusal_at IS NOT NULL";
