import { EXIM_ERRORS } from '../../knowledge/exim-errors.js';
import { BulkAppender } from '../../store/append.js';
import type { Case } from '../../store/case.js';
import { type Provider, providerOf } from './providers.js';
import { classify, normalise, type Reply, replyOf } from './replies.js';

/**
 * What investigations of mail share: temporary tables that say of each recipient who really receives for it, and of
 * each refusal what kind it is. Texts of the evidence enter SQL as parameters only.
 *
 * remote_recipients  recipient_facts of mail that leaves this host, with `provider`, `domain`, `server` (machine)
 * refusals           attempts that were made and refused, with `class`, `phase`, `provider`, `next_at` (the next try)
 */
export async function openLedger(store: Case): Promise<void> {
  await describeAddresses(store);
  const providers = await assignProviders(store);
  await describeReplies(store, providers);
  await store.run(
    `CREATE OR REPLACE TEMP TABLE refusals AS
     SELECT a.message_no, a.address_id, a.attempted_at, a.outcome, a.host_id, a.ip_id, a.reply_id, a.code, a.source_id,
            a.line, r.provider, r.provider_name, r.server, i.class, i.phase, i.greylist_words, i.normalised_id, a.next_at
     FROM (SELECT *, lead(attempted_at) OVER (PARTITION BY message_no, address_id ORDER BY attempted_at, line) AS next_at
           FROM attempt_facts WHERE made) a
     JOIN remote_recipients r USING (message_no, address_id)
     JOIN reply_info i ON i.reply_id = a.reply_id
     WHERE a.outcome <> 'delivered'`,
  );
}

async function describeAddresses(store: Case): Promise<void> {
  await store.run(
    `CREATE OR REPLACE TEMP TABLE address_info AS
     SELECT id, nullif(lower(regexp_extract(text, '@([^@<>\\s]+)>?$', 1)), '') AS domain FROM address_texts`,
  );
  // Delivered without a host: a mailbox, a pipe or a program on this machine.
  await store.run(
    `CREATE OR REPLACE TEMP TABLE candidates AS
     SELECT r.*, m.host AS server, coalesce(a.domain, o.domain) AS domain, lower(h.text) AS mx,
            coalesce(r.arrived_at, r.first_attempt_at, r.last_seen_at) AS began_at
     FROM recipient_facts r JOIN message_facts m USING (message_no)
     JOIN address_info a ON a.id = r.address_id JOIN address_info o ON o.id = r.original_id
     JOIN mail_host_texts h ON h.id = r.host_id`,
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE local_domains AS
     SELECT DISTINCT server, domain FROM candidates WHERE outcome = 'delivered' AND mx IS NULL AND domain IS NOT NULL
     EXCEPT SELECT DISTINCT server, domain FROM candidates WHERE mx IS NOT NULL`,
  );
}

interface Receiver {
  mx: string | null;
  domain: string | null;
  month: string;
  at: number;
  n: bigint;
}

async function assignProviders(store: Case): Promise<Map<string, Provider>> {
  const receivers = await store.rows<Receiver>(
    `SELECT mx, domain, strftime(began_at, '%Y-%m') AS month, epoch(min(began_at)) AS at, count(*) AS n
     FROM candidates WHERE domain IS NOT NULL OR mx IS NOT NULL GROUP BY ALL`,
  );
  const told = receivers.map((r) => ({ ...r, provider: providerOf(r.mx, r.domain, r.at) }));
  atRelays(told);
  // A recipient whose mail never reached a host is of the provider that the domain's other mail went to.
  const ofDomain = new Map<string, { n: number; provider: ReturnType<typeof providerOf> }>();
  for (const { mx, domain, n, provider } of told) {
    if (mx === null || domain === null) continue;
    const best = ofDomain.get(domain);
    if (!best || Number(n) > best.n) ofDomain.set(domain, { n: Number(n), provider });
  }
  await store.run(
    'CREATE OR REPLACE TEMP TABLE receivers (mx VARCHAR, domain VARCHAR, month VARCHAR, provider VARCHAR, provider_name VARCHAR)',
  );
  await insert(
    store,
    'receivers',
    told.map(({ mx, domain, month, provider }) => {
      const of = mx === null && domain !== null ? (ofDomain.get(domain)?.provider ?? provider) : provider;
      return [mx, domain, month, of.id, of.name];
    }),
  );
  await store.run(
    `CREATE OR REPLACE TEMP TABLE remote_recipients AS
     SELECT c.*, v.provider, v.provider_name
     FROM candidates c
     JOIN receivers v ON v.mx IS NOT DISTINCT FROM c.mx AND v.domain IS NOT DISTINCT FROM c.domain
       AND v.month = strftime(c.began_at, '%Y-%m')
     LEFT JOIN local_domains l ON l.server = c.server AND l.domain = c.domain
     WHERE l.domain IS NULL AND NOT (c.outcome = 'delivered' AND c.mx IS NULL)`,
  );
  return new Map(told.map((t) => [t.provider.id, t.provider]));
}

/** Hosts that take mail for so many providers' domains are none of theirs: a smarthost. */
const RELAY_FROM = 3;

/** Mail that goes to a smarthost is the smarthost's, whosever domain it is for. */
function atRelays(told: (Receiver & { provider: Provider })[]): void {
  const served = new Map<string, Set<string>>();
  const relayed = told.filter((r) => r.mx !== null && r.provider.by === 'domain');
  for (const { mx, at, provider } of relayed) {
    const host = providerOf(mx, null, at).id;
    served.set(host, (served.get(host) ?? new Set()).add(provider.id));
  }
  for (const r of relayed) {
    const host = providerOf(r.mx, null, r.at);
    if (served.get(host.id)!.size >= RELAY_FROM) r.provider = host;
  }
}

/**
 * What each refusing reply is. Replies are as many as there are messages where they name them; those that differ in
 * names and numbers only are judged once.
 */
async function describeReplies(store: Case, providers: Map<string, Provider>): Promise<void> {
  const replies = await store.rows<{
    id: number;
    text: string | null;
    provider: string;
    errno: number | null;
  }>(
    `SELECT a.reply_id AS id, y.text, any_value(r.provider) AS provider, max(a.errno) FILTER (a.errno > 0) AS errno
     FROM attempt_facts a JOIN remote_recipients r USING (message_no, address_id) JOIN reply_texts y ON y.id = a.reply_id
     WHERE a.outcome <> 'delivered' GROUP BY a.reply_id, y.text`,
  );
  const known = new Map<string, number>();
  const kinds = new Map<string, { no: number; cells: Cell[] }>();
  const ids = new Int32Array(replies.length);
  const kindOf = new Int32Array(replies.length);
  for (const [i, { id, text, provider, errno }] of replies.entries()) {
    const reply = withError(replyOf(text ?? ''), errno);
    const key = normalise(reply.text);
    // Codes in brackets tell replies apart that are else alike: [TS01], (S775).
    const tokens = /\[[A-Z]{2,}\d+\]|\(?[SA]S?\d{3,4}\)?/.exec(reply.text)?.[0] ?? '';
    const judgeKey = `${provider} ${reply.code} ${reply.enhanced} ${reply.phase} ${tokens} ${key}`;
    let kind = kinds.get(judgeKey);
    if (!kind) {
      const normalisedId = known.get(key) ?? known.set(key, known.size + 1).size;
      const c = classify(reply, providers.get(provider) ?? null);
      const no = kinds.size;
      const { phase, code, enhanced } = reply;
      kind = { no, cells: [no, normalisedId, key, c.class, phase, code, enhanced, c.greylistWords] };
      kinds.set(judgeKey, kind);
    }
    ids[i] = id;
    kindOf[i] = kind.no;
  }
  await store.run(
    `CREATE OR REPLACE TEMP TABLE reply_kinds (kind INTEGER, normalised_id INTEGER, normalised VARCHAR, class VARCHAR,
     phase VARCHAR, code INTEGER, enhanced VARCHAR, greylist_words BOOLEAN)`,
  );
  await insert(
    store,
    'reply_kinds',
    [...kinds.values()].map((k) => k.cells),
  );
  await store.run('CREATE OR REPLACE TEMP TABLE kind_of_reply (reply_id INTEGER, kind INTEGER)');
  const appender = await BulkAppender.to(store, 'kind_of_reply');
  appender.append(ids.length, [
    { numbers: ids, width: 4 },
    { numbers: kindOf, width: 4 },
  ]);
  appender.close();
  await store.run(
    'CREATE OR REPLACE TEMP TABLE reply_info AS SELECT reply_id, k.* EXCLUDE (kind) FROM kind_of_reply JOIN reply_kinds k USING (kind)',
  );
}

const HOST_ALONE = /^\S{1,255} \[[^\]\s]{1,60}\](?::\d{1,5})?$/;

/**
 * Where the words tell nothing (`defer (113): No route to host H=… DT=1s: mx.example.org [192.0.2.1]`), the system's
 * error number does.
 */
function withError(reply: Reply, errno: number | null): Reply {
  if (errno === null || reply.code !== null || reply.phase !== null) return reply;
  // Host and address alone: what failed is the connection to it.
  if (HOST_ALONE.test(reply.text)) return { ...reply, phase: 'connect' };
  const phase = EXIM_ERRORS[errno]?.phase ?? 'unknown';
  return phase === 'unknown' ? reply : { ...reply, phase };
}

type Cell = string | number | boolean | null;

/** Rows as parameters, many at a time. */
async function insert(store: Case, table: 'receivers' | 'reply_kinds', rows: Cell[][]): Promise<void> {
  const AT_ONCE = 500;
  for (let i = 0; i < rows.length; i += AT_ONCE) {
    const some = rows.slice(i, i + AT_ONCE);
    const width = some[0]!.length;
    const places = some.map(
      (_, r) => `(${Array.from({ length: width }, (_, c) => `$${r * width + c + 1}`).join(', ')})`,
    );
    await store.run(`INSERT INTO ${table} VALUES ${places.join(', ')}`, some.flat());
  }
}
