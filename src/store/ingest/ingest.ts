import { closeSync, openSync } from 'node:fs';
import { type Limits, type Piece, readMembers, type Survey } from '../../evidence/evidence.js';
import { BUILT_IN, type TextFormat } from '../../formats/access-log/formats.js';
import { DOCUMENT_TABLES } from '../../formats/documents.js';
import { FACT_TABLES, type How, inParts, isBulk, nameOf, tableOf } from '../../formats/formats.js';
import { deriveCaptures } from '../capture.js';
import type { Case } from '../case.js';
import { deriveMail } from '../mail.js';
import { type Document, storeDocuments } from './documents.js';
import { type Identity, identify, rotation } from './identify.js';
import { agrees, checkpointOffsets, digestInHead, digestsOf, headDigest } from './identity.js';
import { type Appearance, Known } from './known.js';
import { Pool, type Work } from './pool.js';
import type { Done, Read } from './protocol.js';
import { type SourceState, Writer } from './writer.js';

/** A plain file is read in parts of this size, so that every core has work. */
const PART = 16 << 20;

export interface IngestOptions {
  host: string;
  logFormat: TextFormat | null;
  limits: Limits;
  /** Forget what the case holds of evidence that is no longer there. */
  onlyThis: boolean;
  /** Bytes as stored: read so far, and to be read in all (0: not known). */
  onProgress?: (done: number, total: number, what: string) => void;
  signal?: AbortSignal;
}

type Bulk = Extract<Identity, { how: How }>;
type Other = Exclude<Identity, Bulk>;

/** A log to be read, with what is known of it. */
interface Log {
  piece: Piece;
  identity: Bulk;
  head: string | null;
}

/**
 * Reads evidence into the case: what is new, and only that. Content is known again under any name (identity.ts),
 * so a copy, a rotated file and a second run are read once; a log that grew is read from where it ended.
 *
 * Errors: none for evidence: what cannot be read is recorded with its reason, and the rest goes on.
 *         An aborted signal ends it between two transactions; the same call goes on from there.
 */
export async function ingest(store: Case, survey: Survey, options: IngestOptions): Promise<void> {
  const pool = new Pool(await store.hashSeeds());
  const known = await Known.of(store);
  await new Reading(store, survey, options, known, await Writer.on(store), pool).run();
}

class Reading {
  private done = 0;
  private total = 0;
  /** All that changes the store happens here, one after the other. */
  private queue: Promise<void> = Promise.resolve();
  private failure: unknown = null;
  /** Sources met in this run, with their lines when they were met last. */
  private readonly met = new Map<number, number>();

  constructor(
    private readonly store: Case,
    private readonly survey: Survey,
    private readonly options: IngestOptions,
    private readonly known: Known,
    private readonly writer: Writer,
    private readonly pool: Pool,
  ) {}

  async run(): Promise<void> {
    const { survey, options } = this;
    const stop = () => this.pool.stop();
    options.signal?.addEventListener('abort', stop);
    try {
      await this.writer.run('DELETE FROM appearances WHERE source_id IS NULL', []);
      for (const { path, named, error } of survey.unreadable)
        await this.appear({ ...nowhere(path, named), error: error.text.why ?? error.text.what });
      const identities = identify(survey.pieces, options.logFormat);
      const logs: Log[] = [];
      const others: { piece: Piece; identity: Other }[] = [];
      for (const [i, piece] of survey.pieces.entries()) {
        const identity = identities[i]!;
        if ('how' in identity) logs.push({ piece, identity, head: headDigest(piece.head) });
        else others.push({ piece, identity });
      }
      await this.recordOthers(others);
      await this.readAll(inReadingOrder(logs.filter((log) => !this.unchanged(log))));
      await this.queue;
      if (this.failure) throw this.failure;
      if (!options.signal?.aborted) await this.tidy();
      await this.writer.finish();
      if (!options.signal?.aborted) {
        await deriveMail(this.store);
        await deriveCaptures(this.store);
      }
    } finally {
      options.signal?.removeEventListener('abort', stop);
      this.pool.stop();
    }
  }

  private get stopped(): boolean {
    return this.failure !== null || (this.options.signal?.aborted ?? false);
  }

  /** Puts work on the queue; the promise tells when it is done. */
  private inTurn<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.then(
      () => {},
      (error: unknown) => {
        this.failure ??= error;
      },
    );
    return result;
  }

  /** A file that is as it was when it was read to its end. */
  private unchanged({ piece }: Log): boolean {
    const before = this.known.appearances.get(piece.path);
    const source = before?.sourceId === null || !before ? undefined : this.known.sources.get(before.sourceId);
    const same =
      source?.complete === true &&
      before !== undefined &&
      before.error === null &&
      piece.mtimeMs !== null &&
      before.storedBytes === piece.bytes &&
      before.mtimeMs === piece.mtimeMs &&
      before.inode === piece.inode;
    if (same) this.met.set(source.id, source.lines);
    return same;
  }

  private async readAll(logs: Log[]): Promise<void> {
    this.total = logs.some((l) => l.piece.file === null && !l.piece.member)
      ? 0
      : sum(logs.map((l) => l.piece.bytes));
    // What begins alike may be the same content: one after the other. Everything else side by side.
    const chains = new Map<string, Log[]>();
    for (const log of logs.filter((l) => l.piece.file !== null)) {
      const key = log.head ?? log.piece.path;
      chains.set(key, [...(chains.get(key) ?? []), log]);
    }
    const waiting = [...chains.values()];
    const lane = async () => {
      for (let chain = waiting.shift(); chain && !this.stopped; chain = waiting.shift())
        for (const log of chain) if (!this.stopped) await this.readFile(log);
    };
    await Promise.all(Array.from({ length: this.pool.size + 1 }, lane));
    await this.readArchives(logs.filter((l) => l.piece.member !== null));
    for (const log of logs.filter((l) => l.piece.file === null && l.piece.member === null))
      if (!this.stopped) await this.readPipe(log);
  }

  // ---- files

  private async readFile(log: Log): Promise<void> {
    const { piece } = log;
    try {
      if (piece.codec === 'none' && inParts(log.identity.how)) await this.readPlain(log, piece.file!);
      else await this.readCompressed(log, piece.file!);
    } catch (error) {
      if (this.stopped) return;
      const why = error instanceof Error ? error.message : String(error);
      await this.inTurn(() => this.appear({ ...appearanceOf(piece), error: why }));
    }
  }

  private async readPlain(log: Log, file: string): Promise<void> {
    const { piece } = log;
    const fd = openSync(file, 'r');
    try {
      const same = this.candidates(log).find((source) => {
        const offsets = source.checkpoints.map(([offset]) => offset);
        return agrees(source.checkpoints, digestsOf(fd, offsets));
      });
      const source = await this.begin(log, same ?? null);
      const digest = () => digestsOf(fd, [...checkpointOffsets(source.readBytes), source.readBytes]);
      const from = source.readBytes;
      const end = piece.bytes;
      const parts: Promise<Done>[] = [];
      const order = inOrder();
      for (let start = from; start < end && !this.stopped; start += PART) {
        const stop = Math.min(start + PART, end);
        const work = {
          kind: 'range',
          file,
          start,
          end: stop,
          aligned: start === from,
          last: stop === end,
        } as const;
        parts.push(this.read(log, source, work, order.next(), digest));
        // Few parts are under way at a time, so that an abort is quick.
        if (parts.length > this.pool.size + 1) await parts.at(-this.pool.size - 1);
      }
      const all = await Promise.all(parts);
      await this.end(log, source, all.find((d) => d.error !== null)?.error ?? null, digest);
    } finally {
      closeSync(fd);
    }
  }

  private async readCompressed(log: Log, file: string): Promise<void> {
    const { codec } = log.piece;
    const { limits } = this.options;
    for (const same of [...this.candidates(log), null]) {
      if (this.stopped) return;
      // Connections are judged from their first packet on: a capture that grew is read again from its beginning.
      if (same?.kind === 'capture' && log.piece.bytes > same.storedBytes) {
        await this.inTurn(() => this.forget(same));
        continue;
      }
      const source = await this.begin(log, same);
      const { readBytes: skip, checkpoints: expect } = source;
      const work = { kind: 'compressed', file, codec, limits, skip, expect } as const;
      const done = await this.read(log, source, work, inOrder().next());
      if (done.differs) continue;
      await this.end(log, source, done.error);
      return;
    }
  }

  // ---- archives and pipes

  private async readArchives(logs: Log[]): Promise<void> {
    const archives = new Map<string, Log[]>();
    for (const log of logs) {
      const { archive } = log.piece.member!;
      archives.set(archive, [...(archives.get(archive) ?? []), log]);
    }
    for (const [archive, members] of archives) {
      // Content that turns out to differ from the candidate it began like is read in another round.
      const tried = new Map<Log, Set<number>>();
      let left = members;
      while (left.length > 0 && !this.stopped) {
        const again: Log[] = [];
        const byIndex = new Map(left.map((log) => [log.piece.member!.index, log]));
        const archivePiece = { file: archive, codec: left[0]!.piece.member!.archiveCodec };
        try {
          await readMembers(
            archivePiece,
            new Set(byIndex.keys()),
            this.options.limits,
            async (index, bytes) => {
              const log = byIndex.get(index)!;
              if (this.stopped) return;
              const refused = tried.get(log) ?? new Set();
              const same = this.candidates(log).find((s) => !refused.has(s.id)) ?? null;
              const source = await this.begin(log, same);
              const { readBytes: skip, checkpoints: expect } = source;
              const done = await this.read(
                log,
                source,
                { kind: 'fed', skip, expect },
                inOrder().next(),
                undefined,
                bytes,
              );
              if (done.differs) {
                tried.set(log, refused.add(source.id));
                again.push(log);
              } else await this.end(log, source, done.error);
            },
          );
        } catch (error) {
          if (this.stopped) return;
          const why = error instanceof Error ? error.message : String(error);
          await this.inTurn(() => this.appear({ ...nowhere(archive, true), error: why }));
          break;
        }
        left = again;
      }
    }
  }

  private async readPipe(log: Log): Promise<void> {
    const head = log.piece.head;
    const same = this.candidates(log).find((s) =>
      s.checkpoints.every(
        ([offset, digest]) => offset > head.length || digestInHead(head, offset) === digest,
      ),
    );
    const source = await this.begin(log, same ?? null);
    const { readBytes: skip, checkpoints: expect } = source;
    const work = { kind: 'fed', skip, expect } as const;
    const done = await this.read(log, source, work, inOrder().next(), undefined, this.survey.pipe!);
    if (done.differs)
      await this.inTurn(() =>
        this.appear({
          ...appearanceOf(log.piece),
          error:
            'begins like a log that was read before and then differs: write it to a file and name the file',
        }),
      );
    else await this.end(log, source, done.error);
  }

  // ---- one log

  /** Sources that may be the same content: same first line, same host. Most complete first. */
  private candidates({ head }: Log): SourceState[] {
    if (head === null) return [];
    return [...this.known.sources.values()]
      .filter((s) => isBulk(s.kind) && s.head === head && s.host === this.options.host)
      .toSorted((a, b) => b.readBytes - a.readBytes);
  }

  /** The source that takes a log's lines: one whose content this continues, or a new one. */
  private begin(log: Log, same: SourceState | null): Promise<SourceState> {
    return this.inTurn(async () => {
      const { piece, identity } = log;
      const { writer, known } = this;
      if (same) {
        same.complete = false;
        writer.touch(same);
        return same;
      }
      await this.dropStale(log);
      const source = known.newSource({
        host: this.options.host,
        path: piece.path,
        stream: identity.stream,
        kind: identity.kind,
        format: nameOf(identity.how),
        choice: JSON.stringify(identity.how),
        vhost: identity.vhost,
        head: log.head,
        storedBytes: piece.bytes,
      });
      await insertMany(this.store, 'sources', [sourceRow(source)]);
      writer.touch(source);
      return source;
    });
  }

  /** What was at this path and had no line to be known by is replaced by what is there now. */
  private async dropStale({ piece, head }: Log): Promise<void> {
    const before = this.known.appearances.get(piece.path);
    const old = before?.sourceId == null ? undefined : this.known.sources.get(before.sourceId);
    if (!old || before!.inode !== piece.inode) return;
    const hadNoLine = old.head === null || old.head.startsWith('whole:');
    if (!isBulk(old.kind) || (hadNoLine && old.head !== head)) await this.forget(old);
  }

  private async forget(source: SourceState): Promise<void> {
    await forgetSource(this.store, source.id);
    this.known.sources.delete(source.id);
  }

  private async takeBackPending(source: SourceState): Promise<void> {
    if (source.pending === 'no') return;
    const { writer } = this;
    const place = [source.id, source.lines];
    if (source.pending === 'record') {
      if (isBulk(source.kind))
        await writer.run(
          `DELETE FROM ${tableOf(source.kind).name} WHERE source_id = $1 AND line = $2`,
          place,
        );
      source.records--;
    } else {
      await writer.run('DELETE FROM unread_lines WHERE source_id = $1 AND line = $2', place);
      await writer.run('INSERT INTO unread_counts VALUES ($1, $2, -1)', [source.id, source.pending]);
      source.unread--;
    }
    source.lines--;
    source.pending = 'no';
    writer.touch(source);
  }

  private async read(
    log: Log,
    source: SourceState,
    work: Work,
    turn: Turn,
    digest?: () => Read['checkpoints'],
    bytes?: AsyncIterable<Uint8Array>,
  ): Promise<Done> {
    const how = JSON.parse(source.choice!) as How;
    const vhostId = await this.vhostId(source);
    const written: Promise<void>[] = [];
    const done = await this.pool.run(
      work,
      how,
      {
        batch: (read, worker, taken) => {
          this.writer.receive(how.format, read.batch, worker, vhostId);
          const write = turn.before.then(() =>
            this.inTurn(async () => {
              if (!this.stopped) {
                // A last line without its newline had been read as it was then; here it is whole.
                if (read.batch.tally.lines > 0) await this.takeBackPending(source);
                const due = this.writer.write(source, read);
                if (due) {
                  if (digest) source.checkpoints = digest();
                  await this.writer.commit();
                }
              }
              taken();
            }),
          );
          write.catch(() => {});
          written.push(write);
        },
        progress: (storedBytes) => {
          this.done += storedBytes;
          this.options.onProgress?.(this.done, this.total, log.piece.path);
        },
      },
      bytes,
    );
    await turn.before;
    await Promise.allSettled(written);
    turn.finish();
    return done;
  }

  private vhostIds = new Map<string, Promise<number>>();
  private vhostId({ vhost }: SourceState): Promise<number> {
    if (vhost === null) return Promise.resolve(0);
    let id = this.vhostIds.get(vhost);
    if (!id) {
      id = this.inTurn(() => this.writer.texts.idOf('vhost', vhost));
      this.vhostIds.set(vhost, id);
    }
    return id;
  }

  /** A log has been read to its end, or to where it breaks off. */
  private end(
    log: Log,
    source: SourceState,
    error: string | null,
    digest?: () => Read['checkpoints'],
  ): Promise<void> {
    return this.inTurn(async () => {
      if (this.stopped) return;
      const { piece, identity } = log;
      if (digest) source.checkpoints = digest();
      // A copy that has no more lines leaves the source under the name that it has.
      if (source.lines > (this.met.get(source.id) ?? -1)) {
        Object.assign(source, {
          path: piece.path,
          stream: identity.stream,
          storedBytes: piece.bytes,
          vhost: source.vhost ?? identity.vhost,
          error,
        });
      }
      source.complete = true;
      source.bytesKind = kindOfBytes(source);
      this.met.set(source.id, source.lines);
      this.writer.touch(source);
      await this.appear({ ...appearanceOf(piece), sourceId: source.id, error });
    });
  }

  // ---- the rest

  /** Files that are no logs: configuration, and what culprit does not know. There may be thousands. */
  private async recordOthers(others: { piece: Piece; identity: Other }[]): Promise<void> {
    const added: SourceState[] = [];
    const appeared: Appearance[] = [];
    const documents: Document[] = [];
    for (const { piece, identity } of others) {
      const before = this.known.appearances.get(piece.path);
      const old = before?.sourceId == null ? undefined : this.known.sources.get(before.sourceId);
      const { host } = this.options;
      const base = { host, path: piece.path, stream: identity.stream, kind: identity.kind };
      const source = old && !isBulk(old.kind) ? old : this.known.newSource(base);
      const config = identity.kind === 'server-config';
      const error = identity.kind === 'other' ? identity.why : null;
      const isSame =
        source === old &&
        before?.storedBytes === piece.bytes &&
        before.mtimeMs === piece.mtimeMs &&
        before.error === error;
      Object.assign(source, {
        ...base,
        storedBytes: piece.bytes,
        format: config || identity.kind === 'document' ? identity.format : null,
        records: config ? identity.records : source.records,
        error,
        complete: true,
      });
      this.met.set(source.id, 0);
      if (identity.kind === 'document') documents.push({ piece, format: identity.format, source });
      if (isSame) continue;
      if (source === old) this.writer.touch(source);
      else added.push(source);
      appeared.push({ ...appearanceOf(piece), sourceId: source.id, error });
    }
    const { limits } = this.options;
    await storeDocuments(this.store, documents, limits, this.survey.pipe);
    for (const { source } of documents) {
      this.writer.touch(source);
      const appearance = appeared.find((a) => a.sourceId === source.id);
      if (appearance) appearance.error = source.error;
    }
    await insertMany(this.store, 'sources', added.map(sourceRow));
    for (const a of appeared) this.known.appearances.set(a.path, a);
    await insertMany(this.store, 'appearances', appeared.map(appearanceRow));
  }

  private async appear(a: Appearance): Promise<void> {
    this.known.appearances.set(a.path, a);
    await insertMany(this.store, 'appearances', [appearanceRow(a)]);
  }

  /** At the end: names under which content is the same, and what is no longer there. */
  private async tidy(): Promise<void> {
    const { known, survey } = this;
    const here = new Set([...survey.pieces, ...survey.unreadable].map((p) => p.path));
    for (const a of [...known.appearances.values()]) {
      const source = a.sourceId === null ? undefined : known.sources.get(a.sourceId);
      if (!here.has(a.path)) {
        known.appearances.delete(a.path);
        await this.writer.run('DELETE FROM appearances WHERE path = $1', [a.path]);
        continue;
      }
      const sameAs = source && source.path !== a.path && here.has(source.path) ? source.path : null;
      if (source && !here.has(source.path)) {
        source.path = a.path;
        this.writer.touch(source);
      }
      if (sameAs !== a.sameAs) await this.appear({ ...a, sameAs });
    }
    if (!this.options.onlyThis) return;
    const shown = new Set([...known.appearances.values()].map((a) => a.sourceId));
    for (const source of [...known.sources.values()]) if (!shown.has(source.id)) await this.forget(source);
  }
}

interface Turn {
  before: Promise<void>;
  finish: () => void;
}

/** Parts of one log are read side by side, and written one after the other. */
function inOrder(): { next: () => Turn } {
  let last: Promise<void> = Promise.resolve();
  return {
    next: () => {
      const before = last;
      let finish = () => {};
      last = new Promise((resolve) => {
        finish = resolve;
      });
      return { before, finish };
    },
  };
}

/** Oldest part of a stream first: by the first time in its head where names tell nothing. */
function inReadingOrder(logs: Log[]): Log[] {
  return logs.toSorted((a, b) =>
    a.identity.stream === b.identity.stream
      ? rotation(b.piece.path) - rotation(a.piece.path) || (a.piece.path < b.piece.path ? -1 : 1)
      : a.identity.stream < b.identity.stream
        ? -1
        : 1,
  );
}

/**
 * %b or %O? A format that was recognised by its shape alone does not say. An answer 304 has no body, so bytes
 * there are headers, which only %O counts (mod_logio).
 */
function kindOfBytes(source: SourceState): SourceState['bytesKind'] {
  const how = JSON.parse(source.choice!) as How;
  if (how.format !== 'access-log' || how.choice.kind === 'json') return source.bytesKind;
  const { choice } = how;
  const known = !BUILT_IN.some((f) => f.format === choice.formats[0]!.format);
  if (known) return source.bytesKind;
  return source.notModified > 0 && source.bytesOn304 * 2 > source.notModified ? 'sent' : 'body';
}

function appearanceOf(piece: Piece): Appearance {
  return {
    path: piece.path,
    sourceId: null,
    storedBytes: piece.bytes,
    mtimeMs: piece.mtimeMs,
    inode: piece.inode,
    sameAs: null,
    error: null,
    named: piece.named,
  };
}

function nowhere(path: string, named: boolean): Appearance {
  return {
    path,
    sourceId: null,
    storedBytes: 0,
    mtimeMs: null,
    inode: null,
    sameAs: null,
    error: null,
    named,
  };
}

type Cell = string | number | boolean | null;

const appearanceRow = (a: Appearance): Cell[] => [
  a.path,
  a.sourceId,
  a.storedBytes,
  a.mtimeMs,
  a.inode,
  a.sameAs,
  a.error,
  a.named,
];

/** The row as it is made; what is read later is written with each commit. */
const sourceRow = (s: SourceState): Cell[] => [
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
  0,
  0,
  s.records,
  0,
  'no',
  null,
  null,
  s.error,
  s.head,
  '[]',
  s.complete,
  0,
  0,
];

async function insertMany(store: Case, table: 'sources' | 'appearances', rows: Cell[][]): Promise<void> {
  const AT_ONCE = 200;
  for (let i = 0; i < rows.length; i += AT_ONCE) {
    const some = rows.slice(i, i + AT_ONCE);
    const width = some[0]!.length;
    const places = some.map(
      (_, r) => `(${Array.from({ length: width }, (_, c) => `$${r * width + c + 1}`).join(', ')})`,
    );
    await store.run(`INSERT OR REPLACE INTO ${table} VALUES ${places.join(', ')}`, some.flat());
  }
}

async function forgetSource(store: Case, id: number): Promise<void> {
  for (const table of [
    ...FACT_TABLES.map((t) => t.name),
    ...Object.keys(DOCUMENT_TABLES),
    'unread_lines',
    'unread_counts',
    'appearances',
    'sources',
  ])
    await store.run(`DELETE FROM ${table} WHERE source_id = $1`, [id]);
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
