import type { SourceReport } from '../../findings/finding.js';
import { bytesShort, count, dateRange } from './numbers.js';
import { type Names, shortNames } from './place.js';
import type { Screen } from './style.js';
import { type Column, table } from './table.js';
import { flow, hanging, indent, type Line, print, type Span, span, wrap } from './text.js';

/** Lines that could not be read, taken together by reason; place and excerpt are of the first. */
export interface UnreadLines {
  path: string;
  /** 0 when not known. */
  line: number;
  reason: string;
  excerpt: string;
  count: number;
}

const COLUMNS: Column[] = [
  { title: '' },
  { title: 'file', cut: 'middle', min: 14 },
  { title: 'format', priority: 3, cut: 'end', min: 10 },
  { title: 'size', align: 'right', priority: 2 },
  { title: 'records', align: 'right' },
  { title: 'unread', align: 'right' },
  { title: 'from – to', priority: 4 },
];

/** Everything that was handed over, and what became of it: grouped by stream, what went wrong below its file. */
export function renderSources(sources: SourceReport[], unread: UnreadLines[], opts: Screen): string {
  if (sources.length === 0) return print([[span('No evidence was read.')]], opts);
  const names = shortNames(sources.map((s) => s.path));
  const streams = byStream(sources);
  const ordered = streams.flat();
  const made = table(
    COLUMNS,
    ordered.map((s) => cells(s, names)),
    opts.width,
  );
  const [head = [], ...rows] = made.lines;
  const severalHosts = new Set(sources.map((s) => s.host)).size > 1;
  let next = 0;
  const body = streams.flatMap((parts, i) => {
    const isTitled = (stream: SourceReport[] | undefined) => severalHosts || (stream?.length ?? 0) > 1;
    return [
      // A blank line where a stream ends, or the next file would seem to be part of it.
      ...(i > 0 && (isTitled(parts) || isTitled(streams[i - 1])) ? [[]] : []),
      ...(isTitled(parts) ? streamTitle(parts, severalHosts, opts.width) : []),
      ...parts.flatMap((s) => [rows[next++]!, ...trouble(s, opts.width)]),
    ];
  });
  const hidden =
    made.leftOut.length === 0
      ? []
      : [[], ...wrap([span(`Left out for want of width: ${made.leftOut.join(', ')}`, 'dim')], opts.width)];
  return print(
    [head, ...body, [], ...summary(sources, opts.width), ...hidden, ...reasons(unread, opts.width)],
    opts,
  );
}

function byStream(sources: SourceReport[]): SourceReport[][] {
  const streams = new Map<string, SourceReport[]>();
  for (const s of sources) {
    const key = `${s.host}\n${s.stream}`;
    const parts = streams.get(key);
    if (parts) parts.push(s);
    else streams.set(key, [s]);
  }
  return [...streams.values()];
}

function cells(s: SourceReport, names: Names): (Span | string)[] {
  const isTrouble = s.error !== undefined || s.unread > 0;
  const mark =
    s.sameAs !== undefined ? span('=', 'dim') : isTrouble ? span('!', 'warning') : span('✓', 'good');
  return [
    mark,
    names(s.path),
    s.format ?? span('not recognised', 'warning'),
    bytesShort(s.bytes),
    count(s.records),
    s.unread > 0 ? span(count(s.unread), 'warning') : span('0', 'dim'),
    span(s.first === null ? '' : dateRange(s.first, s.last), 'dim'),
  ];
}

function streamTitle(parts: SourceReport[], severalHosts: boolean, width: number): Line[] {
  const [first] = parts;
  const named: Line[] = severalHosts
    ? [[span(first!.host, 'strong')], [span(first!.stream)]]
    : [[span(first!.stream)]];
  const files: Line[] = parts.length > 1 ? [[span(`${count(parts.length)} files`, 'dim')]] : [];
  return flow([...named, ...files], width);
}

function trouble(s: SourceReport, width: number): Line[] {
  const same =
    s.sameAs === undefined ? [] : hanging([span(`same content as ${s.sameAs}, read once`, 'dim')], width - 5);
  const error = s.error === undefined ? [] : hanging([span(s.error, 'warning')], width - 5);
  return indent([...same, ...error], 5);
}

function summary(sources: SourceReport[], width: number): Line[] {
  const read = sources.filter((s) => s.sameAs === undefined);
  const sum = (of: (s: SourceReport) => number) => read.reduce((total, s) => total + of(s), 0);
  const unread = sum((s) => s.unread);
  const same = sources.length - read.length;
  const parts: Line[] = [
    [span(`${count(sources.length)} ${sources.length === 1 ? 'file' : 'files'}`)],
    ...(same > 0 ? [[span(`${count(same)} with the content of another`)]] : []),
    [span(bytesShort(sum((s) => s.bytes)))],
    [span(`${count(sum((s) => s.records))} records`)],
    [span(`${count(unread)} unread`, unread > 0 ? 'warning' : 'plain')],
  ];
  return flow(parts, width);
}

function reasons(unread: UnreadLines[], width: number): Line[] {
  if (unread.length === 0) return [];
  const blocks = [...unread]
    .sort((a, b) => b.count - a.count)
    .flatMap((u) => [
      ...hanging([span(`${count(u.count)} × `, 'strong'), span(u.reason)], width),
      ...indent(wrap([span(u.line > 0 ? `${u.path}:${u.line}` : u.path, 'dim')], width - 2), 2),
      ...indent(wrap([span(u.excerpt)], width - 4), 4),
    ]);
  return [[], [span('What could not be read, and where first', 'strong')], ...blocks];
}
