import type { ConnectionPhase, FoundConnection, PhaseId } from '../../findings/connection-story.js';
import type { Fact, Place } from '../../findings/finding.js';
import { ANALYSIS, SMTP } from './connection-bits.js';
import type { Handshake, Placed, Places } from './connection-packets.js';
import { plural } from './words.js';

/** RFC 5321 (25), RFC 6409 (587), RFC 8314 (465). */
const SMTP_PORTS = [25, 465, 587];

/** What a step of SMTP begins (RFC 5321, section 3.3; RFC 3207 for STARTTLS). Replies begin nothing. */
const BEGINS: Record<number, PhaseId> = {
  [SMTP.banner]: 'greeting',
  [SMTP.ehlo]: 'hello',
  [SMTP.startTls]: 'starttls',
  [SMTP.tls]: 'tls',
  [SMTP.mail]: 'envelope',
  [SMTP.rcpt]: 'envelope',
  [SMTP.data]: 'message',
  [SMTP.bdat]: 'message',
  [SMTP.endOfData]: 'after-message',
  [SMTP.quit]: 'quit',
};

const SAYS: Record<PhaseId, string> = {
  handshake: 'handshake',
  greeting: 'the server greets (220)',
  hello: 'EHLO and its reply',
  starttls: 'STARTTLS',
  tls: 'TLS: what is said in it is not in clear',
  envelope: 'MAIL and RCPT',
  message: 'the message',
  'after-message': 'the message is over, its reply',
  quit: 'QUIT',
  data: 'data',
};

/** The stretches of a connection, each from the packet that begins it to the next one. */
export function phasesOf(
  placed: readonly Placed[],
  found: FoundConnection,
  handshake: Handshake,
  place: Places,
): ConnectionPhase[] {
  const speaksSmtp = SMTP_PORTS.includes(found.responder.port);
  const phases: ConnectionPhase[] = [];
  const begin = (phase: PhaseId, atS: number, from: Place[], facts: Fact[] = []) => {
    const last = phases.at(-1);
    if (last) last.untilS = atS;
    const fresh: ConnectionPhase = {
      phase,
      says: SAYS[phase],
      fromS: atS,
      untilS: atS,
      originatorBytes: 0,
      responderBytes: 0,
      from,
      facts,
    };
    phases.push(fresh);
    return fresh;
  };
  let now = begin('handshake', 0, handshake.places, handshake.facts);
  for (const { p, at, side } of placed) {
    if (p.payload <= 0) continue;
    const next = speaksSmtp ? BEGINS[p.smtp] : undefined;
    // Bytes that say nothing of SMTP follow the handshake all the same.
    const phase = next ?? (now.phase === 'handshake' ? 'data' : now.phase);
    const isAgain = (p.analysis & ANALYSIS.resent) !== 0;
    if (phase !== now.phase && !isAgain) now = begin(phase, at, [place(p.line)]);
    if (!isAgain) now[side === 0 ? 'originatorBytes' : 'responderBytes'] += p.payload;
    if (side === 1 && (p.smtp === SMTP.replyTemporary || p.smtp === SMTP.replyPermanent) && !isAgain)
      now.facts.push({
        says: `the server replied ${p.smtp === SMTP.replyTemporary ? '4xx: not now' : '5xx: no'} (${plural(p.payload, 'byte')})`,
        from: [place(p.line)],
      });
  }
  now.untilS = placed.at(-1)?.at ?? 0;
  return phases.slice(0, MOST_PHASES);
}

/** Of a connection with many messages, the first so many. */
const MOST_PHASES = 200;
