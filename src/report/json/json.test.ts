import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../findings/finding.js';
import { escapeJson } from './escape-json.js';
import { reportJson } from './json.js';

const NAMES = ['story', 'all-clear', 'cannot-tell', 'hostile'];
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), 'utf8')) as Report;

/** The same data with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, v]) => [key, reversed(v)]),
  );
}

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

describe('reportJson', () => {
  it.each(NAMES)('says everything that is in the report: %s', (name) => {
    expect(JSON.parse(reportJson(read(name)))).toEqual(read(name));
  });

  it.each(NAMES)('has its keys in the same order however they were made: %s', (name) => {
    expect(reportJson(reversed(read(name)) as Report)).toBe(reportJson(read(name)));
  });

  it.each(NAMES)('shows control and hidden characters escaped: %s', (name) => {
    expect(reportJson(read(name)).replaceAll('\n', '')).not.toMatch(HIDDEN);
  });

  it('begins with the version, and ends with a line break', () => {
    expect(reportJson(read('all-clear'))).toMatch(/^\{\n {2}"version": 1,\n {2}"case": [\s\S]*\}\n$/);
  });

  it('leaves out what is not in the contract', () => {
    const report = { ...read('all-clear'), secret: 1 };
    expect(reportJson(report)).not.toContain('secret');
  });

  it('gives the time zone when it is known', () => {
    const report = read('all-clear');
    const zoned = { ...report, period: { ...report.period, zone: '+01:00' } };
    expect(JSON.parse(reportJson(zoned)).period.zone).toBe('+01:00');
  });
});

describe('escapeJson', () => {
  it('never changes what the JSON means, and leaves nothing hidden', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = escapeJson(JSON.stringify({ [text]: text }));
        expect(json).not.toMatch(HIDDEN);
        expect(JSON.parse(json)).toEqual({ [text]: text });
      }),
    );
  });
});
