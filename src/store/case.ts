import { createHash, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import { CulpritError } from '../errors/culprit-error.js';
import { CASE_VERSION, SCHEMA } from './schema.js';

export type Value = DuckDBValue;
export type Row = Record<string, Value>;

/** How a case is opened. Memory is DuckDB's own limit, e.g. `1GB`. */
export interface OpenOptions {
  readOnly?: boolean;
  memory?: string;
  threads?: number;
}

/**
 * The store of everything read, plus the findings: one DuckDB file. Every query goes through here, with
 * parameters; nothing of the evidence ever becomes SQL text.
 */
export class Case {
  private constructor(
    readonly path: string,
    private readonly instance: DuckDBInstance,
    readonly connection: DuckDBConnection,
  ) {}

  /** Opens a case, or makes it. Errors: it is in use, is no case, or was made by another version. */
  static async open(path: string, options: OpenOptions = {}): Promise<Case> {
    const fresh = path === ':memory:' || !existsSync(path);
    if (fresh && options.readOnly) throw noCase(path);
    if (fresh && path !== ':memory:') mkdirSync(dirname(resolve(path)), { recursive: true, mode: 0o700 });
    // Most of the time that a start takes: not for --help.
    const { DuckDBInstance } = await import('@duckdb/node-api');
    let instance: DuckDBInstance;
    try {
      instance = await DuckDBInstance.create(path, {
        access_mode: options.readOnly ? 'READ_ONLY' : 'READ_WRITE',
        memory_limit: options.memory ?? '1GB',
        ...(options.threads ? { threads: String(options.threads) } : {}),
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        ...(path === ':memory:' ? {} : { temp_directory: `${path}.tmp` }),
        // Nothing that a query says may reach files, the network or extensions. Last: it locks the folders above.
        enable_external_access: 'false',
      });
    } catch (error) {
      throw cannotOpen(path, error);
    }
    const connection = await instance.connect();
    const opened = new Case(path, instance, connection);
    // Dictionary ids are small and dense: up to 2^17 of them are counted in an array, not in a hash table.
    await opened.run('SET perfect_ht_threshold = 17');
    if (!options.readOnly) {
      await opened.run('SET preserve_insertion_order = true');
      // A big transaction writes its row groups straight to the file; a checkpoint every 16 MB would only pause it.
      await opened.run("SET checkpoint_threshold = '1GB'");
    }
    // A run that was killed between making the file and making its tables leaves a database with nothing in it.
    if (fresh || (await opened.isEmpty())) {
      if (options.readOnly) {
        opened.close();
        throw noCase(path);
      }
      await opened.create();
    } else await opened.expectVersion();
    return opened;
  }

  private async isEmpty(): Promise<boolean> {
    const row = await this.row<{ n: bigint }>(
      'SELECT (SELECT count(*) FROM duckdb_tables()) + (SELECT count(*) FROM duckdb_views() WHERE NOT internal) AS n',
    );
    return row?.n === 0n;
  }

  private async create(): Promise<void> {
    await this.run('BEGIN');
    await this.connection.run(SCHEMA);
    const facts: [string, string][] = [
      ['version', String(CASE_VERSION)],
      ['hash_seed_a', String(randomInt(2 ** 31))],
      ['hash_seed_b', String(randomInt(2 ** 31))],
    ];
    for (const [name, value] of facts)
      await this.run('INSERT INTO case_facts VALUES ($1, $2)', [name, value]);
    await this.run('COMMIT');
  }

  private async expectVersion(): Promise<void> {
    let version: Value | undefined;
    try {
      version = (await this.row("SELECT value FROM case_facts WHERE name = 'version'"))?.value;
    } catch (error) {
      this.close();
      throw new CulpritError(
        {
          what: 'this file is not a case of culprit',
          why: 'it is a DuckDB database, but has none of culprit’s tables',
          at: this.path,
          help: 'give --case another path, or leave it out',
        },
        error,
      );
    }
    if (version === String(CASE_VERSION)) return;
    this.close();
    throw new CulpritError({
      what: 'this case was made by another version of culprit',
      why: `its tables have version ${version}, this culprit writes version ${CASE_VERSION}`,
      at: this.path,
      help: `remove it (rm '${this.path}') and run culprit on the evidence again`,
    });
  }

  async run(sql: string, values?: Value[]): Promise<void> {
    await this.connection.run(sql, values);
  }

  async rows<T extends object = Row>(sql: string, values?: Value[]): Promise<T[]> {
    return (await this.connection.runAndReadAll(sql, values)).getRowObjects() as unknown as T[];
  }

  async row<T extends object = Row>(sql: string, values?: Value[]): Promise<T | undefined> {
    return (await this.rows<T>(sql, values))[0];
  }

  async fact(name: string): Promise<string | null> {
    const row = await this.row<{ value: string }>('SELECT value FROM case_facts WHERE name = $1', [name]);
    return row?.value ?? null;
  }

  async setFact(name: string, value: string): Promise<void> {
    await this.run('INSERT OR REPLACE INTO case_facts VALUES ($1, $2)', [name, value]);
  }

  /** What the hashes of this case's dictionaries are keyed with. */
  async hashSeeds(): Promise<[number, number]> {
    return [Number(await this.fact('hash_seed_a')), Number(await this.fact('hash_seed_b'))];
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** Where cases live: $XDG_STATE_HOME/culprit/cases. */
function casesFolder(): string {
  const state = process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  return join(state, 'culprit', 'cases');
}

/** The case that belongs to these evidence paths: the same paths, the same case, so that nothing is read twice. */
export function caseFor(paths: string[], host: string | null): string {
  const key = JSON.stringify([...paths.map((p) => (p === '-' ? p : resolve(p))).toSorted(), host]);
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 10);
  const label = (paths.length === 0 ? 'this-machine' : basename(resolve(paths[0]!)))
    .replace(/[^\w.-]+/g, '_')
    .slice(0, 40);
  return join(casesFolder(), `${label}-${digest}.duckdb`);
}

/** The case that was written last, for the commands that follow `examine`. */
export function newestCase(): string {
  const folder = casesFolder();
  const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.duckdb')) : [];
  const newest = files
    .map((f) => join(folder, f))
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .toSorted((a, b) => b.at - a.at)[0];
  if (!newest) throw noCase(folder);
  return newest.path;
}

/** Removes a case and what DuckDB keeps beside it. */
export function removeCase(path: string): void {
  for (const suffix of ['', '.wal', '.tmp']) rmSync(path + suffix, { force: true, recursive: true });
}

function noCase(path: string): CulpritError {
  return new CulpritError({
    what: 'there is no case yet',
    why: 'this command works on what `culprit examine` has read',
    at: path,
    help: 'run `culprit examine PATH…` first, or name a case with --case FILE',
  });
}

function cannotOpen(path: string, error: unknown): CulpritError {
  const why = error instanceof Error ? error.message : String(error);
  const locked = /lock/i.test(why);
  const foreign = /not a valid DuckDB|serialized|storage version/i.test(why);
  return new CulpritError(
    {
      what: locked ? 'this case is in use' : 'cannot open this case',
      why: locked ? 'another culprit is working on it' : why.split('\n')[0]!,
      at: path,
      help: locked
        ? 'wait until the other one has finished, or give --case another path'
        : foreign
          ? 'this file is no case: give --case another path'
          : 'check the permissions of the file and its folder, or give --case another path',
    },
    error,
  );
}
