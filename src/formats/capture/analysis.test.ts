import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TcpAnalysis } from './analysis.js';
import { Analysis, SmtpStep, TcpFlag } from './columns.js';
import { Packet } from './packet.js';

const { syn: SYN, ack: ACK, rst: RST, psh: PSH } = TcpFlag;

/** A conversation, told packet by packet. Sequence numbers of the client count from `isn`, the server's from 5000. */
class Talk {
  readonly packet = new Packet();
  #number = 0;
  #at = 1e15;
  constructor(
    readonly analysis = new TcpAnalysis(),
    readonly isn = 1000,
    readonly ports: [number, number] = [40_000, 25],
  ) {}

  /** One packet, `after` milliseconds. `seq` and `ack` relative to the first numbers. */
  say(
    who: 'client' | 'server',
    flags: number,
    seq: number,
    ack: number,
    say: Partial<Packet> & { after?: number; text?: string } = {},
  ): Packet {
    const { after = 10, text, ...rest } = say;
    const { packet } = this;
    packet.clear();
    this.#at += after * 1000;
    const client = who === 'client';
    const [own, other] = client ? [this.isn, 5000] : [5000, this.isn];
    const payload = Buffer.from(text ?? '');
    Object.assign(packet, {
      number: ++this.#number,
      at: this.#at,
      ipProtocol: 6,
      srcIp: client ? 7 : 3,
      dstIp: client ? 3 : 7,
      ipId: this.#number,
      srcPort: this.ports[client ? 0 : 1],
      dstPort: this.ports[client ? 1 : 0],
      tcpFlags: flags,
      seq: (own + seq) >>> 0,
      ack: flags & ACK ? (other + ack) >>> 0 : 0,
      windowRaw: 500,
      payloadBytes: payload.length,
      payloadEnd: payload.length,
      ...rest,
    });
    this.analysis.see(packet, payload);
    return packet;
  }

  handshake(): this {
    this.say('client', SYN, 0, 0, { windowScale: 7 });
    this.say('server', SYN | ACK, 0, 1, { windowScale: 8 });
    this.say('client', ACK, 1, 1);
    return this;
  }

  /** `bytes` of data from one side. */
  data(who: 'client' | 'server', seq: number, ack: number, payloadBytes: number, more: object = {}): Packet {
    return this.say(who, ACK | PSH, seq, ack, { payloadBytes, ...more });
  }
}

describe('resent after its ACK', () => {
  it.each([1000, 2 ** 32 - 3000])(
    'is said of bytes whose ACK had come long before (first number %d)',
    (isn) => {
      const talk = new Talk(new TcpAnalysis(), isn).handshake();
      for (let i = 0; i < 4; i++) talk.data('client', 1 + i * 1448, 1, 1448);
      talk.say('server', ACK, 1, 1 + 4 * 1448);
      // Cut otherwise than it was sent at first.
      const again = talk.data('client', 1 + 1448, 1, 2 * 1448, { after: 400 });
      expect(again.analysis).toBe(Analysis.spuriousRetransmission | Analysis.resentAfterAck);
    },
  );

  it('is not said while the ACK may be on its way', () => {
    const talk = new Talk().handshake();
    talk.data('client', 1, 1, 1448);
    talk.say('server', ACK, 1, 1449);
    expect(talk.data('client', 1, 1, 1448, { after: 150 }).analysis).toBe(Analysis.spuriousRetransmission);
  });

  it('is not said of bytes that were not seen before, nor of some that were not acknowledged', () => {
    const talk = new Talk().handshake();
    talk.data('client', 1, 1, 1000);
    talk.data('client', 2001, 1, 1000);
    talk.say('server', ACK, 1, 3001);
    expect(talk.data('client', 3001, 1, 1000).analysis).toBe(0);
    expect(talk.data('client', 2501, 1, 1500, { after: 400 }).analysis).toBe(Analysis.retransmission);
  });

  it('keeps ACKs that are followed by others', () => {
    const talk = new Talk().handshake();
    for (let i = 0; i < 100; i++) {
      talk.data('client', 1 + i * 1000, 1, 1000);
      talk.say('server', ACK, 1, 1001 + i * 1000);
    }
    expect(talk.data('client', 1, 1, 1000).analysis & Analysis.resentAfterAck).toBe(Analysis.resentAfterAck);
    expect(talk.data('client', 98_001, 1, 1000).analysis & Analysis.resentAfterAck).toBe(0);
  });
});

describe('connections', () => {
  it('are numbered as they appear, and begin anew with another first number or after a reset', () => {
    const analysis = new TcpAnalysis();
    const one = new Talk(analysis).handshake();
    const two = new Talk(analysis, 9000, [40_001, 25]).handshake();
    expect([one.packet.connection, two.packet.connection]).toEqual([1, 2]);
    one.say('client', SYN, 0, 0);
    expect([one.packet.connection, one.packet.analysis]).toEqual([1, Analysis.retransmission]);
    one.say('server', RST, 1, 0);
    one.say('client', SYN, 0, 0);
    expect([one.packet.connection, one.packet.analysis]).toEqual([3, Analysis.opens | Analysis.portsReused]);
    expect(one.say('client', SYN, 77, 0)).toMatchObject({ connection: 4, fromResponder: 0 });
  });

  it('are told apart by the well-known port where their beginning is missing', () => {
    const talk = new Talk();
    expect(talk.data('server', 1, 1, 10)).toMatchObject({ connection: 1, fromResponder: 1, windowBytes: -1 });
    expect(talk.say('client', ACK, 1, 11)).toMatchObject({
      connection: 1,
      fromResponder: 0,
      windowBytes: -1,
    });
    const odd = new Talk(new TcpAnalysis(), 1000, [40_000, 50_000]);
    expect(odd.data('server', 1, 1, 10).fromResponder).toBe(0);
  });

  it('that were silent longest are forgotten, counted, and begun anew', () => {
    const analysis = new TcpAnalysis(1000);
    for (let port = 2000; port < 4000; port++) new Talk(analysis, 1000, [port, 25]).handshake();
    expect(analysis.forgotten).toBe(1000);
    expect(new Talk(analysis, 1000, [3500, 25]).say('client', ACK, 1, 1).connection).toBe(1501);
    expect(new Talk(analysis, 1000, [2500, 25]).say('client', ACK, 1, 1).connection).toBe(2001);
    analysis.restart();
    expect([analysis.forgotten, new Talk(analysis).handshake().packet.connection]).toEqual([0, 1]);
  });
});

describe('windows', () => {
  it('are scaled where both offered it, never in a SYN', () => {
    const talk = new Talk();
    expect(talk.say('client', SYN, 0, 0, { windowScale: 7 }).windowBytes).toBe(500);
    expect(talk.say('server', SYN | ACK, 0, 1, { windowScale: 8 }).windowBytes).toBe(500);
    expect(talk.say('client', ACK, 1, 1).windowBytes).toBe(500 * 128);
    const plain = new Talk();
    plain.say('client', SYN, 0, 0, { windowScale: 7 });
    plain.say('server', SYN | ACK, 0, 1);
    expect(plain.say('client', ACK, 1, 1).windowBytes).toBe(500);
  });
});

describe('SMTP in clear', () => {
  it('shows its steps until TLS begins', () => {
    const talk = new Talk().handshake();
    let server = 1;
    let client = 1;
    const step = (who: 'client' | 'server', text: string) => {
      talk.say(who, ACK, who === 'client' ? client : server, who === 'client' ? server : client, { text });
      if (who === 'client') client += text.length;
      else server += text.length;
      return talk.packet.smtp;
    };
    expect([
      step('server', '220 mx ESMTP\r\n'),
      step('client', 'ehlo me\r\n'),
      step('server', '250 STARTTLS\r\n'),
      step('client', 'MAIL FROM:<a@example.com>\r\n'),
      step('server', '451 4.7.1 later\r\n'),
      step('client', 'RCPT TO:<b@example.com>\r\n'),
      step('server', '550 5.1.1 no\r\n'),
      step('client', 'DATA\r\n'),
      step('server', '354 go on\r\n'),
      step('client', 'MAIL is what this line begins with\r\n'),
      step('client', 'the end\r\n.\r\n'),
      step('server', '250 queued\r\n'),
      step('client', 'STARTTLS\r\n'),
      step('client', '\x16\x03\x01\x02'),
      step('server', '250 looks like a reply\r\n'),
    ]).toEqual([
      SmtpStep.banner,
      SmtpStep.ehlo,
      SmtpStep.reply,
      SmtpStep.mail,
      SmtpStep.replyTemporary,
      SmtpStep.rcpt,
      SmtpStep.replyPermanent,
      SmtpStep.data,
      SmtpStep.reply,
      SmtpStep.other,
      SmtpStep.endOfData,
      SmtpStep.reply,
      SmtpStep.startTls,
      SmtpStep.tls,
      SmtpStep.tls,
    ]);
  });
});

it('takes any numbers: resent after its ACK only what was seen before', () => {
  const packets = fc.array(
    fc.record({
      client: fc.boolean(),
      flags: fc.integer({ min: 0, max: 31 }),
      seq: fc.integer({ min: 0, max: 60 }),
      ack: fc.integer({ min: 0, max: 60 }),
      length: fc.integer({ min: 0, max: 10 }),
      after: fc.integer({ min: -5, max: 900 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(packets, fc.constantFrom(0, 2 ** 32 - 30), (all, isn) => {
      const talk = new Talk(new TcpAnalysis(4), isn);
      const sent = { client: new Set<number>(), server: new Set<number>() };
      const acked = { client: -1, server: -1 };
      let connection = 0;
      for (const { client, flags, seq, ack, length, after } of all) {
        const [who, other] = client ? (['client', 'server'] as const) : (['server', 'client'] as const);
        const { analysis, connection: now } = talk.say(who, flags, seq, ack, { payloadBytes: length, after });
        if (now !== connection) {
          for (const set of Object.values(sent)) set.clear();
          acked.client = acked.server = -1;
        }
        connection = now;
        if (analysis & Analysis.resentAfterAck && length > 0)
          for (let at = seq; at < seq + length; at++)
            expect(sent[who].has(at) && at < acked[other], `byte ${at} of ${who}`).toBe(true);
        if (analysis & Analysis.duplicatePacket) continue;
        for (let at = seq; at < seq + length; at++) sent[who].add(at);
        if (flags & ACK) acked[who] = Math.max(acked[who], ack);
      }
    }),
    { numRuns: 300 },
  );
});
