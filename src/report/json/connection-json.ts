import type { ConnectionStory, FoundConnection } from '../../findings/connection-story.js';
import { escapeJson } from './escape-json.js';

const text = (value: unknown): string => `${escapeJson(JSON.stringify(value, null, 2))}\n`;

/** The answer of `culprit why connection --json`, version 1 (docs/json.md). */
export function connectionJson(path: string, story: ConnectionStory): string {
  return text({ version: 1, case: path, ...story });
}

/** The same when several connections fit. */
export function connectionsJson(path: string, total: number, found: readonly FoundConnection[]): string {
  return text({ version: 1, case: path, total, matches: found.map(({ source, ...rest }) => rest) });
}
