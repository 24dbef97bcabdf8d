import { type Piece, streamName, vhostFromName } from '../../evidence/evidence.js';
import { detectAccessLog, linesRead } from '../../formats/access-log/detect.js';
import { type FormatChoice, type TextFormat, withFallbacks } from '../../formats/access-log/formats.js';
import type { BulkFormat, How } from '../../formats/formats.js';
import {
  definitionOf,
  type LogDefinition,
  logDefinitions,
  resolved,
  serverOf,
} from '../../formats/server-config/log-definitions.js';

/** What a piece of evidence is, as far as its beginning tells. */
export type Identity =
  | { kind: BulkFormat; stream: string; how: How; vhost: string | null }
  | { kind: 'server-config'; stream: string; format: string; records: number }
  | { kind: 'other'; stream: string; why: string };

/**
 * Says of each piece what it is. The configuration among the evidence is looked at first, because it tells how
 * the logs are written and for whom; what the user says (`--log-format`) goes before both.
 */
export function identify(pieces: Piece[], given: TextFormat | null): Identity[] {
  const configs = pieces.map((piece) => {
    const server = detectAccessLog(piece.head, piece.path) ? null : serverOf(piece.head);
    return server ? logDefinitions(server, Buffer.from(piece.head).toString('utf8')) : null;
  });
  const definitions = resolved(configs.filter((c) => c !== null));
  return pieces.map((piece, i) => {
    const stream = streamName(piece.path);
    const config = configs[i];
    if (config)
      return {
        kind: 'server-config',
        stream: piece.path,
        format: `${config.server}-config`,
        records: config.formats.size + config.logs.length,
      };
    return asLog(piece, stream, given, definitions) ?? { kind: 'other', stream, why: whyNot(piece) };
  });
}

function asLog(
  piece: Piece,
  stream: string,
  given: TextFormat | null,
  definitions: LogDefinition[],
): Identity | null {
  const definition = definitionOf(stream, definitions);
  const detected = detectAccessLog(piece.head, piece.path);
  const vhost = definition?.vhost ?? vhostFromName(piece.path);
  const accessLog = (choice: FormatChoice): Identity => ({
    kind: 'access-log',
    stream,
    how: { format: 'access-log', choice },
    vhost,
  });
  const configured = [given, definition?.format ?? null].filter((f) => f !== null);
  for (const format of configured) {
    const choice = withFallbacks(format);
    // Only its own lines count: the fallbacks would take many lines of any log.
    const fits = linesRead({ kind: 'text', formats: [format] }, piece.head);
    if (fits.read > 0 && fits.read >= (detected?.read ?? 0) / 2) return accessLog(choice);
  }
  if (!detected) return null;
  return accessLog(detected.choice);
}

function whyNot({ head }: Piece): string {
  if (head.length === 0) return 'empty';
  let control = 0;
  const sample = head.subarray(0, 4096);
  for (const b of sample) if (b === 0 || (b < 32 && b !== 9 && b !== 10 && b !== 13 && b !== 27)) control++;
  if (control * 10 > sample.length || sample.includes(0)) return 'not recognised: binary';
  return 'not recognised: no format that culprit knows';
}
