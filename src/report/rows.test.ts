import { describe, expect, it } from 'vitest';
import { type Rows, type RowsFormat, type RowsOptions, renderRows } from './rows.js';
import { plainPaint } from './terminal/style.js';
import { displayWidth } from './terminal/text.js';

const shown = (rows: Rows, format: RowsFormat, opts: Partial<RowsOptions> = {}) =>
  renderRows(rows, format, { width: 80, paint: plainPaint, unicode: true, ...opts });

const of = (...values: unknown[]): Rows => ({
  columns: [{ name: 'v', type: 'VARCHAR' }],
  rows: values.map((v) => [v]),
});
const csv = (value: unknown, opts: Partial<RowsOptions> = {}) =>
  shown(of(value), 'csv', opts).slice('v\r\n'.length, -'\r\n'.length);

const STRANGER = 'x\x1b[2J\r\nforged\u202e\u009b\x7f';

describe('table', () => {
  const rows: Rows = {
    columns: [
      { name: 'vhost', type: 'VARCHAR' },
      { name: 'sent_bytes', type: 'BIGINT' },
      { name: 'agent', type: 'VARCHAR' },
    ],
    rows: [
      ['blog.example', 73_200_000_000n, 'Photon/1.0'],
      ['shop.example', null, STRANGER],
    ],
  };

  it('has numbers at the right and exact, NULL told from an empty text, and the count', () => {
    expect(shown(rows, 'table')).toBe(
      [
        'vhost          sent_bytes  agent',
        'blog.example  73200000000  Photon/1.0',
        'shop.example         NULL  x\\x1b[2J\\x0d\\x0aforged\\u{202e}\\x9b\\x7f',
        '2 rows',
        '',
      ].join('\n'),
    );
  });

  it('stays within the width and says what it left out', () => {
    const wide: Rows = {
      columns: Array.from({ length: 12 }, (_, i) => ({ name: `column_${i}`, type: 'VARCHAR' })),
      rows: [Array.from({ length: 12 }, () => 'a value of some length')],
    };
    const text = shown(wide, 'table');
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(text.replaceAll('\n', ' ')).toContain('1 row; no room for column_5, column_6');
    expect(text.replaceAll('\n', ' ')).toContain('(--format csv has all)');
  });
});

describe('csv', () => {
  it.each<[unknown, string]>([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    [' padded ', '" padded "'],
    ['', '""'],
    [null, ''],
    [undefined, ''],
    [true, 'true'],
    [73_200_000_000n, '73200000000'],
    [new Uint8Array([1, 255]), '01ff'],
    [new Date('2022-03-01T06:25:02Z'), '2022-03-01T06:25:02.000Z'],
    [['a', 1n], '"[""a"",1]"'],
  ])('writes %s as %s', (value, text) => {
    expect(csv(value)).toBe(text);
  });

  it('ends every line with CR LF', () => {
    expect(shown(of('a', 'b'), 'csv')).toBe('v\r\na\r\nb\r\n');
  });

  it.each(['=1+1', '+cmd|x', '@SUM(A1)', '-2+3', '\t=1', '\r=1', '\uff1d1'])(
    'lets no spreadsheet take %j for a formula',
    (text) => {
      expect(csv(text).replace(/^"/, '')).toBe(`'${text}${text.includes('\r') ? '"' : ''}`);
    },
  );

  it.each([-5, -5n, '-5', '+1.5e3', '-'])('leaves the number or dash %s alone', (value) => {
    expect(csv(value)).toBe(String(value));
  });

  it('guards column names too, which a query can choose', () => {
    expect(shown({ columns: [{ name: '=x', type: 'INTEGER' }], rows: [] }, 'csv')).toBe("'=x\r\n");
  });

  it('keeps every byte in a file, and shows what controls on a terminal', () => {
    expect(csv(STRANGER)).toBe(`"${STRANGER}"`);
    expect(csv(STRANGER, { toTerminal: true })).toBe('x\\x1b[2J\\x0d\\x0aforged\\u{202e}\\x9b\\x7f');
  });
});

describe('json and jsonl', () => {
  const rows: Rows = {
    columns: [
      { name: 'a', type: 'VARCHAR' },
      { name: 'a', type: 'BIGINT' },
      { name: 'd', type: 'DECIMAL(9,2)' },
    ],
    rows: [
      [STRANGER, 9_007_199_254_740_993n, { toString: () => '1.50' }],
      [null, 7n, Number.NaN],
    ],
  };
  const objects = [
    { a: STRANGER, a_2: '9007199254740993', d: '1.50' },
    { a: null, a_2: 7, d: 'NaN' },
  ];

  it('loses no column of the same name and no digit of a large number', () => {
    expect(JSON.parse(shown(rows, 'json'))).toEqual(objects);
    expect(
      shown(rows, 'jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(objects);
  });

  it('is harmless to look at, and still means the same', () => {
    for (const format of ['json', 'jsonl'] as const) {
      expect(shown(rows, format).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('keeps the order of the columns, whatever they are called', () => {
    const columns = ['b', '2022', 'a'].map((name) => ({ name, type: 'INTEGER' }));
    expect(shown({ columns, rows: [[1, 2, 3]] }, 'jsonl')).toBe('{"b":1,"2022":2,"a":3}\n');
  });

  it('writes nested values, and nothing as an empty list', () => {
    expect(JSON.parse(shown(of({ n: 1n, list: [2n, null] }), 'jsonl'))).toEqual({
      v: { n: 1, list: [2, null] },
    });
    expect(shown(of(), 'json')).toBe('[]\n');
    expect(shown(of(), 'jsonl')).toBe('');
  });
});
