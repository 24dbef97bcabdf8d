import type { Place, Search } from '../../findings/finding.js';
import type { Case, Value } from '../../store/case.js';
import { openLedger } from '../mail/ledger.js';
import { providerOf } from '../mail/providers.js';
import { classify, replyOf } from '../mail/replies.js';
import { type Stretch, stretchOf } from '../rates.js';
import { mannWhitney } from '../statistics.js';

/** One try to hand a message to a host: it broke off while the message was sent, or the message was taken. */
export interface Try {
  at: number;
  provider: string;
  name: string;
  stalled: boolean;
  reset: boolean;
  /** Size of the message; null when its arrival is not in the logs. */
  bytes: number | null;
  /** Handed to the socket before it broke off. */
  written: number | null;
  host: string | null;
  ip: string | null;
  fastOpen: boolean;
  path: string;
  line: number;
}

/** How tries at one provider went, by size. */
export interface StallCourse {
  id: string;
  name: string;
  tries: Try[];
  stalled: Try[];
  passed: Try[];
  /** Part of the broken tries that the peer, or its network, ended with a reset. */
  resets: number;
  /** Part of the broken tries that are larger than tries that passed: 0.5 is no dependence on size. */
  auc: number;
  /** Two-sided p of that. */
  p: number;
  smallestStalled: number;
  largestPassed: number;
  /** Size from which tries break off, as the split that tells best; with the counts on both sides. */
  split: {
    bytes: number;
    above: [stalled: number, passed: number];
    below: [stalled: number, passed: number];
  };
  families: { ipv4: [number, number]; ipv6: [number, number] };
  fastOpenShare: number;
  stretch: Stretch | null;
  since: number | null;
  until: number | null;
  before: boolean;
}

/** Of the providers with broken tries; a sample is enough for rates. */
const MOST_TRIES = 200_000;
const IN_TRANSFER = new Set(['data', 'body', 'end-of-data']);
const RESET = /reset by peer|broken pipe|remote host closed|lost connection/i;

/** Everything that mail-stalls asks of mail logs, asked once. */
export class StallScene {
  courses: StallCourse[] = [];
  /** All tries that broke off, whoever they were for. */
  broken: Try[] = [];
  paths: string[] = [];
  lines = 0;
  unread = 0;
  private zoneMin = 0;

  private constructor(readonly store: Case) {}

  static async of(store: Case): Promise<StallScene> {
    await openLedger(store);
    const scene = new StallScene(store);
    const sources = await store.rows<{ path: string; lines: bigint; unread: bigint }>(
      "SELECT path, lines, unread FROM sources WHERE kind IN ('exim-log', 'postfix-log') ORDER BY first_at",
    );
    scene.paths = sources.map((s) => s.path);
    scene.lines = sources.reduce((n, s) => n + Number(s.lines), 0);
    scene.unread = sources.reduce((n, s) => n + Number(s.unread), 0);
    const zone = await store.row<{ z: number }>(
      'SELECT zone_min AS z FROM mail_facts GROUP BY zone_min ORDER BY count(*) DESC LIMIT 1',
    );
    scene.zoneMin = zone && zone.z !== -32_768 ? zone.z : 0;
    const broken = await scene.brokenTries();
    scene.broken = broken;
    const providers = new Set(broken.map((t) => t.provider));
    const tries = [...broken, ...(await scene.passedTries(providers))].toSorted(
      (a, b) => a.at - b.at || a.line - b.line,
    );
    scene.courses = grouped(tries, (t) => t.provider)
      .map(([id, list]) => courseOf(id, list))
      .filter((c) => c.stalled.length > 0)
      .toSorted((a, b) => b.stalled.length - a.stalled.length);
    return scene;
  }

  /**
   * Tries that broke off in mid-transfer. Exim tells of each host that it could not finish with, and of each recipient
   * at the end; of both the host's line is taken, so that a message with many recipients counts once.
   */
  private async brokenTries(): Promise<Try[]> {
    const rows = await this.store.rows<Record<string, Value>>(
      `WITH broken AS (
         SELECT f.logged_at, f.message_id, f.host_id, f.ip_id, f.reply_id, f.bytes AS written, f.source_id, f.line, f.kind
         FROM mail_facts f WHERE f.kind IN (8, 12) AND f.reply_id <> 0 AND f.message_id <> 0),
       told AS (SELECT DISTINCT message_id, host_id FROM broken WHERE kind = 12)
       SELECT epoch(b.logged_at) AS at, y.text AS reply, h.text AS host, i.text AS ip, max(m.bytes) AS bytes,
              max(b.written) AS written, s.path, min(b.line) AS line
       FROM broken b
       JOIN reply_texts y ON y.id = b.reply_id JOIN mail_host_texts h ON h.id = b.host_id
       JOIN mail_ip_texts i ON i.id = b.ip_id JOIN sources s ON s.source_id = b.source_id
       LEFT JOIN message_facts m ON m.message_id = b.message_id AND m.host = s.host
         AND b.logged_at BETWEEN m.first_at AND m.last_at
       WHERE h.text IS NOT NULL AND (b.kind = 12 OR NOT EXISTS (
         SELECT 1 FROM told t WHERE t.message_id = b.message_id AND t.host_id = b.host_id))
       GROUP BY b.logged_at, b.message_id, y.text, h.text, i.text, s.path`,
    );
    const tries: Try[] = [];
    for (const r of rows) {
      const reply = replyOf(String(r.reply));
      if (reply.code !== null || reply.phase === null || !IN_TRANSFER.has(reply.phase)) continue;
      if (classify(reply, null).class !== 'network') continue;
      tries.push({ ...tryOf(r), stalled: true, reset: RESET.test(String(r.reply)), fastOpen: false });
    }
    return tries;
  }

  /** Messages that these providers took; of the others nothing but sums is needed (`passedElsewhere`). */
  private async passedTries(providers: ReadonlySet<string>): Promise<Try[]> {
    if (providers.size === 0) return [];
    const names = [...providers];
    const rows = await this.store.rows<Record<string, Value>>(
      `SELECT epoch(min(a.attempted_at)) AS at, h.text AS host, i.text AS ip, max(m.bytes) AS bytes, NULL AS written,
              bool_or(a.flags & 1 = 1) AS fast_open, any_value(s.path) AS path, min(a.line) AS line
       FROM attempt_facts a JOIN message_facts m USING (message_no) JOIN sources s ON s.source_id = a.source_id
       JOIN remote_recipients r USING (message_no, address_id)
       JOIN mail_host_texts h ON h.id = a.host_id JOIN mail_ip_texts i ON i.id = a.ip_id
       WHERE a.outcome = 'delivered' AND h.text IS NOT NULL AND r.provider IN (${names.map((_, k) => `$${k + 1}`).join(', ')})
       GROUP BY a.message_no, h.text, i.text, a.attempted_at LIMIT ${MOST_TRIES}`,
      names,
    );
    return rows
      .map((r) => ({ ...tryOf(r), stalled: false, reset: false, fastOpen: Boolean(r.fast_open) }))
      .filter((t) => providers.has(t.provider));
  }

  /** What all other providers took: how many, how many of at least this size, how many by Fast Open, the largest. */
  async passedElsewhere(
    provider: string | null,
    least: number,
  ): Promise<{ passed: number; large: number; fastOpen: number; largest: number }> {
    const row = await this.store.row<Record<string, Value>>(
      `SELECT count(*) AS passed, count(*) FILTER (bytes >= $2) AS large, count(*) FILTER (fast_open) AS fast_open,
              coalesce(max(bytes), 0) AS largest
       FROM (SELECT a.message_no, a.host_id, max(m.bytes) AS bytes, bool_or(a.flags & 1 = 1) AS fast_open
             FROM attempt_facts a JOIN message_facts m USING (message_no)
             JOIN remote_recipients r USING (message_no, address_id)
             WHERE a.outcome = 'delivered' AND a.host_id <> 0 AND r.provider IS DISTINCT FROM $1
             GROUP BY a.message_no, a.host_id)`,
      [provider, Number.isFinite(least) ? least : 0],
    );
    return {
      passed: Number(row?.passed ?? 0),
      large: Number(row?.large ?? 0),
      fastOpen: Number(row?.fast_open ?? 0),
      largest: Number(row?.largest ?? 0),
    };
  }

  searched(): Search {
    return { searched: this.paths, lines: this.lines, unread: this.unread };
  }

  /** Seconds of the case's own clock as the log's wall time, ISO without zone. */
  wall(seconds: number): string {
    return new Date((seconds + this.zoneMin * 60) * 1000).toISOString().slice(0, 19);
  }
}

function tryOf(r: Record<string, Value>): Omit<Try, 'stalled' | 'reset' | 'fastOpen'> {
  const host = r.host as string | null;
  const provider = providerOf(host, null, Number(r.at));
  const bytes = r.bytes as number | null;
  const written = r.written as number | null;
  return {
    at: Number(r.at),
    provider: provider.id,
    name: provider.name,
    bytes: bytes !== null && bytes >= 0 ? bytes : null,
    written: written !== null && written >= 0 ? written : null,
    host,
    ip: r.ip as string | null,
    path: String(r.path),
    line: Number(r.line),
  };
}

function grouped<T, K>(list: T[], key: (item: T) => K): [K, T[]][] {
  const groups = new Map<K, T[]>();
  for (const item of list) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups];
}

function courseOf(id: string, tries: Try[]): StallCourse {
  const stalled = tries.filter((t) => t.stalled);
  const passed = tries.filter((t) => !t.stalled);
  const sizes = (list: Try[]) => list.flatMap((t) => (t.bytes === null ? [] : [t.bytes]));
  const [high, low] = [sizes(stalled), sizes(passed)];
  const { u, p } = mannWhitney(high, low);
  const auc = high.length > 0 && low.length > 0 ? u / (high.length * low.length) : 0.5;
  const smallestStalled = high.length > 0 ? Math.min(...high) : Number.NaN;
  const split = bestSplit(high, low);
  // Small mail passes throughout and says nothing of when it began.
  const telling = tries.filter((t) => t.bytes === null || t.bytes >= Math.min(split.bytes, smallestStalled));
  const stretch = stretchOf(telling.map((t) => t.stalled));
  const inside = stretch ? telling.slice(stretch.from, stretch.to).filter((t) => t.stalled) : stalled;
  const first = inside[0] ?? stalled[0];
  const last = inside.at(-1) ?? stalled.at(-1);
  const after = last ? telling.filter((t) => t.at > last.at) : [];
  const passedAfter = after.filter((t) => !t.stalled).length;
  const ended = passedAfter >= 4 && after.length - passedAfter === 0;
  const family = (six: boolean): [number, number] => [
    stalled.filter((t) => (t.ip ?? '').includes(':') === six).length,
    passed.filter((t) => (t.ip ?? '').includes(':') === six).length,
  ];
  return {
    id,
    name: tries[0]!.name,
    tries,
    stalled,
    passed,
    resets: stalled.filter((t) => t.reset).length / Math.max(1, stalled.length),
    auc,
    p,
    smallestStalled,
    largestPassed: low.length > 0 ? Math.max(...low) : Number.NaN,
    split,
    families: { ipv4: family(false), ipv6: family(true) },
    fastOpenShare: passed.filter((t) => t.fastOpen).length / Math.max(1, passed.length),
    stretch,
    since: first?.at ?? null,
    until: ended && last ? last.at : null,
    before: first ? !telling.some((t) => !t.stalled && t.at < first.at) : false,
  };
}

/** The size that parts broken from taken mail best, by the likelihood of two rates instead of one. */
function bestSplit(high: number[], low: number[]): StallCourse['split'] {
  const all = [...high.map((s) => ({ s, hit: 1 })), ...low.map((s) => ({ s, hit: 0 }))].toSorted(
    (a, b) => a.s - b.s,
  );
  const n = all.length;
  const hits = high.length;
  const term = (k: number, m: number) =>
    k === 0 || k === m || m === 0 ? 0 : k * Math.log(k / m) + (m - k) * Math.log(1 - k / m);
  let best = { gain: Number.NEGATIVE_INFINITY, at: 0, below: 0 };
  let below = 0;
  for (let i = 0; i < n; i++) {
    if (i > 0 && all[i]!.s !== all[i - 1]!.s) {
      const rising = below / i <= (hits - below) / (n - i);
      const gain = term(below, i) + term(hits - below, n - i);
      if (rising && gain > best.gain) best = { gain, at: i, below };
    }
    below += all[i]!.hit;
  }
  return {
    bytes: all[best.at]?.s ?? 0,
    above: [hits - best.below, n - best.at - (hits - best.below)],
    below: [best.below, best.at - best.below],
  };
}

/** A few places of tries, for facts. */
export const placesOf = (tries: Try[], most = 3): Place[] =>
  tries.slice(0, most).map(({ path, line }) => ({ path, line }));
