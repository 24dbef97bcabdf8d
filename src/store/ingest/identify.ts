import { type Piece, streamName, vhostFromName } from '../../evidence/evidence.js';
import { detectAccessLog, linesRead } from '../../formats/access-log/detect.js';
import { type FormatChoice, type TextFormat, withFallbacks } from '../../formats/access-log/formats.js';
import { detectCapture } from '../../formats/capture/detect.js';
import { type DocumentFormat, detectDocument } from '../../formats/documents.js';
import { detectEximLog } from '../../formats/exim-log/detect.js';
import type { BulkFormat, How } from '../../formats/formats.js';
import { detectPostfixLog } from '../../formats/postfix-log/detect.js';
import { type PostfixHow, PostfixLogReader } from '../../formats/postfix-log/log-reader.js';
import {
  definitionOf,
  type LogDefinition,
  logDefinitions,
  resolved,
  serverOf,
} from '../../formats/server-config/log-definitions.js';
import { withYear } from '../../formats/syslog/times.js';

/** What a piece of evidence is, as far as its beginning tells. */
export type Identity =
  | { kind: BulkFormat; stream: string; how: How; vhost: string | null }
  | { kind: 'server-config'; stream: string; format: string; records: number }
  | { kind: 'document'; stream: string; format: DocumentFormat }
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
  const identities = pieces.map((piece, i): Identity => {
    const stream = streamName(piece.path);
    const config = configs[i];
    if (config)
      return {
        kind: 'server-config',
        stream: piece.path,
        format: `${config.server}-config`,
        records: config.formats.size + config.logs.length,
      };
    const log =
      asCapture(piece, stream) ?? asMailLog(piece, stream) ?? asLog(piece, stream, given, definitions);
    if (log) return log;
    const format = detectDocument(piece.head, piece.path);
    if (format) return { kind: 'document', stream: piece.path, format };
    return { kind: 'other', stream, why: whyNot(piece) };
  });
  giveYears(pieces, identities);
  return identities;
}

/**
 * Lines without a year are of the year that the file's own date and its younger neighbours in the stream allow:
 * no line is later than its file, nor than the first line of the file that follows it.
 */
function giveYears(pieces: Piece[], identities: Identity[]): void {
  const streams = new Map<string, number[]>();
  for (const [i, identity] of identities.entries())
    if ('how' in identity && identity.how.format === 'postfix-log' && identity.how.how.stamp === 'rfc3164')
      streams.set(identity.stream, [...(streams.get(identity.stream) ?? []), i]);
  for (const members of streams.values()) {
    let next = Number.POSITIVE_INFINITY;
    for (const i of members.toSorted((a, b) => rotation(pieces[a]!.path) - rotation(pieces[b]!.path))) {
      const identity = identities[i]!;
      if (!('how' in identity) || identity.how.format !== 'postfix-log') continue;
      const written = (pieces[i]!.mtimeMs ?? Date.now()) / 1000;
      const how = withYear(identity.how.how, Math.min(written, next));
      identity.how = { format: 'postfix-log', how };
      const first = firstOf(how, pieces[i]!.head);
      if (first < next) next = first;
    }
  }
}

/** The wall time of the first records of a head; infinite for none. */
function firstOf(how: PostfixHow, head: Uint8Array): number {
  let first = Number.POSITIVE_INFINITY;
  const reader = new PostfixLogReader(how, [0, 0], ({ tally }) => {
    if (tally.first < first) first = tally.first;
  });
  reader.feed(head.subarray(0, head.lastIndexOf(10) + 1));
  reader.finish(false);
  return first;
}

/** `mail.log.12.gz` → 12; no number: the newest. */
export function rotation(path: string): number {
  const m = /\.(\d{1,4})(?:\.\w+)?$/.exec(path);
  return m ? Number(m[1]) : 0;
}

function asCapture({ head, path }: Piece, stream: string): Identity | null {
  const capture = detectCapture(head, path);
  return capture
    ? { kind: 'capture', stream, how: { format: 'capture', how: capture.how }, vhost: null }
    : null;
}

function asMailLog({ head, path }: Piece, stream: string): Identity | null {
  const exim = detectEximLog(head, path);
  if (exim) return { kind: 'exim-log', stream, how: { format: 'exim-log', how: exim.how }, vhost: null };
  const postfix = detectPostfixLog(head, path);
  if (!postfix) return null;
  return { kind: 'postfix-log', stream, how: { format: 'postfix-log', how: postfix.how }, vhost: null };
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
