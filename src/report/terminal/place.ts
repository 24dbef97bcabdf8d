import type { Fact, Place, Report, Search } from '../../findings/finding.js';
import { escapeForTerminal } from './escape.js';
import { count } from './numbers.js';
import { displayWidth, type Line, span, styled, truncateMiddle } from './text.js';

/** Where in its file: the part of a place that must survive when the path is cut. */
function position(place: Place): string {
  if ('line' in place) return `:${place.line}`;
  return 'packet' in place ? `: packet ${place.packet}` : `: byte ${count(place.offset)}`;
}

/** In full, ready to be copied. */
export function placeText(place: Place): string {
  return place.path + position(place);
}

export type Names = (path: string) => string;

/** Each path by as many of its last folders as tell it from the others: `mainlog.3.gz`, `web2/access.log`. */
export function shortNames(paths: Iterable<string>): Names {
  const names = new Map<string, string>();
  let open = [...new Set(paths)].map((path) => ({ path, parts: path.split('/').filter((p) => p !== '') }));
  for (let depth = 1; open.length > 0; depth++) {
    const suffix = (parts: string[]) => parts.slice(-depth).join('/');
    const times = new Map<string, number>();
    for (const { parts } of open) times.set(suffix(parts), (times.get(suffix(parts)) ?? 0) + 1);
    open = open.filter(({ path, parts }) => {
      if (times.get(suffix(parts)) === 1 || parts.length <= depth) {
        names.set(path, parts.length <= depth ? path : suffix(parts));
        return false;
      }
      return true;
    });
  }
  return (path) => names.get(path) ?? path;
}

/** Names that tell all paths of a report apart. */
export function namesIn(report: Report): Names {
  const paths = report.sources.map((s) => s.path);
  const facts = [
    ...report.findings.flatMap((f) => f.hypotheses.flatMap((h) => h.facts)),
    ...report.clear.flatMap((c) => c.facts),
  ];
  for (const fact of facts) {
    paths.push(...('searched' in fact.from ? fact.from.searched : fact.from.map((place) => place.path)));
  }
  return shortNames(paths);
}

/** Several facts about the same requests: where they were seen is shown once. */
export function isSameFrom(fact: Fact, before: Fact | undefined): boolean {
  return before !== undefined && JSON.stringify(fact.from) === JSON.stringify(before.from);
}

/** Where a fact was seen, in one short grey stretch: the first place, or what was searched in vain. */
export function seenAt(from: Fact['from'], names: Names, width: number): Line {
  if ('searched' in from) {
    const tail = ` (${searchedLines(from)})`;
    const room = width - tail.length - 'searched '.length;
    const [only, more] = from.searched;
    const what =
      only !== undefined && more === undefined
        ? truncateMiddle(escapeForTerminal(names(only)), Math.max(8, room))
        : escapeForTerminal(`${count(from.searched.length)} files`);
    return [span('searched ', 'dim'), styled(what, 'dim'), span(tail, 'dim')];
  }
  const [first] = from;
  if (!first) return [];
  const tail = position(first) + (from.length > 1 ? ' …' : '');
  const path = truncateMiddle(escapeForTerminal(names(first.path)), Math.max(8, width - displayWidth(tail)));
  return [styled(path, 'dim'), span(tail, 'dim')];
}

export function searchedLines(search: Search): string {
  const unread = search.unread > 0 ? `, ${count(search.unread)} unread` : '';
  return `${count(search.lines)} ${search.lines === 1 ? 'line' : 'lines'}${unread}`;
}
