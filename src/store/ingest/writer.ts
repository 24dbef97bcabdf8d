import type { Batch, Tally, TextTable } from '../../formats/bulk.js';
import { type BulkFormat, FACT_TABLES, isBulk, tableOf } from '../../formats/formats.js';
import { UNREAD_REASONS, type Unread } from '../../formats/unread.js';
import { BulkAppender, type Column } from '../append.js';
import type { Case } from '../case.js';
import type { Checkpoint, Read } from './protocol.js';
import { Texts, unite } from './texts.js';

/** A transaction is closed after so much; what a kill costs is reading this much again. */
const ROWS_A_COMMIT = 600_000;
const MS_A_COMMIT = 2000;
/** Of each source, to be shown; the counts are complete. */
const MOST_SAMPLES = 100;

type SourceKind = BulkFormat | 'document' | 'server-config' | 'other';

/** How far a source was read, as the case knows it. */
export interface SourceState {
  id: number;
  host: string;
  path: string;
  stream: string;
  kind: SourceKind;
  format: string | null;
  choice: string | null;
  vhost: string | null;
  bytesKind: 'body' | 'sent' | 'unknown';
  storedBytes: number;
  readBytes: number;
  lines: number;
  records: number;
  unread: number;
  /** 'no', 'record', or the reason why a last line without a newline is unread. */
  pending: string;
  /** Wall time of the log, seconds since 1970 as if it were UTC. */
  first: number | null;
  last: number | null;
  error: string | null;
  head: string | null;
  checkpoints: Checkpoint[];
  complete: boolean;
  /** Answers 304, and those of them with bytes: they tell %O from %b. */
  notModified: number;
  bytesOn304: number;
}

/**
 * Puts batches and the bookkeeping of how far their source was read into the case, both in the same
 * transaction: killed at any moment, the case holds each record once, and reading goes on where it ended.
 */
export class Writer {
  private readonly touched = new Set<SourceState>();
  private readonly samples = new Map<number, number>();
  private readonly newCounts = new Map<string, { source: number; reason: string; lines: number }>();
  private readonly newSamples: { source: number; line: number; reason: string; excerpt: string }[] = [];
  private rows = 0;
  private began = 0;
  private busy: Promise<void> = Promise.resolve();

  private constructor(
    private readonly store: Case,
    readonly texts: Texts,
    private readonly facts: Map<string, BulkAppender>,
  ) {}

  static async on(store: Case): Promise<Writer> {
    const texts = await Texts.of(store);
    const facts = new Map<string, BulkAppender>();
    for (const { name } of FACT_TABLES) facts.set(name, await BulkAppender.to(store, name));
    const writer = new Writer(store, texts, facts);
    for (const { id, n } of await store.rows<{ id: number; n: bigint }>(
      'SELECT source_id AS id, count(*) AS n FROM unread_lines GROUP BY source_id',
    ))
      writer.samples.set(id, Number(n));
    await writer.begin();
    return writer;
  }

  private async begin(): Promise<void> {
    await this.store.run('BEGIN');
    this.rows = 0;
    this.began = performance.now();
  }

  /** To be called for every batch on arrival, whatever its turn: ids become the case's own. */
  receive(format: BulkFormat, batch: Batch, worker: number, vhostId: number): void {
    for (const [name, added] of Object.entries(batch.additions))
      this.texts.add(worker, name as TextTable, added);
    for (const [i, { text }] of tableOf(format).columns.entries())
      if (text)
        this.texts.translate(
          worker,
          text,
          batch.columns[i]!.numbers as Int32Array,
          batch.count,
          text === 'vhost' ? vhostId : 0,
        );
  }

  /** Takes a received batch in its turn. Returns true when it is time to commit. */
  write(source: SourceState, { batch, upTo, checkpoints }: Read): boolean {
    const { count, tally, bytes } = batch;
    const base = source.lines + 1;
    if (count > 0) this.appendFacts(source, batch, base);
    this.count(source, tally, base);
    // Comparisons that NaN fails: a batch may have no record.
    if (tally.first < (source.first ?? Number.POSITIVE_INFINITY)) source.first = tally.first;
    if (tally.last > (source.last ?? Number.NEGATIVE_INFINITY)) source.last = tally.last;
    source.lines += tally.lines;
    source.records += tally.records;
    source.unread += tally.lines - tally.records;
    if (bytes) {
      source.notModified += bytes.notModified;
      source.bytesOn304 += bytes.bytesOn304;
      if (source.bytesKind === 'unknown' || bytes.kind === 'sent') source.bytesKind = bytes.kind;
    }
    source.readBytes = upTo;
    if (tally.lines > 0)
      source.pending = typeof batch.pending === 'number' ? UNREAD_REASONS[batch.pending] : batch.pending;
    source.checkpoints.push(...checkpoints);
    this.touched.add(source);
    this.rows += count;
    return this.rows >= ROWS_A_COMMIT || performance.now() - this.began > MS_A_COMMIT;
  }

  private appendFacts(source: SourceState, { count, columns }: Batch, base: number): void {
    if (!isBulk(source.kind)) throw new Error(`${source.kind} has no rows`);
    const sources = new Int32Array(count).fill(source.id);
    const [within, ...rest] = columns;
    const lines = within!.numbers as Uint32Array<ArrayBuffer>;
    for (let i = 0; i < count; i++) lines[i] = base + lines[i]!;
    const values: Column[] = [{ numbers: sources, width: 4 }, { numbers: lines, width: 4 }, ...rest];
    this.facts.get(tableOf(source.kind).name)!.append(count, values);
  }

  private count(source: SourceState, tally: Tally, base: number): void {
    for (const [code, lines] of Object.entries(tally.unread)) {
      const reason = UNREAD_REASONS[Number(code) as Unread];
      const key = `${source.id} ${code}`;
      const entry = this.newCounts.get(key) ?? { source: source.id, reason, lines: 0 };
      entry.lines += lines;
      this.newCounts.set(key, entry);
    }
    for (const { line, reason, excerpt } of tally.samples) {
      const shown = this.samples.get(source.id) ?? 0;
      if (shown >= MOST_SAMPLES) break;
      this.samples.set(source.id, shown + 1);
      this.newSamples.push({
        source: source.id,
        line: base + line,
        reason: UNREAD_REASONS[reason],
        excerpt: Buffer.from(excerpt).toString('utf8').replaceAll('\0', '\u2400'),
      });
    }
  }

  /** Another statement in the transaction that is open, between two batches. */
  async run(sql: string, values: (string | number | boolean | null)[]): Promise<void> {
    await this.store.run(sql, values);
  }

  touch(source: SourceState): void {
    this.touched.add(source);
  }

  /** Ends the transaction and begins the next: from here on, what was written is safe. */
  commit(): Promise<void> {
    this.busy = this.busy.then(() => this.close()).then(() => this.begin());
    return this.busy;
  }

  private async close(): Promise<void> {
    this.texts.flush();
    for (const appender of this.facts.values()) appender.flush();
    for (const source of this.touched) await saveSource(this.store, source);
    this.touched.clear();
    for (const { source, reason, lines } of this.newCounts.values()) {
      await this.store.run('INSERT INTO unread_counts VALUES ($1, $2, $3)', [source, reason, lines]);
    }
    this.newCounts.clear();
    for (const { source, line, reason, excerpt } of this.newSamples)
      await this.store.run('INSERT INTO unread_lines VALUES ($1, $2, $3, $4)', [
        source,
        line,
        reason,
        excerpt,
      ]);
    this.newSamples.length = 0;
    if (this.texts.split.length > 0)
      await this.store.setFact('texts_split', JSON.stringify(this.texts.split));
    await this.store.run('COMMIT');
  }

  /** Commits what is there, and closes. The writer is of no use after. */
  async finish(): Promise<void> {
    await this.busy;
    await this.close();
    for (const appender of this.facts.values()) appender.close();
    this.texts.close();
    const split = await this.store.fact('texts_split');
    if (split) {
      await unite(this.store, JSON.parse(split) as TextTable[]);
      await this.store.setFact('texts_split', '');
    }
  }
}

async function saveSource(store: Case, s: SourceState): Promise<void> {
  await store.run(
    `UPDATE sources SET host = $2, path = $3, stream = $4, kind = $5, format = $6, choice = $7, vhost = $8,
       bytes_kind = $9, stored_bytes = $10, read_bytes = $11, lines = $12, records = $13, unread = $14, pending = $15,
       first_at = make_timestamp($16::BIGINT), last_at = make_timestamp($17::BIGINT), error = $18, head = $19,
       checkpoints = $20, complete = $21, not_modified = $22, bytes_on_304 = $23
     WHERE source_id = $1`,
    [
      s.id,
      s.host,
      s.path,
      s.stream,
      s.kind,
      s.format,
      s.choice,
      s.vhost,
      s.bytesKind,
      s.storedBytes,
      s.readBytes,
      s.lines,
      s.records,
      s.unread,
      s.pending,
      s.first === null ? null : BigInt(Math.round(s.first * 1e6)),
      s.last === null ? null : BigInt(Math.round(s.last * 1e6)),
      s.error,
      s.head,
      JSON.stringify(s.checkpoints),
      s.complete,
      s.notModified,
      s.bytesOn304,
    ],
  );
}
