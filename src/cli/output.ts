import { type Screen, screenOf } from '../report/terminal/style.js';

/** Where results go. Everything else (progress, warnings, errors) goes to stderr. */
export function print(text: string): void {
  process.stdout.write(text);
}

export function warn(text: string): void {
  process.stderr.write(text);
}

export const screen = (): Screen => screenOf(process.stdout);
export const errorScreen = (): Screen => screenOf(process.stderr);

/** `culprit … | head` closes the pipe early: that is the end of it, not an error. */
export function quietOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}
