import { readFileSync } from 'node:fs';
import type { Batch } from '../src/formats/bulk.js';
import { TcpAnalysis } from '../src/formats/capture/analysis.js';
import { PACKET_FACTS } from '../src/formats/capture/columns.js';
import { detectCapture } from '../src/formats/capture/detect.js';
import { CaptureReader } from '../src/formats/capture/reader.js';
import { BulkAppender } from '../src/store/append.js';
import { CAPTURE_SCHEMA } from '../src/store/capture-schema.js';
import { Case } from '../src/store/case.js';

/** A case in memory that holds these captures' packets, each file a source, numbered from 1. */
export async function captureCase(paths: string[]): Promise<Case> {
  const store = await Case.open(':memory:');
  const there = await store.row("SELECT 1 AS yes FROM duckdb_tables() WHERE table_name = 'connection_facts'");
  if (!there) {
    const columns = PACKET_FACTS.columns.map(({ name, type }) => `${name} ${type}`);
    await store.connection.run(
      `CREATE TABLE IF NOT EXISTS packet_facts (source_id INTEGER NOT NULL, ${columns.join(', ')}); ${CAPTURE_SCHEMA}`,
    );
  }
  let known = 0;
  for (const [i, path] of paths.entries()) {
    await store.run(
      `INSERT INTO sources (source_id, host, path, stream, kind, bytes_kind, stored_bytes, read_bytes, lines, records, unread,
         pending, checkpoints, complete, not_modified, bytes_on_304)
       VALUES ($1, 'mx1', $2, '', 'capture', 'unknown', 0, 0, 0, 0, 0, 'no', '[]', true, 0, 0)`,
      [i + 1, path],
    );
    known += await take(store, i + 1, path, known);
  }
  return store;
}

/** Appends a capture's packets; gives the number of addresses that it added. */
async function take(store: Case, sourceId: number, path: string, known: number): Promise<number> {
  const bytes = readFileSync(path);
  const found = detectCapture(bytes, path);
  if (!found) throw new Error(`${path} is no capture`);
  const batches: Batch[] = [];
  const reader = new CaptureReader(
    found.how,
    [1, 2],
    (batch) => batches.push(batch),
    undefined,
    new TcpAnalysis(),
  );
  reader.feed(bytes);
  reader.finish(false);
  const packets = await BulkAppender.to(store, 'packet_facts');
  let line = 1;
  let added = 0;
  for (const batch of batches) {
    const fresh = batch.additions.mail_ip;
    for (let i = 0, from = 0; i < (fresh?.count ?? 0); from = fresh!.ends[i++]!) {
      const text = Buffer.from(fresh!.bytes.subarray(from, fresh!.ends[i])).toString('latin1');
      await store.run('INSERT INTO mail_ip_texts VALUES ($1, 0, 0, $2)', [known + ++added, text]);
    }
    const columns = batch.columns.map((column, c) => {
      const { name } = PACKET_FACTS.columns[c]!;
      const shift = name === 'line' ? line : name === 'src_ip_id' || name === 'dst_ip_id' ? known : 0;
      if (shift === 0) return column;
      const numbers = Uint32Array.from(column.numbers as unknown as ArrayLike<number>, (n) =>
        name === 'line' || n > 0 ? n + shift : 0,
      );
      return { ...column, numbers };
    });
    packets.append(batch.count, [
      { numbers: new Int32Array(batch.count).fill(sourceId), width: 4 },
      ...columns,
    ]);
    line += batch.tally.lines;
  }
  packets.close();
  return added;
}
