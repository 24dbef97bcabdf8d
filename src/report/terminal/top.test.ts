import { describe, expect, it } from 'vitest';
import { plainPaint } from './style.js';
import { renderTop, type Top } from './top.js';

const top: Top = {
  by: ['vhost', 'path'],
  measure: 'bytes',
  total: 77e9,
  others: 1204,
  rows: [
    { key: ['blog.example', '/a.jpg'], value: 73.2e9, requests: 146_310, share: 0.952, series: [1, 8] },
    { key: ['shop.example', '/'], value: 12e6, requests: 12, share: 0.00016, series: [0, 0] },
  ],
};
const shown = (change: Partial<Top> = {}, width = 100) =>
  renderTop({ ...top, ...change }, { width, paint: plainPaint, unicode: true });

describe('renderTop', () => {
  it('gives amount, share, bar and course, then the keys', () => {
    expect(shown()).toBe(
      [
        '  bytes    share                    requests  course  vhost         path',
        '73.2 GB   95.2 %  ████████████████   146,310  ▁█      blog.example  /a.jpg',
        '  12 MB  0.016 %  ▏                       12  ▁▁      shop.example  /',
        '',
        'total 77 GB · these 2: 95.1 % · 1,204 more',
        '',
      ].join('\n'),
    );
  });

  it('says what there was no room for', () => {
    expect(shown({}, 40)).toContain('no room for');
    expect(shown()).not.toContain('no room for');
  });

  it('counts requests once when they are the measure', () => {
    const text = shown({ measure: 'requests', total: 146_322 });
    expect(text).toMatch(/^requests +share +course/);
    expect(text).toContain('total 146,322 requests');
  });

  it('leaves out the course when there is none', () => {
    expect(shown({ rows: top.rows.map(({ series: _, ...row }) => row) })).not.toContain('course');
  });

  it('says so when there is nothing', () => {
    expect(shown({ rows: [] })).toBe('No bytes to rank.\n');
  });
});
