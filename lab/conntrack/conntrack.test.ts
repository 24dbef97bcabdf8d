import { release } from 'node:os';
import { describe, expect, it } from 'vitest';
import { KERNELS, type KernelModel, replay } from '../../src/investigations/mail-stalls/conntrack.js';
import {
  type Agreement,
  compareWithSender,
  whatTheSenderSaw,
} from '../../src/investigations/mail-stalls/conntrack-evidence.js';
import { Dice } from '../dice.js';
import { judge, signature, transfer, whyNoKernel } from './kernel.js';
import type { Segment } from './pcap.js';
import { conversation } from './traffic.js';

const why = whyNoKernel();
if (why) console.warn(`The kernel cannot be asked here, and its tests are skipped: ${why}`);

const RUNS: { sysctls: Record<string, 0 | 1>; model: Partial<KernelModel> }[] = [
  { sysctls: {}, model: {} },
  { sysctls: { tcp_be_liberal: 1 }, model: { liberal: true } },
  { sysctls: { tcp_be_liberal: 0, tcp_loose: 0 }, model: { loose: false } },
  { sysctls: { tcp_loose: 1, tcp_ignore_invalid_rst: 1 }, model: { ignoreInvalidResets: true } },
];

describe.skipIf(why)(`the kernel here (${release()})`, () => {
  it('says of every packet what the model says, whatever two ends do', { timeout: 30_000 }, async () => {
    const dice = new Dice('conntrack');
    let id = 0;
    const runs = RUNS.map(({ sysctls, model }, run) => {
      const connections = Array.from({ length: 250 }, (_, i) =>
        conversation(dice.fork(`${run}/${i}`), 10_000 + run * 1_000 + i),
      );
      const segments = connections.flat();
      for (const segment of segments) {
        segment.id = segment.number = ++id;
        segment.at = id / 12_000;
      }
      return { sysctls, segments, connections, model: { ...KERNELS.current, ...model } };
    });
    expect(id).toBeLessThan(65_536);
    const judged = await judge(runs);
    const counts = { packets: 0, invalid: 0, ignored: 0 };
    for (const [i, { connections, model }] of runs.entries())
      for (const packets of connections) {
        const { verdicts } = replay(packets, model);
        const say = (invalid: boolean, index: number) =>
          `${invalid ? 'INVALID' : 'valid'} ${describePacket(packets[index]!)}`;
        const expected = packets.map(({ id }, index) => say(judged[i]!.invalid.has(id), index));
        expect(verdicts.map(({ verdict }, index) => say(verdict === 'invalid', index))).toEqual(expected);
        const port = packets.map(({ fromPort }) => fromPort).find((port) => port !== 25)!;
        expect(verdicts.at(-1)!.state).toBe(judged[i]!.states.get(port) ?? null);
        counts.packets += packets.length;
        counts.invalid += verdicts.filter(({ verdict }) => verdict === 'invalid').length;
        counts.ignored += verdicts.filter(({ verdict }) => verdict === 'ignored').length;
      }
    console.info(`${JSON.stringify(counts)} agree with Linux ${release()}`);
    expect(counts.invalid).toBeGreaterThan(1_500);
    expect(counts.ignored).toBeGreaterThan(1_000);
  });

  it('and the sender, whose ACKs a blind tracker had dropped, tells which', { timeout: 30_000 }, async () => {
    const { packets, invalid } = await transfer({
      loss: 0,
      bytes: 1_500_000,
      seconds: 6,
      blind: true,
      drop: true,
    });
    const model = { ...KERNELS.current, forgetScaleOf: 'both' } as const;
    const result = replay(packets, model);
    // Packet by packet what the kernel called INVALID, of both directions.
    expect(calledInvalid(packets, result)).toEqual(
      calledInvalid(packets, { invalid: numbersOf(packets, invalid) }),
    );
    const truth = new Set(numbersOf(packets, invalid).map(({ number }) => number));
    for (const { number, seen } of whatTheSenderSaw(packets))
      if (seen !== null) expect(`${number} seen ${seen}`).toBe(`${number} seen ${!truth.has(number)}`);
    const agreement = compareWithSender(packets, result);
    console.info(JSON.stringify({ packets: packets.length, invalid: invalid.size, ...counts(agreement) }));
    expect(agreement.invalidAndUnseen.count).toBeGreaterThan(3);
    expect(agreement.invalidButSeen.count + agreement.unseenButValid.count).toBe(0);
    expect(agreement.contradictory.count).toBe(0);
    // Without the what-if the same packets are in order, and nothing is explained.
    expect(replay(packets, KERNELS.current).invalid).toEqual([]);
    expect(replay(packets, KERNELS.unfixed).invalid).toEqual([]);
  });

  it('calls nothing INVALID of an ordinary transfer that loses packets', { timeout: 30_000 }, async () => {
    const { packets, invalid } = await transfer({
      loss: 20,
      bytes: 6e6,
      seconds: 5,
      blind: false,
      drop: true,
    });
    expect(packets.length).toBeGreaterThan(300);
    expect([...invalid]).toEqual([]);
    for (const kernel of Object.values(KERNELS)) expect(replay(packets, kernel).invalid).toEqual([]);
    const agreement = compareWithSender(packets, replay(packets, KERNELS.current));
    console.info(JSON.stringify({ packets: packets.length, ...counts(agreement) }));
    expect(agreement.unseenButValid).toEqual({ count: 0, packets: [] });
    expect(agreement.seenAndValid.count).toBeGreaterThan(50);
  });
});

function counts(agreement: Agreement): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(agreement).map(([name, value]) => [name, 'count' in value ? value.count : value]),
  );
}

function numbersOf(packets: readonly Segment[], signatures: ReadonlySet<string>): { number: number }[] {
  return packets.filter((packet) => signatures.has(signature(packet)));
}

function calledInvalid(
  packets: readonly Segment[],
  { invalid }: { invalid: { number: number }[] },
): string[] {
  const numbers = new Set(invalid.map(({ number }) => number));
  return packets.filter(({ number }) => numbers.has(number)).map((p) => `${p.number} ${describePacket(p)}`);
}

function describePacket({ fromOriginator, flags, seq, ack, payload, window, windowScale }: Segment): string {
  return `${fromOriginator ? '>' : '<'} flags ${flags} seq ${seq} +${payload} ack ${ack} win ${window} ws ${windowScale}`;
}
