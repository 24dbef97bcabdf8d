import { execFileSync } from 'node:child_process';

type Packer = (bytes: Uint8Array) => Buffer;

/** Packs with a program; null where it is not installed. */
function packer(program: string): Packer | null {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore', input: '' });
  } catch {
    return null;
  }
  return (bytes) => execFileSync(program, ['-c'], { input: bytes, maxBuffer: 1 << 28 });
}

export const xz = packer('xz');
export const zstd = packer('zstd');
export const bzip2 = packer('bzip2');
