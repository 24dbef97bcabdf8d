import { createReadStream } from 'node:fs';
import { decompress, type Limits, type Piece, readMembers } from '../../evidence/evidence.js';
import {
  DOCUMENT_TABLES,
  type DocumentFormat,
  readDocuments,
  readTogether,
} from '../../formats/documents.js';
import type { Case } from '../case.js';
import type { SourceState } from './writer.js';

/** A larger file is no document that a program is configured by or prints. */
const LARGEST = 16 << 20;
/** Of each source, to be shown; the counts are complete. */
const MOST_SAMPLES = 100;
const EXCERPT = 200;

export interface Document {
  piece: Piece;
  format: DocumentFormat;
  source: SourceState;
}

/**
 * Reads documents into the tables of the case, in the transaction that is open: all rows of each source anew, for
 * they are few. Counts and errors go to the sources.
 */
export async function storeDocuments(
  store: Case,
  documents: Document[],
  limits: Limits,
  pipe: AsyncIterable<Uint8Array> | null,
): Promise<void> {
  if (documents.length === 0) return;
  const texts = await textsOf(documents, limits, pipe);
  for (const { source } of documents) {
    for (const table of [...Object.keys(DOCUMENT_TABLES), 'unread_lines', 'unread_counts'])
      await store.run(`DELETE FROM ${table} WHERE source_id = $1`, [source.id]);
    Object.assign(source, { records: 0, unread: 0, lines: 0, error: null });
  }
  for (const set of setsOf(documents)) {
    const readable = set.filter((d) => {
      const { error } = texts.get(d)!;
      d.source.error = error;
      return error === null || texts.get(d)!.text !== '';
    });
    if (readable.length === 0) continue;
    const read = readDocuments(
      set[0]!.format,
      readable.map((d) => ({ path: d.piece.path, text: texts.get(d)!.text })),
    );
    for (const [i, { lines, unread }] of read.files.entries()) {
      const { source } = readable[i]!;
      const text = texts.get(readable[i]!)!.text.split('\n');
      Object.assign(source, { lines, unread: unread.length, records: lines - unread.length });
      for (const { line, reason } of unread.slice(0, MOST_SAMPLES))
        await store.run('INSERT INTO unread_lines VALUES ($1, $2, $3, $4)', [
          source.id,
          line,
          reason,
          (text[line - 1] ?? '').slice(0, EXCERPT).replaceAll('\0', '\u2400'),
        ]);
      const reasons = new Map<string, number>();
      for (const { reason } of unread) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      for (const [reason, n] of reasons)
        await store.run('INSERT INTO unread_counts VALUES ($1, $2, $3)', [source.id, reason, n]);
    }
    await insertRows(
      store,
      read.rows.map((r) => ({ ...r, source: readable[r.file]!.source.id })),
    );
  }
}

/** Configuration of one program on one host is one set; everything else stands by itself. */
function setsOf(documents: Document[]): Document[][] {
  const sets = new Map<string, Document[]>();
  for (const d of documents) {
    const key = readTogether(d.format) ? `${d.format} ${d.source.host}` : `${d.source.id}`;
    sets.set(key, [...(sets.get(key) ?? []), d]);
  }
  return [...sets.values()];
}

type Texts = Map<Document, { text: string; error: string | null }>;

async function textsOf(
  documents: Document[],
  limits: Limits,
  pipe: AsyncIterable<Uint8Array> | null,
): Promise<Texts> {
  const texts: Texts = new Map();
  const archives = new Map<string, Document[]>();
  for (const d of documents) {
    const { piece } = d;
    if (piece.member) archives.set(piece.member.archive, [...(archives.get(piece.member.archive) ?? []), d]);
    else if (piece.file !== null)
      texts.set(d, await textOf(decompress(piece.codec, createReadStream(piece.file), limits)));
    else texts.set(d, await textOf(pipe!));
  }
  for (const [archive, members] of archives) {
    const byIndex = new Map(members.map((d) => [d.piece.member!.index, d]));
    const codec = members[0]!.piece.member!.archiveCodec;
    try {
      await readMembers({ file: archive, codec }, new Set(byIndex.keys()), limits, async (index, bytes) => {
        texts.set(byIndex.get(index)!, await textOf(bytes));
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      for (const d of members) if (!texts.has(d)) texts.set(d, { text: '', error: why });
    }
    for (const d of members)
      if (!texts.has(d)) texts.set(d, { text: '', error: 'is no longer in the archive' });
  }
  return texts;
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<{ text: string; error: string | null }> {
  const parts: Uint8Array[] = [];
  let size = 0;
  let error: string | null = null;
  try {
    for await (const part of bytes) {
      size += part.length;
      if (size > LARGEST) return { text: '', error: `larger than ${LARGEST >> 20} MB: not read` };
      parts.push(part);
    }
  } catch (problem) {
    error = problem instanceof Error ? problem.message : String(problem);
  }
  return { text: Buffer.concat(parts).toString('utf8'), error };
}

async function insertRows(
  store: Case,
  rows: {
    table: keyof typeof DOCUMENT_TABLES;
    cells: (string | number | boolean | null)[];
    source: number;
  }[],
): Promise<void> {
  for (const [table, some] of grouped(rows))
    for (let i = 0; i < some.length; i += 100) {
      const part = some.slice(i, i + 100);
      const width = part[0]!.cells.length + 1;
      const places = part.map(
        (_, r) => `(${Array.from({ length: width }, (_, c) => `$${r * width + c + 1}`).join(', ')})`,
      );
      await store.run(
        `INSERT INTO ${table} VALUES ${places.join(', ')}`,
        part.flatMap((r) => [r.source, ...r.cells]),
      );
    }
}

function grouped<T extends { table: string }>(rows: T[]): Map<T['table'], T[]> {
  const groups = new Map<T['table'], T[]>();
  for (const row of rows) {
    const list = groups.get(row.table);
    if (list) list.push(row);
    else groups.set(row.table, [row]);
  }
  return groups;
}
