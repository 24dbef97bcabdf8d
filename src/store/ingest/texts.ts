import type { TextTable } from '../../formats/bulk.js';
import { type Additions, HashIndex } from '../../formats/dictionary.js';
import { FACT_TABLES, TEXTS } from '../../formats/formats.js';
import { BulkAppender } from '../append.js';
import type { Case } from '../case.js';

/**
 * Entries that one dictionary's index holds in memory. Past that it starts again: a text met again gets a second
 * id, and `unite` makes them one at the end. So memory is bounded whatever the logs hold.
 */
const MOST = 1 << 19;

/** The case's dictionaries: from each thread's ids to the ids of the case. */
export class Texts {
  private readonly maps = new Map<string, Int32Array>();

  private constructor(
    private readonly store: Case,
    private readonly tables: Record<
      TextTable,
      { index: HashIndex; last: number; appender: BulkAppender; split: boolean }
    >,
  ) {}

  static async of(store: Case): Promise<Texts> {
    const tables = {} as Texts['tables'];
    for (const name of TEXTS) {
      const index = new HashIndex();
      let last = 0;
      const result = await store.connection.stream(
        `SELECT id, hash_a, hash_b FROM ${name}_texts WHERE id > 0 ORDER BY id DESC LIMIT ${MOST}`,
      );
      for (
        let chunk = await result.fetchChunk();
        chunk && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      )
        for (const [id, a, b] of chunk.getRows() as [number, number, number][]) {
          if (index.find(a, b) === 0) index.add(a, b, id);
          last = Math.max(last, id);
        }
      const appender = await BulkAppender.to(store, `${name}_texts`);
      tables[name] = { index, last, appender, split: last > MOST };
    }
    return new Texts(store, tables);
  }

  /** The id of one text that no log line holds, such as a source's default virtual host. */
  async idOf(name: TextTable, text: string): Promise<number> {
    this.flush();
    const known = await this.store.row<{ id: number }>(
      `SELECT min(id) AS id FROM ${name}_texts WHERE text = $1`,
      [text],
    );
    if (typeof known?.id === 'number') return known.id;
    const id = ++this.tables[name].last;
    await this.store.run(`INSERT INTO ${name}_texts VALUES ($1, 0, 0, $2)`, [id, text]);
    this.tables[name].split = true;
    return id;
  }

  /** Takes what a thread has added. Must be called in the order in which the thread sent it. */
  add(worker: number, name: TextTable, additions: Additions): void {
    const table = this.tables[name];
    const key = `${worker} ${name}`;
    const old = additions.restarted ? undefined : this.maps.get(key);
    const from = old?.[0] ?? 0;
    // The map's first element counts its ids; id n of the thread is at n.
    const map = grown(old, from + additions.count + 1);
    const fresh: number[] = [];
    for (let i = 0; i < additions.count; i++) {
      const a = additions.hashes[i * 2]!;
      const b = additions.hashes[i * 2 + 1]!;
      let id = table.index.find(a, b);
      if (id === 0) {
        if (table.index.size >= MOST) {
          table.index.clear();
          table.split = true;
        }
        id = ++table.last;
        table.index.add(a, b, id);
        fresh.push(i);
      }
      map[from + i + 1] = id;
    }
    map[0] = from + additions.count;
    this.maps.set(key, map);
    if (fresh.length > 0) this.append(name, additions, fresh);
  }

  /** Turns a thread's ids into the case's, in place; `absent` is what 0 becomes. */
  translate(worker: number, name: TextTable, ids: Int32Array, count: number, absent: number): void {
    const map = this.maps.get(`${worker} ${name}`);
    for (let i = 0; i < count; i++) {
      const id = ids[i]!;
      ids[i] = id === 0 ? absent : map![id]!;
    }
  }

  private append(name: TextTable, { bytes, ends, hashes }: Additions, fresh: number[]): void {
    const table = this.tables[name];
    const count = fresh.length;
    const firstId = table.last - count + 1;
    const id = new Int32Array(count);
    const a = new Int32Array(count);
    const b = new Int32Array(count);
    const texts: Uint8Array[] = [];
    for (const [k, i] of fresh.entries()) {
      id[k] = firstId + k;
      a[k] = hashes[i * 2]!;
      b[k] = hashes[i * 2 + 1]!;
      texts.push(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!));
    }
    table.appender.append(count, [
      { numbers: id, width: 4 },
      { numbers: a, width: 4 },
      { numbers: b, width: 4 },
      { texts },
    ]);
  }

  flush(): void {
    for (const name of TEXTS) this.tables[name].appender.flush();
  }

  /** Dictionaries in which a text may have more than one id. */
  get split(): TextTable[] {
    return TEXTS.filter((name) => this.tables[name].split);
  }

  close(): void {
    for (const name of TEXTS) this.tables[name].appender.close();
  }
}

function grown(old: Int32Array | undefined, least: number): Int32Array {
  if (old && old.length >= least) return old;
  const wider = new Int32Array(Math.max(1024, least * 2));
  if (old) wider.set(old);
  return wider;
}

/** Makes one id of the several that a text may have got, in the facts and in the dictionaries. */
export async function unite(store: Case, names: TextTable[]): Promise<void> {
  for (const name of names) {
    const twice = await store.row<{ n: bigint }>(
      `SELECT count(*) AS n FROM (SELECT text FROM ${name}_texts WHERE id > 0 GROUP BY text HAVING count(*) > 1)`,
    );
    if (!twice || twice.n === 0n) continue;
    await store.run('BEGIN');
    await store.run(
      `CREATE OR REPLACE TEMP TABLE one_id AS
       SELECT id, kept FROM (SELECT id, min(id) OVER (PARTITION BY text) AS kept FROM ${name}_texts WHERE id > 0)
       WHERE id <> kept`,
    );
    for (const table of FACT_TABLES)
      for (const column of table.columns)
        if (column.text === name)
          await store.run(
            `UPDATE ${table.name} SET ${column.name} = one_id.kept FROM one_id WHERE one_id.id = ${table.name}.${column.name}`,
          );
    await store.run(`DELETE FROM ${name}_texts WHERE id IN (SELECT id FROM one_id)`);
    await store.run('COMMIT');
  }
}
