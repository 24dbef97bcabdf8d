/** Runs one program once: how long, how much memory, and what it said. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Run {
  seconds: number;
  /** The most memory it held at once, where that can be known. */
  peakBytes?: number;
  output: string;
}

const GNU_TIME = spawnSync('/usr/bin/time', ['--version']).stdout?.includes('GNU') ?? false;
const REPORT_PEAK = fileURLToPath(new URL('./report-peak.js', import.meta.url));

/**
 * `command` is a program and its arguments, given to no shell. GNU time reads the peak where it is installed;
 * elsewhere a program of ours reports its own, and for others it stays unknown.
 */
export async function measure(command: string[], folder: string, good: number[] = [0]): Promise<Run> {
  const peakFile = join(folder, 'peak');
  rmSync(peakFile, { force: true });
  const ours = command[0] === process.execPath;
  const [program = '', ...args] = GNU_TIME
    ? ['/usr/bin/time', '--quiet', '-f', '%M', '-o', peakFile, ...command]
    : ours
      ? [process.execPath, '--import', REPORT_PEAK, ...command.slice(1)]
      : command;
  const began = process.hrtime.bigint();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, BENCH_PEAK_FILE: peakFile, NO_COLOR: '1' },
  });
  const [output, complaint, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
  ]);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (code === null || !good.includes(code))
    throw new Error(`${command.join(' ')}\nended with ${code}: ${complaint.slice(0, 2_000)}`);
  const peak =
    GNU_TIME || ours ? Number(readFileSync(peakFile, 'utf8').trim().split('\n').at(-1)) * 1024 : NaN;
  return { seconds, output, ...(Number.isFinite(peak) && { peakBytes: peak }) };
}

export const isInstalled = (program: string): boolean => pathOf(program) !== null;

/** Where a program is; those of mail servers lie in /usr/sbin, which is not in everybody's PATH. */
export function pathOf(program: string): string | null {
  const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  const { status, stdout } = spawnSync('which', [program], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
  });
  return status === 0 ? stdout.trim() : null;
}

/** The first line of what `program --version` says. */
export function version(program: string): string {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim().split('\n')[0]?.replace(/\.$/, '') ?? '';
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block as Buffer);
  return Buffer.concat(blocks).toString();
}
