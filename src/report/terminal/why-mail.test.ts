import { describe, expect, it } from 'vitest';
import type { MailAnswer, MailHop } from '../../findings/mail-route.js';
import { mailJson } from '../json/mail-json.js';
import { plainPaint } from './style.js';
import { displayWidth } from './text.js';
import { renderMail } from './why-mail.js';

const hop = (n: number, more: Partial<MailHop> = {}): MailHop => ({
  hop: n,
  field: 'Received',
  by: `mx${n}.example`,
  operator: 'example',
  from: { name: `mx${n - 1}.example`, helo: null, reverse: null, address: '192.0.2.1' },
  with: 'ESMTPS',
  protocol: 'SMTP with TLS',
  id: 'x',
  for: null,
  via: null,
  written: 'Mon, 11 Apr 2022 09:40:02 +0000',
  time: `2022-04-11T09:4${n}:02.000Z`,
  timeProblem: null,
  delaySeconds: n === 1 ? null : 60,
  adjustedDelaySeconds: n === 1 ? null : 60,
  heldSeconds: 60,
  clockAhead: null,
  place: { path: 'x.eml', line: n },
  ...more,
});

const answer = (more: Partial<MailAnswer> = {}): MailAnswer => ({
  version: 1,
  totals: { mails: 1, late: 0, clear: 1, cannotTell: 0 },
  path: 'x.eml',
  line: 1,
  messageId: '<1@example>',
  from: null,
  date: '2022-04-11T09:39:58Z',
  returnPath: null,
  deliveredTo: null,
  spf: null,
  authentication: null,
  queuedSeconds: 64,
  totalSeconds: 184,
  hops: [hop(1), hop(2), hop(3, { heldSeconds: null })],
  finding: null,
  clear: { investigation: 'mail-received-late', says: 'no host held it for 5 min', facts: [] },
  cannotTell: null,
  others: [],
  ...more,
});
const render = (a: MailAnswer, width = 100) => renderMail(a, { width, paint: plainPaint, unicode: true });

const EVIL = '\x1b]0;x\x07\u202ea\u200bb\x9b2J<1@evil>';
const evil = answer({
  path: `evil${EVIL}.eml`,
  messageId: EVIL,
  returnPath: EVIL,
  authentication: { by: EVIL, results: EVIL },
  hops: [
    hop(1, {
      by: EVIL,
      from: { name: EVIL, helo: EVIL, reverse: null, address: EVIL },
      with: EVIL,
      timeProblem: 'no date',
      time: null,
    }),
    hop(2, { clockAhead: { least: 3600, most: null } }),
  ],
  clear: null,
  finding: {
    id: EVIL,
    investigation: 'mail-received-late',
    outcome: 'culprit',
    culprit: 'slow-hop',
    confidence: 'likely',
    subject: { host: EVIL },
    since: '2022-04-11T09:40:02',
    until: null,
    title: `${EVIL} held it`,
    impact: [{ says: EVIL, value: 3600, unit: 'second' }],
    hypotheses: [
      {
        id: 'slow-hop',
        says: EVIL,
        verdict: 'confirmed',
        weight: 6,
        facts: [{ says: EVIL, from: [{ path: EVIL, line: 3 }] }],
        bring: [],
      },
      { id: 'clock-skew', says: EVIL, verdict: 'undecided', weight: 0, facts: [], bring: [EVIL] },
    ],
    remedies: [{ title: EVIL, change: `a\n${EVIL}`, where: EVIL, cost: EVIL, undo: EVIL, preferred: true }],
    avoid: [EVIL],
    check: null,
    notes: [{ says: EVIL, from: [] }],
    series: [],
  },
  others: [
    { path: EVIL, line: 1, messageId: EVIL, totalSeconds: 1, culprit: null, outcome: 'clear', title: EVIL },
  ],
  totals: { mails: 2, late: 1, clear: 1, cannotTell: 0 },
});

describe('the way of a mail', () => {
  it('is a table, oldest first, with how long each host had it', () => {
    const lines = render(answer()).split('\n');
    const table = lines.slice(lines.findIndex((l) => l.startsWith('hop'))).slice(0, 5);
    expect(table[0]).toMatch(/^hop {2}UTC +by +from +with +held/);
    expect(table[1]).toMatch(/09:39:58 +the author’s date +1\.1 min/);
    expect(table[2]).toMatch(/^ {2}1 {2}09:41:02 +mx1\.example +mx0\.example +ESMTPS +1 min +█/);
    expect(table[4]).toMatch(/^ {2}3 {2}09:43:02 +mx3\.example +mx2\.example +ESMTPS$/);
  });

  it('says which clock is wrong and which time is missing', () => {
    const text = render(evil);
    expect(text).toContain('clock +1 h');
    expect(text).toContain('no date');
  });

  it('shows nothing raw, in text or JSON', () => {
    const raw = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e]/;
    expect(render(evil)).not.toMatch(raw);
    expect(mailJson(evil)).not.toMatch(raw);
    expect((JSON.parse(mailJson(evil)) as MailAnswer).messageId).toBe(EVIL);
  });

  it.each([40, 60, 80, 120])('keeps to a width of %d', (width) => {
    const lines = render(answer(), width).split('\n');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(width);
    if (width === 40) expect(lines.join('\n')).toContain('no room for');
  });

  it('is cut where it was made up', () => {
    const many = answer({ hops: Array.from({ length: 1000 }, (_, i) => hop(i + 1, { time: null })) });
    expect(render(many).split('\n').length).toBeLessThan(80);
    expect(render(many)).toContain('940 more hops');
  });
});

it('JSON has the keys of the contract, in order', () => {
  expect(Object.keys(JSON.parse(mailJson(evil)) as object).slice(0, 4)).toEqual([
    'version',
    'totals',
    'path',
    'line',
  ]);
  expect((JSON.parse(mailJson(evil)) as MailAnswer).finding).toMatchObject({ culprit: 'slow-hop' });
});
