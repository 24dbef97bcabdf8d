import type { Fact, Place } from './finding.js';

/**
 * One TCP connection of a capture, told: the answer of `culprit why connection` and its JSON contract, version 1.
 *
 * Units: seconds since the connection's first packet; sequence numbers count from the SYN of the side that sent them,
 * or from its first packet where the capture has no SYN. The client (originator) opened it, the server (responder)
 * was connected to.
 */
export interface ConnectionStory {
  capture: string;
  /** Within its capture, from 1. */
  connection: number;
  originator: Endpoint;
  responder: Endpoint;
  firstPacket: number;
  lastPacket: number;
  packets: number;
  /** Fewer than `packets` where the connection is too long: then those in the middle were left out. */
  packetsRead: number;
  /** ISO, UTC. */
  beganAt: string | null;
  seconds: number;
  outcome: ConnectionOutcome;
  says: string;
  traffic: { originator: Traffic; responder: Traffic };
  phases: ConnectionPhase[];
  facts: ConnectionFact[];
  drawing: Drawing;
}

export interface Endpoint {
  ip: string;
  port: number;
}

export type ConnectionOutcome =
  | 'unanswered'
  | 'refused'
  | 'stalled'
  | 'reset'
  | 'closed'
  | 'half-closed'
  | 'open';

/** What one side sent. Bytes of TCP payload. */
export interface Traffic {
  packets: number;
  /** Each byte once. */
  bytes: number;
  /** Sent again. */
  repeatedBytes: number;
  /** Of `bytes`, what the other side acknowledged. */
  acknowledgedBytes: number;
}

export type PhaseId =
  | 'handshake'
  | 'greeting'
  | 'hello'
  | 'starttls'
  | 'tls'
  | 'envelope'
  | 'message'
  | 'after-message'
  | 'quit'
  | 'data';

/** A stretch of the connection by what it was about. */
export interface ConnectionPhase {
  phase: PhaseId;
  says: string;
  fromS: number;
  untilS: number;
  originatorBytes: number;
  responderBytes: number;
  from: Place[];
  facts: Fact[];
}

/** Something about the whole connection; `about` says under which heading it is told. */
export interface ConnectionFact extends Fact {
  about: 'stall' | 'resent' | 'window' | 'path' | 'pause' | 'end';
}

/** A time–sequence graph: what one side sent, and what the other said of it. */
export interface Drawing {
  sender: 'originator' | 'responder';
  points: DrawnPoint[];
  /** Packets that were taken together with others, because there were too many to draw. */
  merged: number;
}

export type PointKind =
  | 'data'
  | 'retransmission'
  | 'resent-after-ack'
  | 'probe'
  | 'ack'
  | 'window'
  | 'sack'
  | 'zero-window'
  | 'fin'
  | 'reset';

/** `from` to `to` are sequence numbers of the sender, up to and without `to`; a line where both are the same. */
export interface DrawnPoint {
  kind: PointKind;
  atS: number;
  from: number;
  to: number;
  packet: number;
}

/** A connection that a question found. */
export interface FoundConnection {
  source: number;
  capture: string;
  connection: number;
  originator: Endpoint;
  responder: Endpoint;
  beganAt: string | null;
  seconds: number;
  packets: number;
  firstPacket: number;
  lastPacket: number;
  originatorBytes: number;
  responderBytes: number;
  resentAfterAck: number;
}

/** `10.0.0.2:40112`, `[fd80::1]:25`. */
export const endpoint = ({ ip, port }: Endpoint): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
