import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { Report } from '../src/findings/finding.js';

/** The program as a user runs it. */
export const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** A folder that is gone after the tests of the file. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Run {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Where cases are kept: one folder a test, so that tests do not see each other's. */
  state: string;
  input?: Buffer | string;
  env?: Record<string, string>;
  /** SIGKILL after so many milliseconds. */
  killAfter?: number;
  cwd?: string;
}

export function culprit(args: string[], options: RunOptions): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: options.state, ...options.env },
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (b: Buffer) => out.push(b));
    child.stderr.on('data', (b: Buffer) => err.push(b));
    child.on('error', reject);
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const killer =
      options.killAfter === undefined ? null : setTimeout(() => child.kill('SIGKILL'), options.killAfter);
    child.on('close', (status, signal) => {
      if (killer) clearTimeout(killer);
      const text = (parts: Buffer[]) => Buffer.concat(parts).toString('utf8');
      resolve({ status, signal, stdout: text(out), stderr: text(err) });
    });
  });
}

/** `examine --json`, parsed. */
export async function examine(
  paths: string[],
  options: RunOptions & { args?: string[] },
): Promise<Report & Run> {
  const run = await culprit(['examine', '--json', ...(options.args ?? []), ...paths], options);
  try {
    return { ...(JSON.parse(run.stdout) as Report), ...run };
  } catch {
    throw new Error(`no report (status ${run.status}): ${run.stderr}${run.stdout.slice(0, 400)}`);
  }
}

/** Rows of a query on the newest case. */
export async function sql<T>(query: string, options: RunOptions): Promise<T[]> {
  const run = await culprit(['sql', '--json', query], options);
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as T[];
}

/** A combined log line; every argument makes lines that differ. */
export function line(
  n: number,
  options: { at?: number; path?: string; bytes?: number; agent?: string } = {},
): string {
  const at = new Date((options.at ?? 1_446_336_000 + n * 30) * 1000);
  const day = String(at.getUTCDate()).padStart(2, '0');
  const month = at.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' });
  const stamp = `${day}/${month}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
  const path = options.path ?? `/page-${n % 97}/`;
  const agent = options.agent ?? 'Mozilla/5.0 (X11; Linux x86_64; rv:42.0) Gecko/20100101 Firefox/42.0';
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255} - - [${stamp}] "GET ${path} HTTP/1.1" 200 ${options.bytes ?? 1000 + n} "-" "${agent}"\n`;
}

export const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i)).join('');
