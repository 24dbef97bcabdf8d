import type { FoundMessage, LifeRecipient, MessageLife } from '../../findings/message-life.js';
import { bar } from './chart.js';
import { WIDEST } from './examine.js';
import { labelled, textWidth } from './labelled.js';
import { type Share, sharesOf, type TimelineRow, timelineOf, type Way, waysOf } from './life-groups.js';
import { bytes, count, date, timeSpan as duration, percent, seconds, tacitYear } from './numbers.js';
import { type Names, seenAt, shortNames } from './place.js';
import type { Screen, Style } from './style.js';
import { type Column, table } from './table.js';
import {
  clamp,
  flow,
  hanging,
  indent,
  type Line,
  padEnd,
  padStart,
  print,
  type Span,
  span,
  withRight,
} from './text.js';

/** More ways, lines and matches than these are counted; --json has them. */
const MOST_WAYS = 20;
const FIRST_ROWS = 28;
const LAST_ROWS = 12;
const REPLY_LINES = 3;

/** One message's life: who got it when, where each second went, and every line about it. */
export function renderLife(life: MessageLife, screen: Screen): string {
  const width = Math.min(WIDEST, screen.width);
  const names = shortNames([
    ...life.events.map((e) => e.path),
    ...life.recipients.flatMap((r) => r.parts.map((p) => p.from.path)),
  ]);
  const blocks: Line[][] = [
    [...head(life, width), ...indent(identity(life, width - 3), 3)],
    ...waysBlock(life, names, width, screen.unicode),
    ...timeline(life, names, width),
    labelled('RELATED', 'label', related(life, textWidth(width)), width),
    labelled(
      'HINT',
      'fix',
      life.advice.flatMap((a) => hanging([span(a)], textWidth(width))),
      width,
    ),
  ];
  return print(
    blocks.filter((b) => b.length > 0).flatMap((b, i) => (i === 0 ? b : [[], ...b])),
    screen,
  );
}

function head(life: MessageLife, width: number): Line[] {
  const { recipients, recipientCount, ends } = life;
  const slowest = recipients.reduce<LifeRecipient | null>(
    (a, r) => (a && a.totalS >= r.totalS ? a : r),
    null,
  );
  const least = life.begins === 'before-logs' ? 'at least ' : '';
  const outcomes = [...new Set(recipients.map((r) => r.outcome))];
  const says: string[] = [];
  if (slowest && outcomes.length === 1) {
    const [only] = outcomes;
    const all = recipientCount > 1 ? ` to all ${count(recipientCount)} recipients` : '';
    const which = recipientCount > 1 ? ', the slowest' : '';
    says.push(
      `${OUTCOMES[only!]}${only === 'delivered' ? all : ''}${which} ${afterWord(only!)} ${least}${duration(slowest.totalS)}`,
    );
  } else if (slowest) {
    const told = outcomes.map(
      (o) => `${count(recipients.filter((r) => r.outcome === o).length)} ${OUTCOMES[o]}`,
    );
    says.push(
      told.join(', '),
      `the slowest ${afterWord(slowest.outcome)} ${least}${duration(slowest.totalS)}`,
    );
  }
  if (ends === 'removed') says.push('removed by hand');
  if (ends === 'open') says.push('in the queue still when the logs end');
  return hanging([span(life.message, 'strong'), span(`  ${says.join('; ')}`)], width, 3);
}

const afterWord = (outcome: LifeRecipient['outcome']): string =>
  outcome === 'waiting' || outcome === 'unknown' ? 'for' : 'after';

function identity(life: MessageLife, width: number): Line[] {
  const tacit = tacitYear({ first: life.beganAt, last: life.endedAt });
  const client = [life.client.host, life.client.ip === null ? null : `[${life.client.ip}]`].filter(
    (p) => p !== null,
  );
  const parts: Line[] = [
    [span('from ', 'dim'), span(life.sender ?? 'unknown')],
    ...(life.bytes === null ? [] : [[span(bytes(life.bytes))]]),
    [
      span(life.begins === 'logged' ? 'taken in ' : 'first seen ', 'dim'),
      span(`${date(life.arrivedAt, null)}`),
    ],
    ...(client.length > 0 ? [[span('client ', 'dim'), span(client.join(' '))]] : []),
    ...(life.client.protocol === null ? [] : [[span(life.client.protocol, 'dim')]]),
    [span(life.host, 'dim')],
    ...(life.messageId === null ? [] : [[span(life.messageId, 'dim')]]),
  ];
  const before =
    life.begins === 'before-logs'
      ? 'Its beginning lies before the logs: times count from its first line.'
      : life.begins === 'told'
        ? `Its beginning lies before the logs; a later line tells that it came in at ${date(life.beganAt, tacit)}.`
        : null;
  return [...flow(parts, width), ...(before === null ? [] : hanging([span(before, 'warning')], width))];
}

// ── Where the time went

const OUTCOMES: Record<LifeRecipient['outcome'], string> = {
  delivered: 'delivered',
  failed: 'failed',
  removed: 'removed',
  waiting: 'waiting still',
  unknown: 'outcome not in the logs',
};
const LOOKS: Record<LifeRecipient['outcome'], Style> = {
  delivered: 'good',
  failed: 'culprit',
  removed: 'warning',
  waiting: 'warning',
  unknown: 'open',
};

function waysBlock(life: MessageLife, names: Names, width: number, unicode: boolean): Line[][] {
  const text = textWidth(width);
  const ways = waysOf(life, MOST_WAYS);
  const shown = ways.slice(0, MOST_WAYS);
  const lines = shown.map((way) => wayLines(way, names, text, unicode));
  const more: string[] = [];
  const hidden = ways.slice(MOST_WAYS).reduce((n, way) => n + way.recipients.length, 0);
  if (hidden > 0)
    more.push(
      `${count(hidden)} recipients more went ${count(ways.length - MOST_WAYS)} other ways, all faster: --json has them`,
    );
  if (life.recipientCount > life.recipients.length)
    more.push(
      `of ${count(life.recipientCount)} recipients, the ${count(life.recipients.length)} that waited longest are told`,
    );
  if (life.recipientCount === 0) more.push('no line names a recipient');
  return [
    labelled(
      'TIME',
      'label',
      [
        ...lines.flatMap((l, i) => (i > 0 && lines[i - 1]!.length + l.length > 2 ? [[], ...l] : l)),
        ...more.flatMap((m) => hanging([span(m, 'dim')], text)),
      ],
      width,
    ),
  ];
}

function whose({ provider, providers }: Way): string {
  if (providers > 1) return ` of ${count(providers)} providers`;
  return provider === null ? '' : ` at ${provider}`;
}

function wayLines(way: Way, names: Names, width: number, unicode: boolean): Line[] {
  const { recipients, worst } = way;
  const [one] = recipients;
  const who: Line =
    recipients.length === 1
      ? [span(one!.address, 'strong')]
      : [
          span(`${count(recipients.length)} recipients${whose(way)}`, 'strong'),
          span(`  slowest ${worst.address}`, 'dim'),
        ];
  const range =
    way.mostS - way.leastS < 1 ? duration(way.mostS) : `${duration(way.leastS)} to ${duration(way.mostS)}`;
  const told = ` ${afterWord(way.outcome)} ${range}`;
  const shares = sharesOf(worst);
  const longest = Math.max(0, ...shares.map((s) => duration(s.seconds).length));
  return [
    ...hanging([...who, span('  '), span(OUTCOMES[way.outcome], LOOKS[way.outcome]), span(told)], width),
    ...shares.flatMap((s) => shareLines(s, names, width, longest, unicode)),
  ];
}

function shareLines(s: Share, names: Names, width: number, longest: number, unicode: boolean): Line[] {
  const wide = width >= 72;
  const figures: Line = [
    ...padStart([span(duration(s.seconds), 'strong')], longest + 2),
    ...padStart([span(percent(Math.round(s.share * 1000) / 10), 'dim')], 8),
    ...(wide ? [span('  '), ...padEnd([span(bar(s.share, 10, unicode), 'bar')], 10)] : []),
    span('  '),
  ];
  const at = longest + 2 + 8 + (wide ? 12 : 0) + 2;
  const room = Math.max(16, width - at);
  const says = `${s.says}${s.times > 1 ? ` (the longest of ${count(s.times)})` : ''}`;
  const [first = [], ...rest] = withRight([span(says)], seenAt([s.from], names, Math.min(28, room)), room);
  return [[...figures, ...first], ...indent(rest, at)];
}

// ── What happened

const MARKS: Record<string, Style> = {
  delivered: 'good',
  failed: 'culprit',
  deferred: 'warning',
  'host-error': 'warning',
  'tls-error': 'warning',
  frozen: 'warning',
  removed: 'warning',
  warning: 'warning',
  waiting: 'dim',
};

function timeline(life: MessageLife, names: Names, width: number): Line[][] {
  const text = textWidth(width);
  const rows = timelineOf(life);
  const days = new Set(life.events.map((e) => e.at.slice(0, 10))).size > 1;
  const cut = rows.length > FIRST_ROWS + LAST_ROWS + 1;
  const shown = cut ? [...rows.slice(0, FIRST_ROWS), null, ...rows.slice(-LAST_ROWS)] : rows;
  const before = new Set<string>();
  const lines = shown.flatMap((row) =>
    row === null
      ? [[span(`${count(rows.length - FIRST_ROWS - LAST_ROWS)} more between: --json has them`, 'dim')]]
      : rowLines(row, days, names, text, before),
  );
  if (life.eventCount > life.events.length)
    lines.push([span(`${count(life.eventCount - life.events.length)} later lines are not told`, 'dim')]);
  return [labelled('LINES', 'label', lines, width)];
}

/** `before` holds the replies and meanings that were told already: they are told once. */
function rowLines(row: TimelineRow, days: boolean, names: Names, width: number, before: Set<string>): Line[] {
  const { first, last, count: n } = row;
  const anew = (text: string | null): text is string => {
    if (text === null || before.has(text)) return false;
    before.add(text);
    return true;
  };
  const clock = (iso: string) => `${days ? `${iso.slice(5, 10)} ` : ''}${iso.slice(11, 19)}`;
  const gap = first.gapS >= 0.5 ? `+${duration(first.gapS)}` : '';
  const times: Line = [span(clock(first.at)), ...padStart([span(gap, 'dim')], 11), span('  ')];
  const at = (days ? 14 : 8) + 13;
  const narrow = width < 60;
  const room = narrow ? width - 4 : width - at;
  const others = row.addresses > 1 ? ` and ${count(row.addresses - 1)} more` : '';
  const repeated =
    n > row.addresses || others === '' ? (n > 1 ? `, ${count(n)} times up to ${clock(last.at)}` : '') : '';
  const says =
    first.address !== null && others !== ''
      ? first.says.replace(first.address, () => `${first.address}${others}`)
      : first.says;
  const style = MARKS[first.kind] ?? 'plain';
  const spans: Span[] = [span(`${says}${repeated}`, style)];
  const seen = seenAt(n > 1 ? [first, last] : [first], names, Math.min(28, room));
  const body: Line[] = [
    ...withRight(spans, seen, room),
    ...(first.kind === 'connection' || !anew(first.reply)
      ? []
      : indent(clamp(hanging([span(first.reply, 'dim')], room - 2, 0), REPLY_LINES, room - 2), 2)),
    ...(anew(first.meaning)
      ? indent(hanging([span('that is: ', 'open'), span(first.meaning)], room - 2), 2)
      : []),
  ];
  if (narrow) return [[...times], ...indent(body, 4)];
  const [head_ = [], ...rest] = body;
  return [[...times, ...head_], ...indent(rest, at)];
}

function related(life: MessageLife, width: number): Line[] {
  return [
    ...(life.parents.length > 0
      ? hanging([span('it is about, or came out of, '), span(life.parents.join(', '), 'strong')], width)
      : []),
    ...(life.children.length > 0
      ? hanging([span('it led to '), span(life.children.join(', '), 'strong')], width)
      : []),
  ];
}

// ── Several

/** The messages that fit, newest last. */
export function renderFound(found: readonly FoundMessage[], total: number, screen: Screen): string {
  const width = Math.min(WIDEST, screen.width);
  const columns: Column[] = [
    { title: 'message' },
    { title: 'taken in' },
    { title: 'from', cut: 'middle', min: 12, priority: 2 },
    { title: 'to', cut: 'middle', min: 12 },
    { title: '', priority: 3 },
    { title: 'took', align: 'right' },
  ];
  const rows = found.map((m): (Span | string)[] => [
    span(m.message, 'strong'),
    `${m.at.slice(0, 10)} ${m.at.slice(11, 19)}`,
    m.sender ?? '<>',
    m.recipient === null ? '–' : `${m.recipient}${m.recipients > 1 ? ` +${count(m.recipients - 1)}` : ''}`,
    m.outcome,
    m.delayS === null ? '–' : seconds(m.delayS),
  ]);
  const made = table(columns, rows, width);
  const notes: Line[] =
    total > found.length
      ? [[span(`${count(total - found.length)} older ones fit too: narrow it down`, 'dim')]]
      : [];
  return print([...notes, ...made.lines], screen);
}
