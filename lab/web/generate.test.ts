import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { generate } from './generate.js';
import { LAYOUTS } from './logs.js';
import { SCENARIOS, type ScenarioName } from './scenarios.js';

const NAMES = Object.keys(SCENARIOS) as ScenarioName[];
const small = { seed: 3, layout: 'vhost_combined', days: 28, scale: 0.1 } as const;

describe('the same options', () => {
  it('make the same bytes', () => {
    expect(generate({ ...small, scenario: 'story' })).toEqual(generate({ ...small, scenario: 'story' }));
  });

  it('with another seed make other bytes', () => {
    const one = texts(generate({ ...small, scenario: 'quiet' }).files);
    expect(texts(generate({ ...small, scenario: 'quiet', seed: 4 }).files)).not.toEqual(one);
  });
});

describe.each(NAMES)('%s', (scenario) => {
  const { truth, files } = generate({ ...small, scenario });
  const requests = [...texts(files).values()].flatMap(read);

  it('has as many lines and bytes as the truth says', () => {
    expect(requests.length).toBe(truth.lines);
    expect(sum(requests)).toBe(truth.bytes);
  });

  it('shows the robot it names on one site only, and only while the harm lasts', () => {
    for (const { at, vhost, agent } of requests) {
      if (!truth.agent || agent !== truth.agent) continue;
      expect(vhost).toBe(truth.vhost);
      expect(at >= (truth.since ?? '') && at < (truth.until ?? '9'), at).toBe(true);
    }
  });

  it('makes the culprit what costs most, where there is one', () => {
    if (!truth.culprit) return;
    const after = requests.filter(({ at }) => at >= (truth.since ?? '') && at < (truth.until ?? '9'));
    expect(truth.added.bytes / truth.bytes).toBeGreaterThan(0.3);
    expect(sum(after.filter(({ vhost }) => vhost === truth.vhost)) / sum(after)).toBeGreaterThan(0.5);
  });
});

describe('the layouts', () => {
  it('hold the same requests', () => {
    const [one, each] = LAYOUTS.map((layout) => generate({ ...small, scenario: 'crawler', layout }));
    const sites = new Set([...each!.files.keys()].map((name) => name.replace(/-access\.log.*/, '')));
    expect(sites.size).toBeGreaterThan(2);
    expect({ ...each!.truth, layout: '' }).toEqual({ ...one!.truth, layout: '' });
  });

  it('are rotated like logrotate does: newest without a number, .1 as it is, older ones packed', () => {
    const names = [...generate({ ...small, scenario: 'quiet' }).files.keys()].sort();
    expect(names).toEqual(
      ['', '.1', '.2.gz', '.3.gz', '.4.gz'].map((end) => `other_vhosts_access.log${end}`),
    );
  });
});

describe('the bundled example', () => {
  const { truth, files } = generate({
    scenario: 'story',
    seed: 1,
    layout: 'vhost_combined',
    scale: 0.3,
    compress: 'all',
  });
  const requests = [...texts(files).values()].flatMap(read);
  const photon = requests.filter(({ agent }) => agent === truth.agent);

  // Unpacked: another zlib may pack the same text into other bytes.
  it('is what the generator makes now', () => {
    const folder = join(import.meta.dirname, '../../examples/web-story');
    const bundled = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    expect(texts(bundled)).toEqual(texts(files));
    expect(JSON.parse(readFileSync(`${folder}.truth.json`, 'utf8'))).toEqual(truth);
  });

  it('fetches one picture about 145 times in 7 minutes, whole each time, while hardly a page is read', () => {
    const [first] = photon.map(({ at }) => at).sort();
    const until = plusMinutes(first!, 7);
    const then = requests.filter(({ at }) => at >= first! && at < until);
    const most = Math.max(...counts(then.map(({ path }) => path)).values());
    expect(most).toBeGreaterThanOrEqual(135);
    expect(then.filter(({ path }) => path.endsWith('/')).length).toBeLessThan(15);
    for (const sizes of group(photon).values()) expect(new Set(sizes).size).toBe(1);
    expect(photon.every(({ status }) => status === '200')).toBe(true);
  });

  it('takes about 80 times what was usual, nearly all of it from one site', () => {
    const before = sum(requests.filter(({ at }) => at < truth.since!)) / 30;
    expect(sum(photon) / 14 / before).toBeGreaterThan(60);
    expect(sum(photon) / 14 / before).toBeLessThan(110);
    expect(sum(requests.filter(({ vhost }) => vhost === truth.vhost)) / truth.bytes).toBeGreaterThan(0.93);
  });
});

interface Request {
  vhost: string;
  /** `2024-02-14T00:00:00` */
  at: string;
  path: string;
  status: string;
  bytes: number;
  agent: string;
}

function texts(files: Map<string, Buffer>): Map<string, string> {
  const named = [...files].map(([name, content]): [string, string] => [
    name,
    (name.endsWith('.gz') ? gunzipSync(content) : content).toString('latin1'),
  ]);
  return new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const LINE =
  /^(\S+):(?:80|443) \S+ - - \[(\d\d)\/(\w{3})\/(\d{4}):(\S+) \+0000\] "((?:\\.|[^"\\])*)" (\d{3}) (\d+|-) "(?:\\.|[^"\\])*" "((?:\\.|[^"\\])*)"$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A reader of its own, so that a fault in the writer does not hide itself. */
function read(text: string): Request[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const part = LINE.exec(line);
      if (!part) throw new Error(`unreadable: ${line}`);
      const [, vhost, day, month, year, clock, request, status, bytes, agent] = part as unknown as string[];
      const number = String(MONTHS.indexOf(month!) + 1).padStart(2, '0');
      return {
        vhost: vhost!,
        at: `${year}-${number}-${day}T${clock}`,
        path: request!.split(' ')[1] ?? '',
        status: status!,
        bytes: bytes === '-' ? 0 : Number(bytes),
        agent: agent!,
      };
    });
}

function sum(requests: Request[]): number {
  return requests.reduce((total, { bytes }) => total + bytes, 0);
}

function counts(keys: string[]): Map<string, number> {
  const counted = new Map<string, number>();
  for (const key of keys) counted.set(key, (counted.get(key) ?? 0) + 1);
  return counted;
}

function group(requests: Request[]): Map<string, number[]> {
  const sizes = new Map<string, number[]>();
  for (const { path, bytes } of requests) sizes.set(path, [...(sizes.get(path) ?? []), bytes]);
  return sizes;
}

function plusMinutes(at: string, minutes: number): string {
  return new Date(Date.parse(`${at}Z`) + minutes * 60_000).toISOString().slice(0, 19);
}
