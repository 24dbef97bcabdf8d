import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Column, table } from './table.js';
import { type Line, lineWidth } from './text.js';

const texts = (lines: Line[]) => lines.map((line) => line.map((s) => s.text).join(''));

const COLUMNS: Column[] = [
  { title: 'bytes', align: 'right' },
  { title: 'share', align: 'right', priority: 1 },
  { title: 'path', cut: 'middle', min: 10 },
];

describe('table', () => {
  it('puts numbers to the right, text to the left, titles over both', () => {
    const { lines, leftOut } = table(
      COLUMNS,
      [
        ['7', '95 %', '/a'],
        ['12,345', '5 %', '/漢'],
      ],
      40,
    );
    expect(texts(lines)).toEqual([' bytes  share  path', '     7   95 %  /a', '12,345    5 %  /漢']);
    expect(leftOut).toEqual([]);
  });

  it('cuts what may be cut before it leaves anything out', () => {
    const { lines, leftOut } = table(COLUMNS, [['7', '95 %', '/wp-content/uploads/picture.jpg']], 26);
    expect(texts(lines).at(-1)).toMatch(/^ {4}7 {3}95 % {2}\/.*….*\.jpg$/);
    expect(leftOut).toEqual([]);
  });

  it('leaves out the column of the least importance, and says which', () => {
    const { leftOut } = table(COLUMNS, [['7', '95 %', '/wp-content/uploads/picture.jpg']], 20);
    expect(leftOut).toEqual(['share']);
  });

  it('has no head when no column has a title', () => {
    expect(texts(table([{ title: '' }], [['x']], 10).lines)).toEqual(['x']);
  });

  it('escapes what is in the cells', () => {
    expect(texts(table([{ title: 'a\x1b' }], [['b\n']], 20).lines)).toEqual(['a\\x1b', 'b\\x0a']);
  });

  it('is never wider than it may be, as long as its least widths fit', () => {
    const cell = fc.string({ maxLength: 60, unit: 'grapheme' });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { maxLength: 6 }),
        fc.integer({ min: 30, max: 90 }),
        (cells, width) => {
          const columns: Column[] = [
            { title: 'n', align: 'right' },
            { title: 'one', cut: 'end', min: 6 },
            { title: 'two', cut: 'middle', min: 8, priority: 1 },
          ];
          const { lines } = table(
            columns,
            cells.map(([a, b], i) => [String(i), a, b]),
            width,
          );
          for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
