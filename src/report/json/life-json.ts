import type { FoundMessage, MessageLife } from '../../findings/message-life.js';
import { escapeJson } from './escape-json.js';

const text = (value: unknown): string => `${escapeJson(JSON.stringify(value, null, 2))}\n`;

/** The answer of `culprit why message --json`, version 1 (docs/json.md); `earlier` are other uses of the same id. */
export function lifeJson(path: string, [newest, ...earlier]: [MessageLife, ...MessageLife[]]): string {
  return text({ version: 1, case: path, ...plain(newest), earlier: earlier.map(plain) });
}

/** Without what is there for grouping alone. */
function plain(life: MessageLife) {
  return { ...life, events: life.events.map(({ same, ...event }) => event) };
}

/** The same when several messages fit. */
export function foundJson(path: string, total: number, found: readonly FoundMessage[]): string {
  return text({ version: 1, case: path, total, matches: found.map(({ no, ...rest }) => rest) });
}
