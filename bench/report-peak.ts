/** Loaded into a Node program with `--import`: says at its end how much memory it held at most, in kB. */
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.BENCH_PEAK_FILE;
if (file && isMainThread)
  process.on('exit', () => writeFileSync(file, `${process.resourceUsage().maxRSS}\n`));
