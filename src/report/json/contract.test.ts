import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../findings/finding.js';
import { reportJson } from './json.js';

/** The subset of JSON Schema 2020-12 that docs/report.schema.json keeps to. */
interface Schema {
  $ref?: string;
  type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
  enum?: unknown[];
  pattern?: string;
  minimum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: false | Schema;
  items?: Schema;
  anyOf?: Schema[];
  $defs?: Record<string, Schema>;
  description?: string;
}
const KEYWORDS =
  '$schema title description $defs $ref type enum pattern minimum properties required additionalProperties items anyOf';

const docs = new URL('../../../docs/', import.meta.url);
const root = JSON.parse(readFileSync(new URL('report.schema.json', docs), 'utf8')) as Schema;

const isType: Record<NonNullable<Schema['type']>, (value: unknown) => boolean> = {
  object: (v) => typeof v === 'object' && v !== null && !Array.isArray(v),
  array: Array.isArray,
  string: (v) => typeof v === 'string',
  number: (v) => typeof v === 'number',
  integer: Number.isInteger,
  boolean: (v) => typeof v === 'boolean',
  null: (v) => v === null,
};

/** Where and how a value breaks the schema; nothing when it keeps to it. */
function breaches(value: unknown, schema: Schema, at = '$'): string[] {
  const said: string[] = [];
  if (schema.$ref) said.push(...breaches(value, root.$defs![schema.$ref.replace('#/$defs/', '')]!, at));
  if (schema.type && !isType[schema.type](value)) return [`${at}: not of type ${schema.type}`];
  if (schema.enum && !schema.enum.includes(value)) said.push(`${at}: none of ${schema.enum.join(', ')}`);
  if (schema.pattern && !new RegExp(schema.pattern, 'u').test(String(value))) said.push(`${at}: ${value}`);
  if (schema.minimum !== undefined && (value as number) < schema.minimum) said.push(`${at}: too small`);
  if (schema.anyOf?.every((s) => breaches(value, s, at).length > 0)) said.push(`${at}: no variant`);
  if (schema.items)
    for (const [i, v] of (value as unknown[]).entries())
      said.push(...breaches(v, schema.items, `${at}[${i}]`));
  if (schema.type === 'object') {
    const object = value as Record<string, unknown>;
    for (const key of schema.required ?? []) if (!(key in object)) said.push(`${at}.${key}: missing`);
    for (const [key, v] of Object.entries(object)) {
      const known = schema.properties?.[key] ?? schema.additionalProperties;
      if (known === false) said.push(`${at}.${key}: not in the contract`);
      else if (known) said.push(...breaches(v, known, `${at}.${key}`));
    }
  }
  return said;
}

/** The schema and every schema within it. */
function within(schema: Schema): Schema[] {
  const below = [
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.$defs ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
    ...(schema.additionalProperties ? [schema.additionalProperties] : []),
  ];
  return [schema, ...below.flatMap(within)];
}

const NAMES = ['story', 'all-clear', 'cannot-tell', 'hostile'];
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), 'utf8')) as Report;

describe('the contract', () => {
  it.each(NAMES)('is kept by the report %s and by what is printed of it', (name) => {
    expect(breaches(read(name), root)).toEqual([]);
    expect(breaches(JSON.parse(reportJson(read(name))), root)).toEqual([]);
  });

  it('is kept by a report with everything that is optional', () => {
    const report = read('story');
    const zoned = { ...report, period: { ...report.period, zone: '+01:00' } };
    expect(breaches(JSON.parse(reportJson(zoned)), root)).toEqual([]);
  });

  it.each<[string, (report: Report) => unknown, string]>([
    ['a key too many', (r) => ({ ...r, more: 1 }), '$.more: not in the contract'],
    ['a key too few', ({ hosts: _, ...r }) => r, '$.hosts: missing'],
    ['another version', (r) => ({ ...r, version: 2 }), '$.version: none of 1'],
    [
      'a time with a zone',
      (r) => ({ ...r, period: { first: null, last: '2022-04-28T06:24:58Z' } }),
      '$.period.last: no variant',
    ],
    [
      'an unknown unit',
      (r) => ({
        ...r,
        findings: r.findings.map((f) => ({ ...f, impact: [{ says: '', value: 1, unit: 'MB' }] })),
      }),
      '$.findings[0].impact[0].unit: none of byte',
    ],
  ])('is broken by %s', (_, change, breach) => {
    expect(breaches(change(read('story')), root)[0]).toContain(breach);
  });

  it('uses no keyword that this test does not know, and closes every object', () => {
    for (const schema of within(root)) {
      expect(Object.keys(schema).filter((key) => !KEYWORDS.split(' ').includes(key))).toEqual([]);
      if (schema.type === 'object') expect(schema.additionalProperties).toBeDefined();
      if (schema.properties) expect(schema.additionalProperties).toBe(false);
      if (schema.$ref) expect(root.$defs).toHaveProperty([schema.$ref.replace('#/$defs/', '')]);
    }
  });

  it('describes every key, in the schema and in json.md', () => {
    const page = readFileSync(new URL('json.md', docs), 'utf8');
    const keys = within(root).flatMap((schema) => Object.entries(schema.properties ?? {}));
    for (const [key, schema] of keys) {
      expect(schema.description ?? schema.$ref, key).toBeTruthy();
      expect(page).toMatch(new RegExp(`[\`.]${key}\``));
    }
  });

  it('shows examples on the page that keep to it', () => {
    const page = readFileSync(new URL('json.md', docs), 'utf8');
    const examples = [...page.matchAll(/```json (\w+)\n([\s\S]*?)```/g)];
    expect(examples.length).toBeGreaterThan(5);
    for (const [, name, json] of examples) {
      const schema = name === 'report' ? root : root.$defs![name!]!;
      expect(breaches(JSON.parse(json!), schema, name)).toEqual([]);
    }
  });

  it('has a section in culprits.md for every culprit of bandwidth-spent', () => {
    const page = readFileSync(new URL('culprits.md', docs), 'utf8');
    const finding = read('story').findings.find((f) => f.investigation === 'bandwidth-spent')!;
    expect(finding.hypotheses.length).toBe(6);
    for (const { id } of finding.hypotheses) expect(page).toContain(`\n### ${id}\n`);
  });
});
