import { CulpritError } from './culprit-error.js';

/** Evidence that is not there or cannot be opened, in the administrator's words. */
export function cannotRead(path: string, error: unknown): CulpritError {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  const known: Record<string, [why: string, help: string]> = {
    ENOENT: ['there is no such file or folder', 'check the path; a glob must be quoted or match something'],
    EACCES: ['permission denied', 'run culprit with sudo, or copy the file to where you can read it'],
    EPERM: ['permission denied', 'run culprit with sudo, or copy the file to where you can read it'],
    ELOOP: ['its symbolic links lead in a circle', 'name the real file'],
    EMFILE: ['too many files are open', 'raise the limit: ulimit -n 4096'],
  };
  const [why, help] = known[code] ?? [
    error instanceof Error ? error.message : String(error),
    'check the file with `file` and `head`',
  ];
  return new CulpritError({ what: 'cannot read this evidence', why, at: path, help }, error);
}

export function noMatch(pattern: string): CulpritError {
  return new CulpritError({
    what: 'nothing matches this pattern',
    why: 'no file has such a name',
    at: pattern,
    help: 'check the path, and quote the pattern if the shell should not expand it',
  });
}

export function archiveBroken(path: string, error: unknown): CulpritError {
  return new CulpritError(
    {
      what: 'this archive breaks off',
      why: error instanceof Error ? error.message : String(error),
      at: path,
      help: 'copy it again; what could be read was read',
    },
    error,
  );
}
