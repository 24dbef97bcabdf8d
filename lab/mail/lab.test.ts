import { beforeAll, describe, expect, it } from 'vitest';
import { type Delivery, generate, type Options, type Truth } from './generate.js';
import { whyNoWorld } from './world.js';

const why = whyNoWorld();
if (why) console.warn(`The mail lab cannot run here, and its tests are skipped: ${why}`);

const short = { seed: 2, mailing: { messages: 25, seconds: 6 } } as const;

/** A recipient that the log says was handed over. */
interface Sent {
  at: number;
  to: string;
}

const CASES: (Options & { log: string; sent(log: string): Sent[]; came(log: string): Sent[] })[] = [
  {
    ...short,
    scenario: 'greylist',
    daemon: 'exim',
    log: 'mainlog',
    sent: (log) =>
      [...log.matchAll(/^(\S+ \S+) \[\d+\] \S+ [=-]> (\S+) .*T=remote_smtp /gm)].map(([, at, to]) => ({
        at: Date.parse(`${at!.replace(' ', 'T')}Z`),
        to: to!,
      })),
    came: (log) =>
      [...log.matchAll(/^(\S+ \S+) \[\d+\] \S+ <= .* id=(\S+)/gm)].map(([, at, id]) => ({
        at: Date.parse(`${at!.replace(' ', 'T')}Z`),
        to: id!,
      })),
  },
  {
    ...short,
    seed: 1,
    scenario: 'provider-deferral',
    daemon: 'postfix',
    log: 'mail.log',
    sent: (log) =>
      [...log.matchAll(/^(\S+) .* to=<([^>]*)>, .* status=sent /gm)].map(([, at, to]) => ({
        at: Date.parse(at!),
        to: to!,
      })),
    came: (log) =>
      [...log.matchAll(/^(\S+) .*cleanup.* message-id=<([^>]*)>/gm)].map(([, at, id]) => ({
        at: Date.parse(at!),
        to: id!,
      })),
  },
];

describe.skipIf(why)(`the mail lab${why ? ` (${why})` : ''}`, () => {
  let made: Awaited<ReturnType<typeof generate>>[];

  beforeAll(async () => {
    // At once: worlds do not disturb each other.
    made = await Promise.all(CASES.map(({ log, sent, came, ...options }) => generate(options)));
  });

  describe.each(CASES)('$scenario with $daemon', ({ daemon, log: name, sent, came }) => {
    let truth: Truth;
    let log: string;

    beforeAll(() => {
      const run = made.find((run) => run.truth.daemon === daemon)!;
      truth = run.truth;
      log = run.files.get(name) ?? '';
    });

    it('hands over every message, and nothing stays', () => {
      expect(truth.observed).toMatchObject({ messages: 25, outstanding: 0, rejected: 0, stillQueued: 0 });
      expect(truth.observed.accepted).toBe(truth.observed.recipients);
    });

    it('makes only the mail of the affected provider late', () => {
      const [late, others] = [true, false].map((affected) =>
        truth.deliveries.filter((d) => (d.provider === truth.affected?.provider) === affected),
      ) as [Delivery[], Delivery[]];
      expect(Math.max(...late.map((d) => d.seconds!))).toBeGreaterThan(5);
      expect(Math.max(...others.map((d) => d.seconds!))).toBeLessThan(3);
    });

    it('has a line in the log for each recipient that the receiver took, at that time', () => {
      const lines = sent(log);
      const at = new Map(lines.map((line) => [line.to, line.at]));
      const taken = truth.deliveries.filter((delivery) => delivery.accepted);
      expect(lines.map((line) => line.to).sort()).toEqual(taken.map((delivery) => delivery.to).sort());
      for (const { to, accepted } of taken)
        expect(Math.abs(at.get(to)! - Date.parse(accepted!)), to).toBeLessThan(1000);
    });

    it('has a line in the log for each message that was handed in, at that time', () => {
      const at = new Map(came(log).map((line) => [line.to, line.at]));
      for (const message of truth.messages)
        expect(Math.abs(at.get(message.messageId)! - Date.parse(message.at)), message.messageId).toBeLessThan(
          1000,
        );
    });

    it('logs the reply that the receiver gave', () => {
      const said = truth.reply!.split('{ip}')[0]!.split('{to}')[0]!;
      expect(log).toContain(said);
      expect(truth.messages.length).toBe(25);
    });
  });
});
