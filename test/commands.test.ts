import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../src/findings/finding.js';
import type { Verification } from '../src/findings/verification.js';
import { culprit, examine, line, lines, MAIN, scratch } from './culprit.js';

const EXAMPLE = fileURLToPath(new URL('../examples/web-story', import.meta.url));
const ID = 'bandwidth-spent:image-cache-refetch:www.village.example';
const folder = scratch();
const state = join(folder, 'state');

beforeAll(async () => {
  await examine([EXAMPLE], { state });
});

describe('commands on the newest case', () => {
  it('show', async () => {
    const run = await culprit(['show', '1'], { state });
    expect(run.status).toBe(0);
    for (const part of [
      'image-cache-refetch',
      'would have been saved',
      'wasted',
      'jetpack_photon_skip_image',
      'other_vhosts_access.log.4.gz:',
    ])
      expect(run.stdout).toContain(part);
    const json = JSON.parse((await culprit(['show', ID, '--json'], { state })).stdout) as Finding;
    expect(json.id).toBe(ID);
    const none = await culprit(['show', '7'], { state });
    expect(none).toMatchObject({ status: 2, stdout: '' });
    expect(none.stderr).toContain('help:');
  });

  it('verify tells the cure from the blip', async () => {
    const run = await culprit(['verify', '1', '--json', '--since', '2024-02-28'], { state });
    const result = JSON.parse(run.stdout) as Verification;
    expect(run.status).toBe(0);
    expect(result).toMatchObject({ verdict: 'fixed', finding: ID });
    expect(result.after.median.value).toBeLessThan(result.before.median.value / 100);
    expect(result.blips).toHaveLength(1);
    expect(result.blips[0]!.explanation).toContain('not the culprit again');
    expect(result.blips[0]!.explanation).toContain('popular-object');
    // In the middle of it nothing was fixed yet; at its end there is nothing to compare with.
    expect((await culprit(['verify', '1', '--since', '2024-02-20'], { state })).stdout).toContain(
      '8 days after',
    );
    expect((await culprit(['verify', '1', '--since', '2024-03-10 12:00'], { state })).status).toBe(2);
    expect((await culprit(['verify', '1', '--since', 'yesterday'], { state })).stderr).toContain(
      'YYYY-MM-DD',
    );
  });

  it('top', async () => {
    const args = [
      'top',
      'bytes',
      '--by',
      'vhost,agent',
      '--where',
      'agent~photon',
      '--since',
      '2024-02-14',
      '--until',
      '2024-02-28',
    ];
    const [row] = JSON.parse((await culprit([...args, '--json'], { state })).stdout) as Record<
      string,
      unknown
    >[];
    expect(row).toMatchObject({ vhost: 'www.village.example', agent: 'Photon/1.0', share: 1 });
    const csv = (await culprit([...args, '--format', 'csv', '--per', 'day'], { state })).stdout
      .trim()
      .split('\r\n');
    expect(csv[0]).toBe('vhost,agent,at,bytes');
    expect(csv).toHaveLength(15);
    const table = await culprit(['top', 'requests', '--by', 'class', '--per', 'day', '--limit', '2'], {
      state,
    });
    expect(table.stdout).toMatch(/[▁▂▃▄▅▆▇█]/);
    for (const wrong of [
      ['top', 'kittens'],
      ['top', 'bytes', '--by', 'colour'],
      ['top', 'bytes', '--where', 'x'],
      ['top', 'bytes', '--limit', 'many'],
      ['top', 'bytes', '--per', 'eon'],
    ])
      expect((await culprit(wrong, { state })).status).toBe(2);
  });

  it('sql reads, and only reads', async () => {
    const csv = await culprit(
      [
        'sql',
        '--format',
        'csv',
        'select vhost, count(*) as n from requests group by 1 order by 2 desc limit 1',
      ],
      { state },
    );
    expect(csv.stdout).toMatch(/^vhost,n\r\nwww\.village\.example,\d+\r\n$/);
    expect((await culprit(['sql', '-'], { state, input: 'select 42 as answer' })).stdout).toContain('42');
    for (const bad of [
      'drop table sources',
      "insert into case_facts values ('a', 'b')",
      "copy (select 1) to '/tmp/culprit-no'",
      "select * from read_csv('/etc/passwd')",
      "attach '/tmp/culprit-no.db'",
      'install httpfs',
      'set enable_external_access = true',
      'selec 1',
      'select * from nowhere',
    ]) {
      const run = await culprit(['sql', bad], { state });
      expect({ bad, status: run.status, stdout: run.stdout }).toEqual({ bad, status: 2, stdout: '' });
      expect(run.stderr).toMatch(/^error: /);
    }
  });

  it('completion is a script of each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const run = await culprit(['completion', shell], { state });
      expect(run.stdout).toContain('verify');
      if (shell === 'bash') execFileSync('bash', ['-n'], { input: run.stdout });
    }
    expect((await culprit(['completion', 'tcsh'], { state })).status).toBe(2);
  });
});

describe('output', () => {
  it('is the result and nothing else, without colours in a pipe', async () => {
    const plain = await culprit([EXAMPLE], { state });
    expect(plain.status).toBe(1);
    expect(plain.stdout + plain.stderr).not.toMatch(/\x1b/);
    expect(plain.stderr).toBe('');
    const coloured = await culprit([EXAMPLE], { state, env: { FORCE_COLOR: '1', NO_COLOR: '' } });
    expect(coloured.stdout).toContain('\x1b[');
    expect((await culprit(['--version'], { state })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('may be closed early', () => {
    const out = execFileSync(
      'sh',
      ['-c', `"${process.execPath}" "${MAIN}" sql --format csv "select * from requests" | head -n 1`],
      {
        env: { ...process.env, XDG_STATE_HOME: state },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    expect(out.toString()).toMatch(/^host,source_id/);
  });

  it('a failed run leaves the newest case what it was', async () => {
    await culprit([join(folder, 'nothing-there')], { state });
    expect((await culprit(['show', '1'], { state })).stdout).toContain('www.village.example');
  });
});

describe('a hostile log', () => {
  it('reaches neither the terminal nor a configuration raw', async () => {
    const own = join(folder, 'hostile-state');
    const log = join(folder, 'evil.example-access.log');
    const evil =
      '\x1b]0;pwned\x07\u202ePhoton/9"\\x0aRequire all granted\\x0d`$(reboot)`\';drop table sources;--';
    const path = (i: number) => `/wp-content/uploads/2015/\x1b[2J\u202e"x'$(reboot)${i % 4}.jpg`;
    const burst = Array.from({ length: 4000 }, (_, i) =>
      line(i, { at: 1_448_000_000 + i * 60, path: path(i), bytes: 900_000, agent: evil }),
    ).join('');
    writeFileSync(log, lines(0, 20_000) + burst);
    const report = await examine([log], { state: own });
    expect(report.findings).toHaveLength(1);
    const raw = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
    expect(report.stdout).not.toMatch(raw);
    for (const args of [
      [log],
      ['show', '1'],
      ['sources'],
      ['top', 'bytes', '--by', 'agent,path'],
      ['sql', 'select agent, path from requests order by bytes desc limit 3'],
      ['top', 'bytes', '--by', 'agent', '--format', 'jsonl'],
    ])
      expect((await culprit(args, { state: own })).stdout).not.toMatch(raw);
    for (const remedy of report.findings[0]!.remedies) {
      expect(remedy.change).not.toContain('$(reboot)');
      expect(remedy.change).not.toMatch(/^Require all granted/m);
      expect(remedy.change).not.toContain('drop table');
    }
  });
});
