import type { Case } from '../case.js';
import type { Checkpoint } from './protocol.js';
import type { SourceState } from './writer.js';

/** Under which name content was met, and what told then whether it had changed. */
export interface Appearance {
  path: string;
  sourceId: number | null;
  storedBytes: number;
  mtimeMs: number | null;
  inode: number | null;
  sameAs: string | null;
  error: string | null;
  named: boolean;
}

/** Everything that the case knows of sources, in memory while evidence is read. */
export class Known {
  private next: number;

  private constructor(
    readonly sources: Map<number, SourceState>,
    readonly appearances: Map<string, Appearance>,
  ) {
    this.next = Math.max(0, ...sources.keys()) + 1;
  }

  static async of(store: Case): Promise<Known> {
    const sources = await store.rows(
      'SELECT *, epoch_us(first_at) AS first_us, epoch_us(last_at) AS last_us FROM sources',
    );
    const appearances = await store.rows('SELECT * FROM appearances');
    return new Known(
      new Map(sources.map((row) => [Number(row.source_id), sourceOf(row)])),
      new Map(
        appearances.map((row): [string, Appearance] => [
          String(row.path),
          {
            path: String(row.path),
            sourceId: row.source_id === null ? null : Number(row.source_id),
            storedBytes: Number(row.stored_bytes),
            mtimeMs: row.mtime_ms as number | null,
            inode: row.inode as number | null,
            sameAs: row.same_as as string | null,
            error: row.error as string | null,
            named: row.named as boolean,
          },
        ]),
      ),
    );
  }

  newSource(of: Pick<SourceState, 'host' | 'path' | 'stream' | 'kind'> & Partial<SourceState>): SourceState {
    const source: SourceState = {
      id: this.next++,
      format: null,
      choice: null,
      vhost: null,
      bytesKind: 'unknown',
      storedBytes: 0,
      readBytes: 0,
      lines: 0,
      records: 0,
      unread: 0,
      pending: 'no',
      first: null,
      last: null,
      error: null,
      head: null,
      checkpoints: [],
      complete: false,
      notModified: 0,
      bytesOn304: 0,
      ...of,
    };
    this.sources.set(source.id, source);
    return source;
  }
}

function sourceOf(row: Record<string, unknown>): SourceState {
  const seconds = (us: unknown) => (us === null ? null : Number(us) / 1e6);
  return {
    id: Number(row.source_id),
    host: String(row.host),
    path: String(row.path),
    stream: String(row.stream),
    kind: row.kind as SourceState['kind'],
    format: row.format as string | null,
    choice: row.choice as string | null,
    vhost: row.vhost as string | null,
    bytesKind: row.bytes_kind as SourceState['bytesKind'],
    storedBytes: Number(row.stored_bytes),
    readBytes: Number(row.read_bytes),
    lines: Number(row.lines),
    records: Number(row.records),
    unread: Number(row.unread),
    pending: String(row.pending),
    first: seconds(row.first_us),
    last: seconds(row.last_us),
    error: row.error as string | null,
    head: row.head as string | null,
    checkpoints: JSON.parse(String(row.checkpoints)) as Checkpoint[],
    complete: Boolean(row.complete),
    notModified: Number(row.not_modified),
    bytesOn304: Number(row.bytes_on_304),
  };
}
