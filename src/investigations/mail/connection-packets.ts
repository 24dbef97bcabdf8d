import type { Fact, Place } from '../../findings/finding.js';

/** A row of packet_facts, of one connection. */
export interface StoryPacket {
  line: number;
  /** Microseconds; NULL where the capture holds no time. */
  us: number | null;
  responder: number;
  flags: number;
  seq: number;
  ack: number;
  raw: number;
  win: number;
  payload: number;
  mss: number;
  scale: number;
  sack: number;
  blocks: number;
  l1: number;
  r1: number;
  l2: number;
  r2: number;
  l3: number;
  r3: number;
  l4: number;
  r4: number;
  stamp: number;
  echo: number;
  fast: number;
  analysis: number;
  smtp: number;
}

/** A packet with its time and its numbers made whole. */
export interface Placed {
  p: StoryPacket;
  at: number;
  side: 0 | 1;
  /** Where its payload begins and ends, SYN and FIN counted. */
  from: number;
  to: number;
  /** In the other side's numbers; null without one. */
  ack: number | null;
}

export interface Handshake {
  facts: Fact[];
  places: Place[];
  /** When it was done; 0 without one. */
  doneAt: number;
  /** From the capture point to the server and back, and to the client and back. */
  roundTrip: number | null;
}

export type Places = (line: number) => Place;
