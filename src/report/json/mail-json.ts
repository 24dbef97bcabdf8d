import type { MailAnswer } from '../../findings/mail-route.js';
import { escapeJson } from './escape-json.js';
import { findingJson } from './json.js';

/** The answer of `culprit why mail --json`, version 1 (docs/json.md): `version` first, findings as everywhere. */
export function mailJson(answer: MailAnswer): string {
  const { version, totals, others, finding, ...route } = answer;
  const whole = {
    version,
    totals,
    ...route,
    finding: finding === null ? null : (JSON.parse(findingJson(finding)) as unknown),
    others,
  };
  return `${escapeJson(JSON.stringify(whole, null, 2))}\n`;
}
