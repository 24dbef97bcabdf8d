import { describe, expect, it } from 'vitest';
import type { LifeEvent, LifeRecipient, MessageLife } from '../../findings/message-life.js';
import { timeSpan } from './numbers.js';
import { plainPaint } from './style.js';
import { displayWidth } from './text.js';
import { renderFound, renderLife } from './why-message.js';

const from = { path: '/var/log/exim4/mainlog', line: 7 };
const recipient = (address: string, more: Partial<LifeRecipient> = {}): LifeRecipient => ({
  address,
  original: null,
  provider: { id: 'firm.example', name: 'firm.example' },
  outcome: 'delivered',
  endedAt: '2022-04-11T11:00:01',
  totalS: 3601,
  parts: [
    { says: 'waiting for our own retry time', kind: 'retry', at: '2022-04-11T10:00:00', seconds: 3600, from },
    { says: 'sending', kind: 'trying', at: '2022-04-11T11:00:00', seconds: 1, from },
  ],
  attempts: [],
  ...more,
});
let events = 0;
const event = (kind: string, address: string | null, more: Partial<LifeEvent> = {}): LifeEvent => ({
  at: '2022-04-11T10:00:00',
  gapS: 0,
  kind,
  address,
  host: 'mx.firm.example',
  ip: '192.0.2.60',
  says: `${kind} to ${address}`,
  reply: null,
  meaning: null,
  same: events++,
  ...from,
  ...more,
});
const life = (more: Partial<MessageLife> = {}): MessageLife => ({
  message: '1njbGQ-005LxL-M5',
  host: 'mx1',
  program: 'exim',
  sender: 'bob@sender.example',
  messageId: 'one@sender.example',
  client: { host: '(pc)', ip: '192.0.2.9', protocol: 'esmtp' },
  bytes: 2376,
  begins: 'logged',
  arrivedAt: '2022-04-11T10:00:00',
  beganAt: '2022-04-11T10:00:00',
  endedAt: '2022-04-11T11:00:01',
  ends: 'completed',
  from,
  parents: [],
  children: [],
  recipientCount: 1,
  recipients: [recipient('kate@firm.example')],
  eventCount: 0,
  events: [],
  advice: [],
  ...more,
});
const screen = (width: number) => ({ width, paint: plainPaint, unicode: true });

describe('a message’s life on a terminal', () => {
  it('fits its width, whatever that is and whatever the log says', () => {
    const long = `${'x'.repeat(90)}@${'y'.repeat(90)}.example`;
    const told = life({
      recipients: [recipient(long), recipient('a@b', { outcome: 'waiting' })],
      recipientCount: 2,
      events: [
        event('deferred', long, { reply: `450 ${'z'.repeat(700)}`, meaning: 'The receiver greylists.' }),
        event('deferred', '\x1b[2J\u202e', { says: 'put off for \x1b[2J\u202e', at: '2022-04-12T00:00:00' }),
      ],
      parents: ['1njbGP-005LxL-M4'],
      advice: ['add +deliver_time to log_selector'],
    });
    for (const width of [40, 45, 60, 80, 100, 140]) {
      const lines = renderLife(told, screen(width)).split('\n');
      for (const line of lines) expect(displayWidth(line), `${width}: ${line}`).toBeLessThanOrEqual(width);
      expect(lines.join('\n')).not.toMatch(/[\x1b\u202e]/);
      expect(lines.join('\n')).toContain('\\x1b[2J');
    }
  });

  it('tells recipients that went the same way together, the slowest way first', () => {
    const many = Array.from({ length: 5000 }, (_, i) => recipient(`user${i}@firm.example`));
    const other = recipient('late@school.example', {
      provider: { id: 'school.example', name: 'school.example' },
      totalS: 7201,
      parts: [{ says: 'waiting', kind: 'retry', at: '2022-04-11T10:00:00', seconds: 7201, from }],
    });
    const text = renderLife(life({ recipients: [...many, other], recipientCount: 5001 }), screen(100));
    expect(text.indexOf('late@school.example')).toBeLessThan(
      text.indexOf('5,000 recipients at firm.example'),
    );
    expect(text).toContain('delivered to all 5,001 recipients, the slowest after 2 h');
    expect(text.split('\n').length).toBeLessThan(20);
  });

  it('tells few ways and at most 41 rows of lines, and counts the rest', () => {
    const recipients = Array.from({ length: 30 }, (_, i) =>
      recipient(`a@d${i}.example`, { provider: { id: `d${i}`, name: `d${i}` } }),
    );
    const events = Array.from({ length: 100 }, (_, i) =>
      event(i % 2 ? 'delivered' : 'deferred', `a@d${i}.example`),
    );
    const text = renderLife(life({ recipients, recipientCount: 30, events, eventCount: 120 }), screen(100));
    // Too many providers to tell one by one.
    expect(text).toContain('30 recipients of 30 providers');
    expect(text).toContain('60 more between');
    expect(text).toContain('20 later lines are not told');
  });

  it('puts lines that say the same together', () => {
    const events = Array.from({ length: 37 }, (_, i) =>
      event('delivered', `user${i}@firm.example`, { reply: `250 ok queued as ${i}`, same: -1 }),
    );
    const text = renderLife(life({ events, eventCount: 37 }), screen(100));
    expect(text).toContain('delivered to user0@firm.example and 36 more');
    expect(text).not.toContain('user1@firm.example');
  });

  it('does not call an open end an end, nor a beginning before the logs a beginning', () => {
    const open = renderLife(
      life({ ends: 'open', begins: 'before-logs', recipients: [recipient('a@b', { outcome: 'waiting' })] }),
      screen(100),
    );
    expect(open).toContain('waiting still for at least 1 h');
    expect(open).toContain('in the queue still when the logs end');
    expect(open).toContain('beginning lies before the logs');
  });
});

it('writes spans of time to the second, in two units', () => {
  const spans = [
    0,
    0.017,
    1.25,
    59.4,
    59.5,
    61,
    2405,
    3599.6,
    7199,
    7202,
    86_399,
    90_000,
    266_400,
    Number.NaN,
  ];
  expect(spans.map(timeSpan)).toEqual([
    '0 s',
    '17 ms',
    '1.3 s',
    '59 s',
    '1 min',
    '1 min 1 s',
    '40 min 5 s',
    '1 h',
    '2 h',
    '2 h',
    '1 day',
    '1 day 1 h',
    '3 days 2 h',
    '–',
  ]);
});

it('lists messages that fit in their width', () => {
  const found = Array.from({ length: 3 }, (_, i) => ({
    no: i,
    message: `1njbGQ-005LxL-M${i}`,
    host: 'mx1',
    at: '2022-04-11T10:00:00+02:00',
    sender: `${'s'.repeat(60)}@sender.example`,
    recipients: 3,
    recipient: `${'r'.repeat(60)}@firm.example`,
    outcome: '2 delivered, 1 waiting',
    delayS: 3600,
  }));
  for (const width of [60, 80, 100]) {
    const text = renderFound(found, 7, screen(width));
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    expect(text).toContain('4 older ones fit too');
    expect(text).toContain('1njbGQ-005LxL-M2');
  }
});
