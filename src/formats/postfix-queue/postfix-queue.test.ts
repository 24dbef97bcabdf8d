import { describe, expect, it } from 'vitest';
import { detectPostfixQueue, readPostfixQueue } from './postfix-queue.js';

const SHORT = `-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
0A1B2C3D4E*     1234 Mon Mar  2 04:11:09  alice@example.org
                                         bob@example.com

5F6A7B8C9D    987654 Tue Mar 10 14:01:00  MAILER-DAEMON
     (host mx.example.net[192.0.2.7] said: 421 4.7.0 try later (in reply to MAIL FROM command))
                                         carol@example.net
                                         dave@example.net
(delivery temporarily suspended: a reason that is longer than the seventy-six columns it may have)
                                         erin@example.edu

-- 966 Kbytes in 2 Requests.
`;

describe('postqueue -p', () => {
  it('has each message with its recipients and the reason that stands above them', () => {
    const { messages, unread, lines } = readPostfixQueue(SHORT);
    expect(unread).toEqual([]);
    expect(lines).toBe(12);
    expect(messages).toMatchObject([
      {
        id: '0A1B2C3D4E',
        queue: 'active',
        size_bytes: 1234,
        arrived_wall: '03-02T04:11:09',
        sender: 'alice@example.org',
      },
      { id: '5F6A7B8C9D', queue: null, sender: '', line: 5 },
    ]);
    const why = 'host mx.example.net[192.0.2.7] said: 421 4.7.0 try later (in reply to MAIL FROM command)';
    expect(messages[0]!.recipients).toEqual([{ address: 'bob@example.com', reason: null }]);
    expect(messages[1]!.recipients.map((r) => [r.address, r.reason])).toEqual([
      ['carol@example.net', why],
      ['dave@example.net', why],
      ['erin@example.edu', expect.stringContaining('suspended')],
    ]);
  });

  it('is read with long queue ids too', () => {
    const long = `----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
4Yx5ZB0sq9z1Jw!       512 Sun Dec 28 23:59:59 a@example.org
                                               b@example.com
`;
    expect(readPostfixQueue(long).messages).toMatchObject([
      {
        id: '4Yx5ZB0sq9z1Jw',
        queue: 'hold',
        arrived_wall: '12-28T23:59:59',
        recipients: [{ address: 'b@example.com' }],
      },
    ]);
    expect(detectPostfixQueue(Buffer.from(long))).toBe(true);
  });
});

describe('postqueue -j', () => {
  const line = JSON.stringify({
    queue_name: 'deferred',
    queue_id: '4Yx5ZB0sq9z1Jw',
    arrival_time: 1_772_424_669,
    message_size: 2048,
    forced_expire: false,
    sender: 'MAILER-DAEMON',
    recipients: [
      { orig_address: '', address: 'b@example.com', delay_reason: '421 later' },
      { address: 'c@example.com' },
    ],
  });

  it('has each message of its line, and counts what is none', () => {
    const { messages, unread, lines } = readPostfixQueue(`${line}\n{"queue_id": 1}\n{broken\n[]\n`);
    expect(lines).toBe(4);
    expect(unread).toEqual([2, 3, 4]);
    expect(messages).toEqual([
      {
        id: '4Yx5ZB0sq9z1Jw',
        queue: 'deferred',
        arrived_epoch_s: 1_772_424_669,
        arrived_wall: null,
        size_bytes: 2048,
        sender: '',
        recipients: [
          { address: 'b@example.com', reason: '421 later' },
          { address: 'c@example.com', reason: null },
        ],
        line: 1,
      },
    ]);
  });

  it('is known by its first keys, and other JSON is not', () => {
    expect(
      detectPostfixQueue(Buffer.from('{"queue_name": "deferred", "queue_id": "4Yx5ZB0sq9z1Jw", "x')),
    ).toBe(true);
    expect(detectPostfixQueue(Buffer.from('{"queue_name": 1}'))).toBe(false);
    expect(detectPostfixQueue(Buffer.from(SHORT))).toBe(true);
    expect(detectPostfixQueue(Buffer.from('Mail queue is empty\n'))).toBe(true);
  });
});

it('takes long runs of blanks and brackets in its stride', () => {
  const head = '0A1B2C3D4E*     1234 Mon Mar  2 04:11:09  a@example.com\n';
  const start = performance.now();
  for (const line of [
    `          a${' '.repeat(400_000)}b`,
    '     ('.repeat(100_000),
    `${' '.repeat(500_000)}(`,
  ])
    expect(readPostfixQueue(head + line).lines).toBe(2);
  expect(performance.now() - start).toBeLessThan(1_500);
});
