/**
 * Connections as they are and as they should not be: two ends that mostly keep to TCP, and then do not. Made to meet
 * every branch of the kernel's tracker, by chance.
 */
import type { Dice } from '../dice.js';
import type { Segment } from './pcap.js';

interface End {
  address: string;
  port: number;
  isn: number;
  next: number;
  /** What the other end has sent, as far as this one says. */
  acked: number;
  scale: number | null;
  fin: boolean;
}

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;
const URG = 32;
const u32 = (n: number) => n >>> 0;

/** The packets of one connection, in order. `port`: the originator's, one a connection. */
export function conversation(dice: Dice, port: number): Segment[] {
  const packets: Segment[] = [];
  const end = (address: string, itsPort: number): End => {
    const isn = dice.chance(0.2) ? 0xffffff00 : dice.int(0, 0xffffffff);
    return {
      address,
      port: itsPort,
      isn,
      next: isn,
      acked: 0,
      scale: dice.chance(0.85) ? dice.int(0, 15) : null,
      fin: false,
    };
  };
  const [a, b] = [end('10.1.0.2', port), end('10.2.0.2', 25)];
  const timestamps = dice.chance(0.7);
  const sackPermitted = dice.chance(0.8);
  const send = (from: End, flags: number, more: Partial<Segment> = {}) => {
    const to = from === a ? b : a;
    packets.push({
      number: 0,
      at: 0,
      fromOriginator: from === a,
      from: from.address,
      to: to.address,
      fromPort: from.port,
      toPort: to.port,
      id: 0,
      flags,
      seq: from.next,
      ack: flags & ACK ? from.acked : 0,
      window: dice.chance(0.1) ? dice.int(0, 3) : dice.int(200, 65_535),
      payload: 0,
      windowScale: flags & SYN ? from.scale : null,
      sackPermitted: (flags & SYN) !== 0 && sackPermitted,
      sacks: [],
      timestamp: timestamps ? { value: packets.length + 1, echo: 0 } : null,
      ...more,
    });
  };
  const data = (from: End, payload: number) => {
    send(from, ACK | PSH, { payload });
    from.next = u32(from.next + payload);
  };

  const opening = dice.int(0, 10);
  if (opening <= 7) {
    const payload = dice.chance(0.4) ? dice.int(1, 1_400) : 0;
    const syn = () => send(a, SYN, { seq: a.isn, payload });
    syn();
    if (dice.chance(0.15)) syn();
    if (dice.chance(0.1)) {
      // Another SYN on the same ports, before any answer.
      a.isn = u32(a.isn + dice.int(-1e6, 1e6));
      syn();
    }
    a.next = u32(a.isn + 1 + payload);
    if (dice.chance(0.1))
      send(b, ACK, { ack: u32(a.isn + dice.int(-1e5, 1e5)), seq: dice.int(0, 0xffffffff) });
    if (dice.chance(0.05)) send(b, RST | ACK, { seq: 0, ack: a.next });
    if (dice.chance(0.08)) send(b, SYN, { seq: b.isn });
    b.acked = a.next;
    send(b, SYN | ACK, { seq: b.isn, payload: 0 });
    if (dice.chance(0.1)) send(b, SYN | ACK, { seq: b.isn });
    b.next = u32(b.isn + 1);
    a.acked = b.next;
    if (dice.chance(0.35)) data(b, dice.int(1, 300));
    if (dice.chance(0.2)) data(b, dice.int(1, 3_000));
    if (dice.chance(0.9)) send(a, ACK);
  } else {
    a.acked = b.next;
    b.acked = a.next;
  }

  for (let steps = dice.int(5, 45); steps > 0; steps--) {
    const from = dice.chance(0.5) ? a : b;
    const to = from === a ? b : a;
    switch (dice.int(0, 22)) {
      case 0:
      case 1:
      case 2:
      case 3:
        data(from, dice.int(1, 3_000));
        break;
      case 4:
        // As after a jump: bytes that the tracker never saw.
        from.next = u32(from.next + dice.int(1, dice.chance(0.5) ? 60_000 : 2_000_000));
        data(from, dice.int(1, 500));
        break;
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
        from.acked = to.next;
        send(from, ACK);
        break;
      case 10:
        for (let i = dice.int(1, 6); i > 0; i--) send(from, ACK, { window: 1_000 });
        break;
      case 11: {
        const left = u32(from.acked + dice.int(100, 5_000));
        send(from, ACK, { sacks: [[left, u32(left + dice.int(1, 5_000))]] });
        break;
      }
      case 12:
        send(from, ACK | PSH, { seq: u32(from.next - dice.int(1, 200_000)), payload: dice.int(1, 1_400) });
        break;
      case 13:
        send(from, ACK, { ack: u32(from.acked + dice.int(-200_000, 200_000)) });
        break;
      case 14:
        if (dice.chance(0.5)) break;
        send(from, FIN | ACK | (dice.chance(0.1) ? URG : 0));
        if (!from.fin) from.next = u32(from.next + 1);
        from.fin = true;
        break;
      case 15: {
        if (dice.chance(0.4)) break;
        const off = dice.pick([0, 0, 1, -1, 1_000, -1_000, 500_000, -500_000]);
        const seq = dice.chance(0.15) ? 0 : u32(dice.pick([from.next, to.acked]) + off);
        send(from, dice.chance(0.5) ? RST : RST | ACK, { seq });
        break;
      }
      case 16:
        if (dice.chance(0.5)) break;
        from.isn = u32(from.next + dice.int(-1e6, 1e6));
        send(from, SYN, { seq: from.isn });
        if (dice.chance(0.3)) send(to, ACK);
        else if (dice.chance(0.7)) {
          to.isn = u32(to.next + dice.int(-1e6, 1e6));
          to.acked = u32(from.isn + 1);
          send(to, SYN | ACK, { seq: to.isn });
          to.next = u32(to.isn + 1);
          from.next = u32(from.isn + 1);
          from.acked = to.next;
        }
        break;
      case 17:
        send(from, SYN | ACK, { seq: dice.chance(0.5) ? from.isn : from.next });
        break;
      case 18:
        send(from, dice.int(0, 64));
        break;
      case 19:
        send(from, ACK, { seq: u32(from.next - 1), payload: dice.int(0, 2) });
        break;
      case 20:
        send(from, ACK, { window: 0 });
        break;
      default:
        data(from, dice.int(1, 20_000));
    }
  }
  return packets;
}
