/**
 * An Exim server on paper: what its mainlog would say of weeks of mail, where the lab's real ones have a minute.
 *
 * Deliveries as Exim does them: at once, then in queue runs when the retry time has come; by the default rule
 * `F,2h,15m; G,16h,1h,1.5; F,4d,6h`. Retry times are kept for each recipient of a message.
 */
import { Dice } from '../lab/dice.js';

export interface Letter {
  /** Seconds since 1970. */
  at: number;
  from: string;
  to: string[];
}

/** What happens to a try: taken, or the text behind `defer (N): ` or behind `**`, with the host where there is one. */
export type Answer =
  | { is: 'taken'; host: string; takes?: number }
  | { is: 'local' }
  | { is: 'deferred'; host?: string; errno: number; says: string }
  | { is: 'failed'; host?: string; says: string };

export interface PaperOptions {
  letters: Letter[];
  /** `first`: when this recipient of this message was first tried. */
  answer(to: string, at: number, first: number): Answer;
  /** The log ends here. */
  end: number;
  queueRun?: number;
  /** The wall clock that the log is written by; UTC when left out. */
  wall?(seconds: number): number;
}

const HOUR = 3600;
const RULE = { first: [2 * HOUR, 900], grows: [16 * HOUR, HOUR, 1.5], last: [96 * HOUR, 6 * HOUR] } as const;

const addressOf = (host: string): string => {
  let hash = 7;
  for (const char of host) hash = (hash * 31 + char.charCodeAt(0)) % 65_000;
  return `198.18.${hash >> 8}.${hash & 255}`;
};

function stamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
function base62(value: number, digits: number): string {
  let text = '';
  for (let n = value; text.length < digits; n = Math.floor(n / 62)) text = BASE62[n % 62]! + text;
  return text;
}

/** The mainlog, in the order in which its lines were written. */
export function paperLog({ letters, answer, end, queueRun = 1800, wall = (s) => s }: PaperOptions): string {
  const dice = new Dice('paper');
  const lines: { at: number; text: string }[] = [];
  const say = (at: number, text: string) => {
    if (at <= end) lines.push({ at, text });
  };
  letters.forEach(({ at, from, to }, n) => {
    const id = `${base62(at, 6)}-${base62(n + 1, 6)}-${base62(n % 3000, 2)}`;
    say(
      at,
      `${id} <= ${from} H=(pc) [192.0.2.7] P=esmtp S=${dice.int(900, 9000)} id=${n}.${at}@example.org for ${to.join(' ')}`,
    );
    let done = at;
    let open = 0;
    for (const address of to) {
      const first = at + 1;
      let next = first;
      let interval = RULE.grows[1] as number;
      for (;;) {
        if (next > end) {
          open++;
          break;
        }
        const is = answer(address, next, first);
        const host = 'host' in is && is.host ? ` H=${is.host} [${addressOf(is.host)}]` : '';
        if (is.is === 'taken') {
          next += is.takes ?? dice.int(0, 2);
          say(next, `${id} => ${address} R=dnslookup T=remote_smtp${host} C="250 2.0.0 Ok: queued as ${n}"`);
        } else if (is.is === 'local')
          say(next, `${id} => ${address.split('@')[0]} <${address}> R=local_user T=maildir_home`);
        else if (is.is === 'failed')
          say(next, `${id} ** ${address} R=dnslookup T=remote_smtp${host}: ${is.says}`);
        else {
          const age = next - first;
          const where = is.host ? ` T=remote_smtp${host}` : '';
          say(next, `${id} == ${address} R=dnslookup${where} defer (${is.errno}): ${is.says}`);
          if (age > RULE.last[0]) {
            say(next, `${id} ** ${address}: retry timeout exceeded`);
            break;
          }
          let wait: number;
          if (age < RULE.first[0]) wait = RULE.first[1];
          else if (age < RULE.grows[0]) {
            wait = interval;
            interval *= RULE.grows[2];
          } else wait = RULE.last[1];
          // The next queue run after the retry time.
          next = (Math.floor((next + wait) / queueRun) + 1) * queueRun + dice.int(0, 3);
          continue;
        }
        break;
      }
      done = Math.max(done, next);
    }
    if (open === 0) say(done, `${id} Completed`);
  });
  const begin = Math.min(...letters.map((l) => l.at));
  for (let run = Math.ceil(begin / queueRun) * queueRun; run < end; run += queueRun) {
    lines.push({ at: run, text: `Start queue run: pid=${run % 30_000}` });
    lines.push({ at: run + 1, text: `End queue run: pid=${run % 30_000}` });
  }
  return lines
    .map((line, n) => ({ ...line, n }))
    .sort((a, b) => a.at - b.at || a.n - b.n)
    .map(({ at, text }) => `${stamp(wall(at))} ${text}\n`)
    .join('');
}

/** Letters at even-ish times between two moments. */
export function letters(
  seed: string,
  count: number,
  [from, to]: readonly [number, number],
  address: (dice: Dice, n: number) => string,
): Letter[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, n) => ({
    at: Math.floor(dice.between(from, to)),
    from: `${dice.pick(['office', 'news', 'anna', 'ben'])}@example.org`,
    to: [address(dice, n)],
  })).sort((a, b) => a.at - b.at);
}
