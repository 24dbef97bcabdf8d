import { CulpritError } from '../errors/culprit-error.js';

/** A moment that a user gave, as ISO wall time of the log: `2015-11-30`, `2015-11-30 10:00`, `2015-11-30T10:00:05`. */
export function moment(text: string, option: string): string {
  const m = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?)?$/.exec(text.trim());
  const iso = m ? `${m[1]}T${m[2] ?? '00:00'}${m[3] ?? ':00'}` : null;
  if (iso && !Number.isNaN(Date.parse(`${iso}Z`))) return iso;
  throw new CulpritError({
    what: 'this is no date',
    why: `“${text}” is not written as YYYY-MM-DD or 'YYYY-MM-DD HH:MM'`,
    at: option,
    help: `for example ${option} '2015-12-14 10:00' (the log’s own wall time)`,
  });
}
