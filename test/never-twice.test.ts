import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { culprit, examine, line, lines, scratch, sql } from './culprit.js';

interface Content {
  n: number;
  places: number;
  bytes: number;
}

const CONTENT =
  'select count(*) as n, count(distinct (source_id, line)) as places, sum(bytes) as bytes from request_facts';
/** Bytes of the lines [from, to) that line() makes. */
const bytesOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => 1000 + from + i).reduce((a, b) => a + b, 0);

async function expectLines(count: number, state: string): Promise<void> {
  const [content] = await sql<Content>(CONTENT, { state });
  expect(content).toEqual({ n: count, places: count, bytes: bytesOf(0, count) });
}

describe('rotation', () => {
  it('reads each record once, whatever the parts are called between two runs', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const log = join(logs, 'access.log');
    writeFileSync(log, lines(0, 3000));
    await examine([logs], { state });
    await expectLines(3000, state);

    // logrotate with delaycompress: the old part keeps its content under a new name, then gets compressed.
    renameSync(log, `${log}.1`);
    writeFileSync(log, lines(3000, 3500));
    await examine([logs], { state });
    await expectLines(3500, state);

    writeFileSync(`${log}.2.gz`, gzipSync(lines(0, 3000)));
    renameSync(log, `${log}.1`);
    writeFileSync(log, lines(3500, 3600));
    const report = await examine([logs], { state });
    await expectLines(3600, state);
    const streams = new Set(report.sources.map((s) => s.stream));
    expect(streams.size).toBe(1);
    // Oldest part first.
    expect(report.sources.map((s) => s.path.slice(logs.length + 1))).toEqual([
      'access.log.2.gz',
      'access.log.1',
      'access.log',
    ]);
  });

  it('reads the same content once under two names, and says so', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    writeFileSync(join(folder, 'access.log'), lines(0, 500));
    copyFileSync(join(folder, 'access.log'), join(folder, 'copy.log'));
    writeFileSync(join(folder, 'packed.log.gz'), gzipSync(lines(0, 500)));
    const report = await examine([join(folder, '*log*')], { state });
    await expectLines(500, state);
    expect(report.sources.filter((s) => s.sameAs !== undefined)).toHaveLength(2);
  });

  it('does not take two logs for one because their first lines are alike', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    writeFileSync(join(folder, 'a-access.log'), lines(0, 400));
    writeFileSync(join(folder, 'b-access.log'), line(0) + lines(400, 799));
    await examine([folder], { state });
    expect(await sql('select count(*) as n from request_facts', { state })).toEqual([{ n: 800 }]);
  });
});

describe('a log that grows', () => {
  it('is read from where it ended: what was read is not read again', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    writeFileSync(log, lines(0, 20_000));
    await examine([log], { state });
    // Between two checkpoints nobody looks again: were the file read anew, these lines would be missing.
    const at = Math.floor(statSync(log).size * 0.7);
    const file = openSync(log, 'r+');
    writeSync(file, 'x'.repeat(5000), at);
    closeSync(file);
    appendFileSync(log, lines(20_000, 20_200));
    const report = await examine([log], { state });
    await expectLines(20_200, state);
    expect(report.sources[0]).toMatchObject({ records: 20_200, unread: 0 });
  });

  it('has its unfinished last line read again when it is whole', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    const last = line(10);
    for (const cut of [last.length - 1, 120, 40, 5]) {
      writeFileSync(log, lines(0, 10) + last.slice(0, cut));
      const first = await examine([log], { state, args: ['--fresh'] });
      expect(first.sources[0]!.records + first.sources[0]!.unread).toBe(11);
      writeFileSync(log, lines(0, 12));
      const second = await examine([log], { state });
      expect(second.sources[0]).toMatchObject({ records: 12, unread: 0 });
      await expectLines(12, state);
    }
  });

  it('may begin with a line that is not finished', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    writeFileSync(log, line(0).slice(0, 90));
    await culprit([log], { state });
    writeFileSync(log, lines(0, 5));
    await examine([log], { state });
    await expectLines(5, state);
  });

  it('that was truncated and written anew is another log', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    writeFileSync(log, lines(0, 50));
    await examine([log], { state });
    truncateSync(log, 0);
    writeFileSync(log, lines(50, 60));
    const report = await examine([log], { state });
    expect(report.sources).toHaveLength(1);
    expect(report.sources[0]).toMatchObject({ records: 10 });
  });
});

describe('killed at any moment', () => {
  it('and run again, the case holds each record once', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const COUNT = 240_000;
    // A plain part of several ranges, a compressed one, and two copies.
    writeFileSync(join(logs, 'access.log.1'), lines(0, 160_000));
    writeFileSync(join(logs, 'access.log'), lines(160_000, 200_000));
    writeFileSync(join(logs, 'access.log.0.gz'), gzipSync(lines(200_000, COUNT), { level: 1 }));
    copyFileSync(join(logs, 'access.log'), join(logs, 'copy-of-access.log'));
    let killed = 0;
    let took = 4000;
    for (let i = 0; i < 14; i++) {
      // Random, and covering the start as well as the end of a run.
      const killAfter = 100 + Math.random() * took;
      const begun = Date.now();
      const run = await culprit([logs], { state, killAfter });
      if (run.signal === 'SIGKILL') killed++;
      else took = Math.max(500, (Date.now() - begun) * 0.9);
    }
    expect(killed).toBeGreaterThan(2);
    const report = await examine([logs], { state });
    await expectLines(COUNT, state);
    // No row may point at a text that is not there.
    expect(await sql('select count(*) as n from requests', { state })).toEqual([{ n: COUNT }]);
    expect(report.sources.reduce((n, s) => n + s.records, 0)).toBe(COUNT);
  }, 240_000);

  it('Ctrl-C leaves a case that is continued', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'access.log');
    writeFileSync(log, lines(0, 120_000));
    const { spawn } = await import('node:child_process');
    const { MAIN } = await import('./culprit.js');
    const child = spawn(process.execPath, [MAIN, log], { env: { ...process.env, XDG_STATE_HOME: state } });
    const closed = new Promise((resolve) => child.on('close', resolve));
    const cases = join(state, 'culprit', 'cases');
    while (!existsSync(cases) || readdirSync(cases).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    setTimeout(() => child.kill('SIGINT'), 400);
    // 130: stopped; 0: it was done before.
    expect([130, 0]).toContain(await closed);
    await examine([log], { state });
    await expectLines(120_000, state);
  });
});
