import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Command } from 'commander';
import {
  drawingNotWritten,
  noConnection,
  noEnd,
  notOurDrawing,
  severalConnections,
  whichConnection,
} from '../errors/connection.js';
import {
  type ConnectionQuery,
  connectionStory,
  findConnections,
  hasConnections,
  type QueryEnd,
} from '../investigations/mail/connection.js';
import { connectionJson, connectionsJson } from '../report/json/connection-json.js';
import { timeSequenceSvg } from '../report/svg/time-sequence.js';
import { renderConnection, renderConnections } from '../report/terminal/why-connection.js';
import { CASE_OPTION, type CaseOption, withCase } from './case-option.js';
import { print, screen } from './output.js';

interface WhyConnectionOptions extends CaseOption {
  packet?: string;
  capture?: string;
  svg?: string;
  json?: boolean;
}

export function addWhyConnection(why: Command): void {
  why
    .command('connection')
    .summary('one TCP connection of a capture, in words and drawn')
    .description(
      `Tells one TCP connection of a capture: the handshake with what both sides offered, the phases of SMTP where they
are in clear, where it stalled, what was sent again, closed windows, pauses, and how it ended; each with its packets.
Below that, its time–sequence graph.

CONNECTION is one end or both (A:PORT, A:PORT-B:PORT, [fd80::1]:25), or the number of one of its packets.`,
    )
    .argument('[connection]', 'ADDRESS:PORT, ADDRESS:PORT-ADDRESS:PORT, or a packet number')
    .option('--packet <number>', 'the connection that this packet belongs to')
    .option('--capture <path>', 'only captures with this in their path')
    .option('--svg <file>', 'write the time–sequence graph as SVG')
    .option(...CASE_OPTION)
    .option('--json', 'print it as JSON (docs/json.md)')
    .addHelpText(
      'after',
      `
Exit status: 0 told, 2 no connection fits, or several do: then they are listed.

Examples:
  culprit why connection 10.0.0.2:40112
  culprit why connection --packet 705 --svg stalled.svg`,
    )
    .action((text: string | undefined, options: WhyConnectionOptions) => {
      const query = connectionQuery(text, options);
      return withCase(options, async (store) => {
        const { total, found } = await findConnections(store, query);
        const [only, another] = found;
        if (!only) throw noConnection(askedFor(text, options), store.path, await hasConnections(store));
        if (another) {
          print(
            options.json
              ? connectionsJson(store.path, total, found)
              : renderConnections(found, total, screen()),
          );
          throw severalConnections(total, store.path);
        }
        const story = await connectionStory(store, only);
        if (options.svg !== undefined) writeDrawing(options.svg, timeSequenceSvg(story));
        print(options.json ? connectionJson(store.path, story) : renderConnection(story, screen()));
      });
    });
}

const askedFor = (text: string | undefined, { packet, capture }: WhyConnectionOptions): string =>
  [
    text === undefined || /^\d+$/.test(text) ? `number ${packet ?? text}` : `from or to ${text}`,
    ...(capture === undefined ? [] : [`in ${capture}`]),
  ].join(' ');

/** What the command line means. Addresses are written as the capture reader writes them (RFC 5952). */
export function connectionQuery(
  text: string | undefined,
  options: { packet?: string; capture?: string },
): ConnectionQuery {
  const query: ConnectionQuery = {};
  if (options.capture !== undefined) query.capture = options.capture;
  if (options.packet !== undefined) query.packet = packetNumber(options.packet);
  if (text === undefined) {
    if (query.packet === undefined) throw whichConnection();
    return query;
  }
  if (/^\d+$/.test(text.trim())) {
    query.packet = packetNumber(text.trim());
    return query;
  }
  // No address has a - in it.
  const [a = '', b, ...more] = text.split('-');
  if (more.length > 0) throw noEnd(text);
  query.ends = b === undefined ? [endOf(a, text)] : [endOf(a, text), endOf(b, text)];
  return query;
}

function packetNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < 1 || number > 0xffff_ffff) throw noEnd(text);
  return number;
}

function endOf(text: string, whole: string): QueryEnd {
  const m = /^\s*(?:\[([0-9a-f:.]{2,45})\]|([0-9.]{7,15})|([0-9a-f:.]{2,45}))(?::(\d{1,5}))?\s*$/i.exec(text);
  const [v6, v4, bare, port] = [m?.[1], m?.[2], m?.[3], m?.[4]];
  if (port !== undefined && Number(port) > 65_535) throw noEnd(whole);
  const withPort = port === undefined ? {} : { port: Number(port) };
  if (v4 !== undefined && isIP(v4) === 4) return { ip: v4, ...withPort };
  if (v6 !== undefined && isIP(v6) === 6) return { ip: canonical(v6), ...withPort };
  // Without brackets the last group of an IPv6 address may look like a port: it is taken as part of the address.
  if (bare !== undefined && isIP(text.trim()) === 6) return { ip: canonical(text.trim()) };
  throw noEnd(whole);
}

/** As RFC 5952 writes it, which is what the URL standard's serialiser does. */
const canonical = (ip: string): string => new URL(`http://[${ip}]/`).hostname.slice(1, -1);

/** Writes the drawing. A file that is something else stays what it is: it may be evidence. */
function writeDrawing(path: string, svg: string): void {
  try {
    if (!isDrawing(path)) throw notOurDrawing(path);
    writeFileSync(path, svg);
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw drawingNotWritten(path, error);
    throw error;
  }
}

/** Whether there is no such file, or an SVG. */
function isDrawing(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  try {
    const head = Buffer.alloc(4);
    const length = readSync(file, head, 0, 4, 0);
    return length === 0 || head.toString('latin1') === '<svg';
  } finally {
    closeSync(file);
  }
}
