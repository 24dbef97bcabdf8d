import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agreement, agreement } from '../bench/capture-agreement.js';
import { hasTshark } from '../bench/tshark-packets.js';
import { Dice } from '../lab/dice.js';
import {
  canCapture,
  disturbed,
  keptAlive,
  kernelCapture,
  reusedPorts,
  type Scene,
  stoppedReader,
  transfer,
} from './kernel-capture.js';

const TCP = 'meta l4proto tcp';
/** What each scene is to show, so that agreement about nothing is none. */
const SCENES: Record<string, Scene & { shows: string[] }> = {
  'loss behind the capture': {
    incoming: [`${TCP} numgen random mod 100 < 3 drop`],
    talk: transfer(400_000),
    shows: ['retransmission', 'spurious_retransmission', 'duplicate_ack'],
  },
  'loss before the capture': {
    outgoing: [`${TCP} numgen random mod 100 < 3 drop`],
    talk: transfer(400_000),
    shows: ['retransmission'],
  },
  'large segments': {
    incoming: [`${TCP} numgen random mod 100 < 4 drop`],
    offloaded: true,
    talk: transfer(600_000),
    shows: ['retransmission', 'window_full'],
  },
  'ACKs that the sender never gets': {
    incoming: ['tcp sport 2525 ct original bytes > 60000 tcp flags & (syn|fin|rst) == 0 drop'],
    talk: transfer(200_000, 1, 4000),
    shows: ['spurious_retransmission', 'duplicate_ack'],
  },
  'a reader that stops': { talk: stoppedReader, shows: ['zero_window', 'window_full', 'window_update'] },
  'ports used again': { talk: reusedPorts, shows: ['reused_ports'] },
  'keep-alives': { talk: keptAlive, shows: ['keep_alive', 'keep_alive_ack'] },
};

type Difference = Agreement['differences'][number];

/** Why we say otherwise than tshark: docs/capture-agreement.md has the reasons. */
const REASONS: [why: string, so: (difference: Difference, ours: string[], tsharks: string[]) => boolean][] = [
  ['the same packet, captured twice', ({ ours }) => ours.includes('duplicate packet')],
  [
    'bytes that were seen before are not out of order, however soon they come again',
    (_, ours, tsharks) =>
      /^(fast_)?retransmission$/.test(ours.join()) && /^(out_of_order|retransmission)$/.test(tsharks.join()),
  ],
  [
    'a keep-alive against a closed window probes it',
    ({ tsharks }, ours) =>
      (ours.join() === 'zero_window_probe' && tsharks.includes('keep_alive')) ||
      (ours.join() === 'zero_window_probe_ack' && tsharks.includes('zero_window')),
  ],
  [
    'each gap that was acknowledged is told once; tshark tells some with every ACK until the next segment, some never',
    (_, ours, tsharks) => [...ours, ...tsharks].join() === 'ack_lost_segment',
  ],
];

const unexplained = (found: Agreement) =>
  found.differences.filter((difference) => {
    const { ours, tsharks } = difference;
    const only = (these: string[], those: string[]) => these.filter((name) => !those.includes(name));
    const onlyOurs = only(ours, tsharks).filter((name) => !name.includes(' '));
    return !REASONS.some(([, so]) => so(difference, onlyOurs, only(tsharks, ours)));
  });

const both = (found: Agreement) => [...found.bits].filter(([, n]) => n.both > 0).map(([name]) => name);

describe.skipIf(!hasTshark || !canCapture)('the kernel’s own traffic, as tshark sees it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-agreement-'));
  const file = (name: string) => join(folder, `${name}.pcap`);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const seen = new Map<string, Agreement>();
  beforeAll(async () => {
    for (const [name, scene] of Object.entries(SCENES)) {
      kernelCapture(file(name), scene);
      seen.set(name, await agreement(file(name)));
    }
  });

  it.each(Object.keys(SCENES))('%s: no packet is called otherwise without a reason', (name) => {
    const found = seen.get(name)!;
    expect(both(found)).toEqual(expect.arrayContaining(SCENES[name]!.shows));
    expect(unexplained(found)).toEqual([]);
    expect(found).toMatchObject({ otherConnection: 0, otherWindow: 0, duplicatePackets: 0 });
  });

  it('tells bytes sent again though their ACK had come from all else', () => {
    const told = [...seen].map(([name, found]) => [name, found.resentAfterAck > 0]);
    expect(Object.fromEntries(told)).toMatchObject({
      'ACKs that the sender never gets': true,
      'loss before the capture': false,
      'a reader that stops': false,
      'ports used again': false,
      'keep-alives': false,
    });
  });

  it('agrees where the capture itself lost packets', async () => {
    disturbed(file('loss behind the capture'), file('missing'), new Dice('missing'), { missing: 0.02 });
    const found = await agreement(file('missing'));
    const missing = seen.get('loss behind the capture')!.packets - found.packets;
    expect(both(found)).toEqual(expect.arrayContaining(['lost_segment', 'ack_lost_segment']));
    expect(unexplained(found)).toEqual([]);
    // No gap is told that is not there.
    const { both: same, ours } = found.bits.get('ack_lost_segment')!;
    expect(same + ours).toBeLessThanOrEqual(missing);
  });

  it('takes a packet that was captured twice for one', async () => {
    const [clean, doubled] = ['loss before the capture', 'twice'];
    disturbed(file(clean), file(doubled), new Dice(doubled), { twice: 0.1 });
    const found = await agreement(file(doubled));
    expect(found.duplicatePackets).toBe(found.packets - seen.get(clean)!.packets);
    for (const [name, n] of seen.get(clean)!.bits)
      expect([name, found.bits.get(name)!.both + found.bits.get(name)!.ours]).toEqual([
        name,
        n.both + n.ours,
      ]);
  });
});
