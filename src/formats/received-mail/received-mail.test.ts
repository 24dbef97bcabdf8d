import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReceivedMail, receivedMails } from './received-mail.js';

const HEADER = [
  'Received: from b.example (b.example [192.0.2.2])',
  '\tby c.example (Postfix) with ESMTP id ABC',
  '\tfor <ben@c.example>; Mon, 11 Apr 2022 11:40:09 +0200 (CEST)',
  'Received: from a.example by b.example with ESMTP id DEF;',
  ' Mon, 11 Apr 2022 11:40:02 +0200',
  'Date: Mon, 11 Apr 2022 11:40:00 +0200',
  'From: Anna <anna@a.example>',
  'Message-ID: <1@a.example>',
];
const MAIL = `${HEADER.join('\n')}\n\nFrom the body: hello\nReceived: from x by y; Mon, 11 Apr 2022 11:00:00 +0200\n`;

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function read(text: string | Uint8Array, size = 1 << 16): Promise<ReceivedMail[]> {
  const mails: ReceivedMail[] = [];
  for await (const mail of receivedMails(cut(typeof text === 'string' ? Buffer.from(text) : text, size)))
    mails.push(mail);
  return mails;
}
const ways = (mails: ReceivedMail[]) => mails.map((m) => m.traces.map((t) => [t.by, t.id, t.date?.at]));
const WAY = [
  ['b.example', 'DEF', Date.parse('2022-04-11T09:40:02Z')],
  ['c.example', 'ABC', Date.parse('2022-04-11T09:40:09Z')],
];
const map = (lines: string[], change: (line: string) => string) => `${lines.map(change).join('\n')}\n`;

describe('one mail', () => {
  it('is read to the end of its header, with lines', async () => {
    const [mail, ...more] = await read(MAIL);
    expect(more).toEqual([]);
    expect(ways([mail!])).toEqual([WAY]);
    expect(mail!.traces.map((t) => t.line)).toEqual([4, 1]);
    expect(mail).toMatchObject({ line: 1, messageId: '<1@a.example>', from: 'Anna <anna@a.example>' });
    expect(mail!.date?.line).toBe(6);
  });

  it('reads the other fields that say something of the way', async () => {
    const [mail] = await read(
      [
        'Return-Path: <anna@a.example>',
        'Delivered-To: ben@c.example',
        'Received-SPF: Pass (mailfrom) identity=mailfrom',
        'Authentication-Results: mx.c.example; spf=pass smtp.mailfrom=a.example; dkim=fail (bad) header.d=a.example;',
        ' dmarc=none',
        ...HEADER.slice(0, 3),
        'X-Greylist: delayed 321 seconds by postgrey-1.36 at c.example; Mon, 11 Apr 2022 11:40:09 CEST',
        ...HEADER.slice(3),
        'DKIM-Signature: v=1; a=rsa-sha256; d=A.example; s=x; t=1649670001;',
        ' h=from:to:subject:date; bh=x; b=y',
        'List-Id: <l.example>',
        '',
        '',
      ].join('\r\n'),
    );
    expect(mail).toMatchObject({
      returnPath: '<anna@a.example>',
      deliveredTo: 'ben@c.example',
      spf: 'pass',
      authentication: { by: 'mx.c.example', results: 'spf=pass dkim=fail dmarc=none' },
      signed: [{ domain: 'a.example', at: 1_649_670_001_000 }],
      isList: true,
      remarks: [{ name: 'x-greylist', above: 1 }],
    });
    expect(ways([mail!])).toEqual([WAY]);
  });
});

describe('a pasted header', () => {
  it.each<[string, string | Buffer]>([
    ['CRLF', MAIL.replaceAll('\n', '\r\n')],
    ['CR alone', MAIL.replaceAll('\n', '\r')],
    ['a byte order mark', `\ufeff${MAIL}`],
    ['UTF-16 LE', Buffer.from(`\ufeff${MAIL}`, 'utf16le')],
    ['UTF-16 LE without a mark', Buffer.from(MAIL, 'utf16le')],
    ['UTF-16 BE', Buffer.from(`\ufeff${MAIL}`, 'utf16le').swap16()],
    ['quoted', map(HEADER, (l) => `> ${l}`)],
    [
      'quoted twice, blanks cut',
      `hello\n\n${map(HEADER, (l) => `>> ${l}`)}>>\n>> Received: from x by y; ${'z'}\n`,
    ],
    ['indented', `Here it is:\n\n${map(HEADER, (l) => `    ${l}`)}`],
    [
      'indented, but for the first line',
      `${HEADER[0]}\n${map(HEADER.slice(1), (l) => `    ${l.trimStart()}`)}`,
    ],
    ['folds without their blanks', map(HEADER, (l) => l.trimStart())],
    ['an empty line behind each', map(HEADER, (l) => `${l}\n`)],
    ['text before', `Please look at this:\nNote: it was late\n\n${MAIL}`],
    ['Outlook', `Microsoft Mail Internet Headers Version 2.0\n${MAIL}`],
    ['no end of line', HEADER.join('\n')],
    ['blanks before the colon', MAIL.replaceAll('Received:', 'Received :')],
    ['capitals', MAIL.replaceAll('Received:', 'RECEIVED:')],
  ])('is read in spite of %s', async (_, text) => {
    expect(ways(await read(text))).toEqual([WAY]);
  });

  it('is the same however it comes in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 99 }),
        fc.constantFrom(
          MAIL,
          map(HEADER, (l) => `> ${l}`),
        ),
        async (size, text) => {
          expect(ways(await read(text, size))).toEqual([WAY]);
          expect(ways(await read(Buffer.from(`\ufeff${text}`, 'utf16le'), size))).toEqual([WAY]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('does not take the header of an attached mail for its own', async () => {
    const [mail] = await read(
      `From: a@b.example\nDate: Mon, 11 Apr 2022 11:40:00 +0200\nTo: c@d.example\n\n${MAIL}`,
    );
    expect(mail!.traces).toEqual([]);
  });
});

describe('a mailbox', () => {
  const separator = 'From anna@a.example Mon Apr 11 11:40:09 2022\n';
  it('is read mail by mail', async () => {
    const mails = await read(`${separator}${MAIL}\n`.repeat(300), 4096);
    expect(ways(mails)).toEqual(Array(300).fill(WAY));
    const height = (separator + MAIL).split('\n').length;
    expect(mails.map((m) => m.line)).toEqual(Array.from({ length: 300 }, (_, i) => 2 + i * height));
  });

  it('is not divided by a sentence that begins with From', async () => {
    const mails = await read(`${separator}${MAIL}\nFrom here on it is easy.\n\n${separator}${MAIL}`);
    expect(ways(mails)).toEqual([WAY, WAY]);
  });

  it('keeps headers only, whatever its size', async () => {
    const body = Buffer.from(`${'x'.repeat(75)}\n`.repeat(40_000));
    async function* big(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 60; i++) {
        yield Buffer.from(separator + MAIL);
        yield body;
        yield Buffer.from('\n');
      }
    }
    const before = process.memoryUsage().rss;
    let n = 0;
    for await (const mail of receivedMails(big())) n += mail.traces.length;
    expect(n).toBe(120);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
  });
});

describe('a hostile header', () => {
  async function* repeated(text: string, mb: number, end = ''): AsyncGenerator<Uint8Array> {
    const piece = Buffer.from(text.repeat(Math.ceil((1 << 20) / text.length)));
    yield Buffer.from('Received: from a by b; Mon, 11 Apr 2022 11:40:02 +0200\nX: ');
    for (let i = 0; i < mb; i++) yield piece;
    yield Buffer.from(end);
  }
  const all = async (bytes: AsyncIterable<Uint8Array>) => {
    const mails: ReceivedMail[] = [];
    for await (const mail of receivedMails(bytes)) mails.push(mail);
    return mails;
  };

  it.each<[number, string, string]>([
    [100, 'one line', 'x'],
    [20, 'one field of short lines', 'x\n y'],
    [100, 'parentheses', '('],
    [100, 'nothing but blanks', ' '],
  ])('of %s MB in %s is passed over', async (mb, _, text) => {
    const begun = performance.now();
    const before = process.memoryUsage().rss;
    const [mail] = await all(
      repeated(text, mb, '\nReceived: from c by d; Mon, 11 Apr 2022 11:40:00 +0200\n\n'),
    );
    expect(mail!.traces.map((t) => t.by)).toEqual(['d', 'b']);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });

  it('with a Received field of 100 MB has a hop that was not read', async () => {
    const long = (async function* () {
      yield Buffer.from('Received: from a by b ');
      for (let i = 0; i < 100; i++) yield Buffer.alloc(1 << 20, 'x');
      yield Buffer.from(`; Mon, 11 Apr 2022 11:40:02 +0200\n${MAIL}`);
    })();
    const [mail] = await all(long);
    expect(mail!.traces.map((t) => t.tooLong)).toEqual([false, false, true]);
    expect(mail!.traces[2]!.date).toBeNull();
  });

  it('with 100,000 Received fields is cut, and says so', async () => {
    const begun = performance.now();
    const [mail] = await read('Received: from a by b; Mon, 11 Apr 2022 11:40:02 +0200\n'.repeat(100_000));
    expect(mail!.isCut).toBe(true);
    expect(mail!.traces.length).toBe(1000);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('of bytes gives nothing, and never throws', async () => {
    expect(await read(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)))).toEqual([]);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, size) => {
          await read(bytes, size);
          await read(Buffer.concat([Buffer.from('Received: from '), bytes]), size);
        },
      ),
    );
  });
});
