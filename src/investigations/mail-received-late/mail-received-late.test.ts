import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MailRoute } from '../../findings/mail-route.js';
import { receivedMails } from '../../formats/received-mail/received-mail.js';
import { judgeMail } from './mail-received-late.js';

async function judged(bytes: AsyncIterable<Uint8Array>): Promise<MailRoute> {
  for await (const mail of receivedMails(bytes)) return judgeMail(mail, 'x.eml');
  throw new Error('no header');
}
const judgedCase = (name: string) =>
  judged(createReadStream(fileURLToPath(new URL(`cases/${name}.eml`, import.meta.url))));
const judgedText = (text: string) =>
  judged(
    (async function* () {
      yield Buffer.from(text);
    })(),
  );

/** A mail by way of hosts a, b, c …, each stamped so many seconds after the date; undefined: without a time. */
function way(seconds: (number | undefined | string)[], more: string[] = []): string {
  const at = (s: number) =>
    new Date(Date.UTC(2022, 3, 11, 9, 40) + s * 1000).toUTCString().replace('GMT', '+0000');
  const hosts = seconds.map((_, i) => `mx.${'abcdefghij'[i]}.example`);
  const received = seconds.map((s, i) => {
    const from = i === 0 ? 'laptop ([198.51.100.7])' : `${hosts[i - 1]} ([192.0.2.${i}])`;
    const date = s === undefined ? '' : `; ${typeof s === 'string' ? s : at(s)}`;
    return `Received: from ${from} by ${hosts[i]} with ESMTP id id${i}${date}`;
  });
  return [...received.reverse(), `Date: ${at(0)}`, 'From: a@a.example', ...more, '', ''].join('\n');
}

const verdictOf = ({ finding }: MailRoute) =>
  Object.fromEntries(finding!.hypotheses.map((h) => [h.id, h.verdict]));

describe('the cases', () => {
  it('names the host that had it in its queue', async () => {
    const { finding, hops, queuedSeconds } = await judgedCase('held-by-sender');
    expect(finding).toMatchObject({
      outcome: 'culprit',
      culprit: 'slow-hop',
      confidence: 'likely',
      subject: {
        host: 'out.sender.example',
        hop: '1',
        queueId: '1ndu3K-005LxL-M5',
        operator: 'sender.example',
      },
      since: '2022-04-11T09:40:02',
      until: '2022-04-11T14:52:29',
      impact: [{ value: 18_747, unit: 'second' }],
    });
    expect(verdictOf({ finding } as MailRoute)).toEqual({
      'slow-hop': 'confirmed',
      'clock-skew': 'ruled-out',
      'sender-queued': 'ruled-out',
    });
    expect(queuedSeconds).toBe(4);
    expect(hops.map((h) => [h.delaySeconds, h.heldSeconds])).toEqual([
      [null, 18_747],
      [18_747, 2],
      [2, null],
    ]);
    expect(finding!.hypotheses[0]!.facts[0]!.from).toEqual([
      { path: 'x.eml', line: 11 },
      { path: 'x.eml', line: 7 },
    ]);
    const [ask, own] = finding!.remedies;
    expect(ask!.change).toContain('postmaster@sender.example');
    expect(ask!.change).toContain('2022-04-11 14:52:29 UTC');
    expect(own!.change).toBe(
      'culprit why message 1ndu3K-005LxL-M5\nexigrep 1ndu3K-005LxL-M5 /var/log/exim4/mainlog*',
    );
  });

  it('accuses nobody when the same mail was prompt', async () => {
    const { finding, clear } = await judgedCase('prompt');
    expect(finding).toBeNull();
    expect(clear!.says).toContain('it took 11 s');
  });

  it('accuses the clock and no host when a clock is wrong', async () => {
    const { finding, hops } = await judgedCase('wrong-clock');
    expect(finding).toMatchObject({
      culprit: 'clock-skew',
      confidence: 'certain',
      subject: { host: 'relay.hoster.example', hop: '2' },
    });
    expect(verdictOf({ finding } as MailRoute)['slow-hop']).toBe('ruled-out');
    expect(hops.map((h) => h.delaySeconds)).toEqual([null, 5230, -5225]);
    expect(hops.map((h) => h.adjustedDelaySeconds)).toEqual([null, null, 5]);
    expect(hops[1]!.clockAhead).toEqual({ least: 5225, most: 5230 });
  });

  it('names the rivals when two clocks alone differ by whole hours', async () => {
    const { finding } = await judgedCase('two-clocks');
    expect(finding).toMatchObject({ outcome: 'cannot-tell', culprit: null });
    expect(verdictOf({ finding } as MailRoute)).toEqual({
      'slow-hop': 'undecided',
      'clock-skew': 'undecided',
      'sender-queued': 'ruled-out',
    });
    for (const h of finding!.hypotheses) if (h.verdict === 'undecided') expect(h.bring).not.toEqual([]);
  });

  it('leaves open whether it lay at the author’s or his clock is wrong', async () => {
    const { finding } = await judgedCase('outbox');
    expect(finding!.outcome).toBe('cannot-tell');
    expect(verdictOf({ finding } as MailRoute)).toMatchObject({
      'sender-queued': 'undecided',
      'clock-skew': 'undecided',
      'slow-hop': 'ruled-out',
    });
  });

  it('says that it was queued before the first server where one clock made both times', async () => {
    expect((await judgedCase('queued-by-program')).finding).toMatchObject({
      culprit: 'sender-queued',
      confidence: 'likely',
    });
  });

  it('tells greylisting from a slow queue', async () => {
    const { finding } = await judgedCase('greylisted');
    expect(finding!.title).toContain('Greylisting by mx.receiver.example');
    expect(finding!.remedies[0]!.where).toContain('whitelist_clients');
  });

  it('takes the hosts of one operator together', async () => {
    const { finding, hops } = await judgedCase('held-inside-microsoft');
    expect(finding).toMatchObject({ culprit: 'slow-hop', subject: { operator: 'Microsoft', hop: '2' } });
    expect(hops.map((h) => h.operator)).toEqual(['sender.example', 'Microsoft', 'Microsoft', 'Microsoft']);
    expect(finding!.notes[0]!.says).toContain('it waited inside');
    expect(finding!.subject.queueId).toBeUndefined();
  });

  it('does not count the time until somebody sent it on', async () => {
    const { finding, clear } = await judgedCase('sent-on');
    expect(finding).toBeNull();
    expect(clear!.facts.map((f) => f.says).join()).toContain('sent it on by hand');
  });
});

describe('a wait', () => {
  it('at a hop beside one without a time may be of either', async () => {
    const { finding } = await judgedText(way([2, undefined, 7777, 7778]));
    expect(finding).toMatchObject({ outcome: 'cannot-tell' });
    expect(finding!.title).toContain('mx.a.example or hop 2');
  });

  it('at a hop whose time has no zone is not measured by it', async () => {
    const { finding, hops } = await judgedText(way([2, 'Mon, 11 Apr 2022 11:50:02', 9, 10]));
    expect(finding).toBeNull();
    expect(hops[1]!.timeProblem).toBe('no zone');
  });

  it('until a mailbox was fetched is told as that', async () => {
    const mail = way([2, 4, 7777]).replace('by mx.c.example with ESMTP', 'by mx.c.example with POP3');
    const { finding } = await judgedText(mail);
    expect(finding).toMatchObject({ culprit: 'slow-hop' });
    expect(finding!.title).toContain('until it was fetched');
    expect(finding!.remedies[0]!.change).toBe('set daemon 300');
  });

  it('for a moderator is told as that', async () => {
    const { finding } = await judgedText(
      way([2, 4, 7777], ['X-Mailman-Approved-At: Mon, 11 Apr 2022 11:49:30 +0000', 'List-Id: <l.b.example>']),
    );
    expect(finding!.hypotheses[0]!.says).toContain('moderator');
  });

  it('is told from a signature near the date', async () => {
    const at = Date.UTC(2022, 3, 11, 9, 40, 3) / 1000;
    const { finding } = await judgedText(
      way([7777, 7778], [`DKIM-Signature: v=1; d=a.example; t=${at}; b=x`]),
    );
    expect(finding).toMatchObject({ culprit: 'sender-queued' });
  });

  it('is told by which of two clocks it cannot be', async () => {
    const { finding } = await judgedText(way([9000, 5]).replace(/^Date:.*\n/m, ''));
    expect(finding).toMatchObject({ culprit: 'clock-skew' });
    expect(finding!.title).toMatch(
      /mx\.a\.example is ahead, or .*mx\.b\.example behind|mx\.b.*behind, or .*mx\.a.*ahead/,
    );
    expect(verdictOf({ finding } as MailRoute)['slow-hop']).toBe('undecided');
  });

  it('counts from --late on', async () => {
    for await (const mail of receivedMails(
      (async function* () {
        yield Buffer.from(way([2, 4, 700, 703]));
      })(),
    )) {
      expect(judgeMail(mail, 'x').finding).toMatchObject({ culprit: 'slow-hop' });
      expect(judgeMail(mail, 'x', 900).finding).toBeNull();
    }
  });
});

describe('what cannot be told', () => {
  it.each([
    [
      'no Received',
      'From: a@b.example\nDate: Mon, 11 Apr 2022 09:40:00 +0000\nTo: c@d.example\n\n',
      'no Received field',
    ],
    ['no time at all', 'Received: from a by b\nFrom: a@b.example\n\n', 'no Received field has a time'],
    ['one time', 'Received: from a by b; Mon, 11 Apr 2022 09:40:00 +0000\n\n', 'only one time'],
    [
      'a thousand hops',
      'Received: from a by b; Mon, 11 Apr 2022 09:40:00 +0000\n'.repeat(2000),
      'more than 1,000',
    ],
  ])('%s', async (_, text, because) => {
    const { finding, clear, cannotTell } = await judgedText(text);
    expect([finding, clear]).toEqual([null, null]);
    expect(cannotTell!.because).toContain(because);
    expect(cannotTell!.bring).not.toEqual([]);
  });
});

describe('one wrong clock', () => {
  it('never accuses a host of holding a prompt mail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 7 }),
        fc.nat(),
        fc.integer({ min: 600, max: 900_000 }),
        fc.boolean(),
        async (steps, which, off, ahead) => {
          let at = 0;
          const seconds = steps.map((step) => (at += step));
          // The last clock, when ahead, is contradicted by nothing: whoever reads the mail sees a wait.
          const hop = ahead ? which % (seconds.length - 1) : which % seconds.length;
          seconds[hop]! += ahead ? off : -off;
          const { finding } = await judgedText(way(seconds));
          expect(finding?.culprit).not.toBe('slow-hop');
          // Against the first server’s clock stands the author’s alone, which is believed less.
          if (!ahead && hop === 0) return;
          expect(finding?.culprit).toBe('clock-skew');
          expect(finding!.subject.hop).toBe(String(hop + 1));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('survives absurd dates', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(fc.integer({ min: -1_600_000_000, max: 250_000_000_000 }), fc.constant(undefined)),
          {
            minLength: 1,
            maxLength: 10,
          },
        ),
        async (seconds) => {
          const route = await judgedText(way(seconds));
          expect([route.finding, route.clear, route.cannotTell].filter((v) => v !== null)).toHaveLength(1);
          expect(JSON.stringify(route)).not.toMatch(/NaN|undefined|Invalid/);
        },
      ),
      { numRuns: 200 },
    );
  });
});
