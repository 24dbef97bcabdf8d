import { expect } from 'vitest';
import type { Truth } from '../lab/mail/generate.js';
import type { MessageLife } from '../src/findings/message-life.js';
import { findMessages, lifeOf } from '../src/investigations/mail/life.js';
import { Case } from '../src/store/case.js';

/** Every message's life in a case. */
export async function livesIn(path: string): Promise<MessageLife[]> {
  const store = await Case.open(path, { readOnly: true });
  try {
    const { found } = await findMessages(store, {}, 100_000);
    const lives: MessageLife[] = [];
    for (const { no } of found) lives.push(await lifeOf(store, no));
    return lives;
  } finally {
    store.close();
  }
}

const ms = (iso: string): number => Date.parse(/[+-]\d\d:\d\d$/.test(iso) ? iso : `${iso}Z`);

/** The parts follow each other from the beginning to the end, and are the whole. */
export function expectAccounted(life: MessageLife): void {
  for (const r of life.recipients) {
    const label = `${life.message} ${r.address}`;
    const sum = r.parts.reduce((n, p) => n + Math.round(p.seconds * 1000), 0);
    expect(sum, label).toBe(Math.round(r.totalS * 1000));
    let at = ms(r.endedAt) - sum;
    if (r.parts.length > 0) expect(at, label).toBe(ms(life.beganAt));
    for (const p of r.parts) {
      expect(p.seconds, label).toBeGreaterThan(0);
      expect(ms(p.at), label).toBe(at);
      at += Math.round(p.seconds * 1000);
    }
    expect(at, label).toBe(ms(r.endedAt));
  }
}

const TRYING = ['trying', 'connecting', 'transmission'];
/** A log's second, and the moment between the receiver's clock reading and the line. */
const SLACK = 1_000;
/** From handing in to the line: Postfix's pickup looks once a second, and a laboratory may be under load. */
const HANDED_IN = 2_500;

/**
 * Holds lives against what the receiver saw: outcomes and their moments, and that we say to have been trying whenever
 * it answered a try. Gives back how many recipients and tries were held.
 */
export function expectTrue(
  lives: readonly MessageLife[],
  truth: Truth,
): { recipients: number; tries: number } {
  const byId = new Map(
    lives.filter((l) => l.messageId !== null && l.sender !== '<>').map((l) => [l.messageId, l]),
  );
  let recipients = 0;
  let tries = 0;
  for (const d of truth.deliveries) {
    const life = byId.get(d.messageId);
    const r = life?.recipients.find((r) => r.address === d.to);
    if (!life || !r) {
      expect(d.attempts, `${d.messageId} ${d.to}: not in the log`).toEqual([]);
      continue;
    }
    recipients++;
    const label = `${truth.scenario} ${life.message} ${d.to}`;
    expect(Math.abs(ms(life.arrivedAt) - Date.parse(d.injected)), `${label} arrival`).toBeLessThanOrEqual(
      HANDED_IN,
    );
    const ended = d.accepted ?? d.rejected;
    if (d.accepted) {
      expect(r.outcome, label).toBe('delivered');
      expect(Math.abs(ms(r.endedAt) - Date.parse(d.accepted)), `${label} end`).toBeLessThanOrEqual(SLACK);
    }
    for (const a of d.attempts) {
      if (ended && a.at > ended) continue;
      tries++;
      const at = Date.parse(a.at);
      const trying = r.parts.some(
        (p) =>
          (TRYING.includes(p.kind) || p.says.includes('not split')) &&
          at >= ms(p.at) - SLACK &&
          at <= ms(p.at) + p.seconds * 1000 + SLACK,
      );
      // A try within one second of the log has no length there.
      const instant = r.attempts.some((t) => t.made && Math.abs(ms(t.at) - at) <= SLACK);
      expect(trying || instant, `${label}: tried at ${a.at}`).toBe(true);
    }
  }
  return { recipients, tries };
}
