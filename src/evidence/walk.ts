import { type Dirent, existsSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { CulpritError } from '../errors/culprit-error.js';
import { cannotRead, noMatch } from '../errors/evidence.js';

/** A file that the user's paths lead to. */
interface Found {
  path: string;
  named: boolean;
  bytes: number;
  mtimeMs: number;
  inode: number;
}

export interface Walk {
  files: Found[];
  unreadable: { path: string; named: boolean; error: CulpritError }[];
  skipped: { path: string; reason: string }[];
  /** `-`, or a FIFO that the user named. */
  pipes: string[];
}

/**
 * Files behind paths: files, folders (recursive, links followed once), globs. What is no file is never opened
 * unless it was named; the same file met by two paths is listed once. Sorted by path.
 */
export async function walk(paths: string[]): Promise<Walk> {
  const result: Walk = { files: [], unreadable: [], skipped: [], pipes: [] };
  const seen = new Map<string, string>();
  for (const path of paths) {
    if (path === '-') result.pipes.push(path);
    else if (existsSync(path) || !isDynamicPattern(path)) await visit(path, true, result, seen);
    else {
      const matches = await glob([path], {
        dot: true,
        onlyFiles: false,
        expandDirectories: false,
        absolute: path.startsWith('/'),
      });
      if (matches.length === 0) result.unreadable.push({ path, named: true, error: noMatch(path) });
      for (const match of matches.toSorted()) await visit(match.replace(/\/$/, ''), false, result, seen);
    }
  }
  result.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return result;
}

async function visit(path: string, named: boolean, result: Walk, seen: Map<string, string>): Promise<void> {
  try {
    const info = await stat(path);
    const id = `${info.dev}:${info.ino}`;
    if (info.isDirectory()) {
      if (seen.has(id)) {
        result.skipped.push({ path, reason: 'folder already visited (a link leads back to it)' });
        return;
      }
      seen.set(id, path);
      const entries: Dirent[] = await readdir(path, { withFileTypes: true });
      for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
        await visit(join(path, entry.name), false, result, seen);
    } else if (info.isFile()) {
      const first = seen.get(id);
      if (first !== undefined) {
        if (first !== path) result.skipped.push({ path, reason: `the same file as ${first}` });
        const found = named ? result.files.find((f) => f.path === first) : undefined;
        if (found) found.named = true;
        return;
      }
      seen.set(id, path);
      result.files.push({ path, named, bytes: info.size, mtimeMs: info.mtimeMs, inode: info.ino });
    } else if (named && info.isFIFO()) result.pipes.push(path);
    else result.skipped.push({ path, reason: 'neither a file nor a folder' });
  } catch (error) {
    result.unreadable.push({ path, named, error: cannotRead(path, error) });
  }
}

/** Up to `most` bytes from the start of a file, as they are stored. */
export async function storedHead(path: string, most: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(most), 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
