/** A start of the machine, as the kernel's first line tells it. */
export interface KernelBoot {
  what: 'boot';
  /** ISO 8601: with its offset where the line has one, else local wall time; null when the line gives no date. */
  at: string | null;
  /** Kernel release, as `uname -r` has it: `5.10.0-13-amd64`. */
  kernel: string;
  /** The distribution's package version, where the line ends in one: `5.10.106-1`. */
  build: string | null;
  line: number;
}

// The release is followed by who built it; a mere mention of the words elsewhere has no `(…@…`.
const BANNER = /\bLinux version (\d[\w.+~-]{0,100}) \(\S{1,200}@\S{1,200}\)(.*)$/;
const BUILD = /#\d+.{0,100}?\b(?:Debian|Ubuntu) (\d[\w.+~:-]{0,100})/;
const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)?\s/;
const RFC3164 = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d)\s/;
const DMESG_T = /^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})\]/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * kernel-boots: when this machine started, and which kernel.
 *
 * Shape:  one row per `Linux version …` line of kern.log, syslog, journalctl or dmesg.
 * Units:  as the line has it; a traditional syslog stamp has no year, which `yearOf` gives (month 1–12, day).
 * Errors: none; other lines are passed over, for this reads logs that belong to other formats.
 * Source: linux_banner in the kernel's init/version.c; RFC 3164 section 4.1.2; dmesg(1) --ctime.
 */
export function readKernelBoots(
  text: string,
  yearOf: (month: number, day: number) => number | null = () => null,
): KernelBoot[] {
  const boots: KernelBoot[] = [];
  let line = 1;
  let from = 0;
  // A big log is searched, not split.
  for (let hit = text.indexOf('Linux version '); hit >= 0; hit = text.indexOf('Linux version ', from)) {
    for (let end = text.indexOf('\n', from); end >= 0 && end < hit; end = text.indexOf('\n', from)) {
      line++;
      from = end + 1;
    }
    const end = text.indexOf('\n', hit);
    const whole = text.slice(from, Math.min(end < 0 ? text.length : end, from + 2_000)).trimEnd();
    const banner = BANNER.exec(whole);
    if (banner)
      boots.push({
        what: 'boot',
        at: stampOf(whole, yearOf),
        kernel: banner[1]!,
        build: BUILD.exec(banner[2]!)?.[1] ?? null,
        line,
      });
    if (end < 0) break;
    line++;
    from = end + 1;
  }
  return boots;
}

function stampOf(line: string, yearOf: (month: number, day: number) => number | null): string | null {
  const iso = ISO.exec(line);
  if (iso) return `${iso[1]}T${iso[2]}${iso[3] ?? ''}`;
  const long = DMESG_T.exec(line);
  const [, name, dayText, time] = long ?? RFC3164.exec(line) ?? [];
  const month = MONTHS.indexOf(name ?? '') + 1;
  if (month === 0) return null;
  const day = Number(dayText);
  const year = long ? Number(long[4]) : yearOf(month, day);
  return year === null
    ? null
    : `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T${time}`;
}
