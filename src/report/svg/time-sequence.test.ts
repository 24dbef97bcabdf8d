import { describe, expect, it } from 'vitest';
import type { ConnectionStory, DrawnPoint, PointKind } from '../../findings/connection-story.js';
import { displayWidth } from '../terminal/text.js';
import { renderConnection } from '../terminal/why-connection.js';
import { escapeXml, timeSequenceSvg } from './time-sequence.js';

const point = (kind: PointKind, atS: number, from: number, to: number, packet: number): DrawnPoint => ({
  kind,
  atS,
  from,
  to,
  packet,
});

function storyWith(over: Partial<ConnectionStory> = {}): ConnectionStory {
  const traffic = { packets: 4, bytes: 5000, repeatedBytes: 0, acknowledgedBytes: 5000 };
  return {
    capture: '/var/tmp/</title><script>alert(1)</script>\x1b[2J.pcap',
    connection: 1,
    originator: { ip: 'fd80::2', port: 40_112 },
    responder: { ip: 'fd80::1', port: 25 },
    firstPacket: 4,
    lastPacket: 90,
    packets: 8,
    packetsRead: 8,
    beganAt: '2026-11-23T12:41:50.958702Z',
    seconds: 60,
    outcome: 'stalled',
    says: 'stalled for 1 min',
    traffic: { originator: traffic, responder: traffic },
    phases: [],
    facts: [],
    drawing: {
      sender: 'originator',
      merged: 0,
      points: [
        point('window', 0, 4000, 4000, 5),
        point('data', 0.1, 1, 2500, 6),
        point('data', 0.15, 2500, 5000, 7),
        point('ack', 0.2, 5000, 5000, 8),
        point('window', 0.2, 90_000, 90_000, 8),
        point('resent-after-ack', 10, 1, 2500, 9),
        point('sack', 10.1, 1, 2500, 10),
        point('zero-window', 20, 5000, 5000, 11),
        point('reset', 60, 5000, 5000, 90),
      ],
    },
    ...over,
  };
}

describe('the SVG', () => {
  it('is an image with a title, draws each kind, and runs nothing', () => {
    const svg = timeSequenceSvg(storyWith());
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" role="img"')).toBe(true);
    expect(svg).toContain('<title id="t">[fd80::2]:40112 to [fd80::1]:25: stalled for 1 min</title>');
    expect(svg).toContain('<title>packet 9: sent again after its ACK was here, bytes 1 to 2,500</title>');
    expect(svg).toContain('<title>packet 90: RST, at byte 5,000</title>');
    for (const never of ['<script', '\x1b', 'href', 'NaN', 'Infinity', 'undefined', 'url(http'])
      expect(svg).not.toContain(never);
    // Every element that is opened is closed, in order.
    const open: string[] = [];
    for (const [, end, name, alone] of svg.matchAll(/<(\/?)([a-zA-Z]+)(?:[^<>]*?)(\/?)>/g))
      if (end) expect(open.pop()).toBe(name);
      else if (!alone) open.push(name!);
    expect(open).toEqual([]);
  });

  it('writes text so that it stays text', () => {
    expect(escapeXml('<a b="c">&\'')).toBe('&#60;a b=&#34;c&#34;&#62;&#38;&#39;');
    expect(escapeXml('\x00\x1b\u202e\ud800\uffff')).toBe('\ufffd'.repeat(5));
    expect(escapeXml('ä😀')).toBe('ä😀');
  });

  it('has something for a connection of one packet', () => {
    const svg = timeSequenceSvg(
      storyWith({ seconds: 0, drawing: { sender: 'originator', merged: 0, points: [] } }),
    );
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('the terminal', () => {
  const plain = (width: number, unicode: boolean, story = storyWith()) =>
    renderConnection(story, { width, unicode, paint: (_style, text) => text });

  it.each([40, 80, 120])('keeps to %i columns, and to ASCII where it must', (width) => {
    for (const unicode of [true, false]) {
      const text = plain(width, unicode);
      for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      if (!unicode) expect(text).toMatch(/^[\n -~]*$/);
      expect(text).not.toContain('\x1b');
    }
  });

  it('draws data, ACKs, and what went wrong each with a mark of its own', () => {
    const text = plain(80, true);
    const graph = text.split('\n').filter((l) => l.includes('│'));
    expect(graph).toHaveLength(18);
    for (const mark of ['▁', '▔', 'X', 's', '0', '!']) expect(graph.join('\n')).toContain(mark);
    expect(graph.join('')).toMatch(/[\u2801-\u28ff]/);
    expect(text).toContain('X sent again after its ACK was here');
    expect(text).toContain('part of the window edge lies above');
    // Of a connection without any of this nothing is said of it.
    const quiet = storyWith({
      drawing: {
        sender: 'originator',
        merged: 0,
        points: [point('data', 0, 1, 100, 1), point('ack', 1, 100, 100, 2)],
      },
    });
    expect(plain(80, true, quiet)).not.toContain('sent again');
  });
});
