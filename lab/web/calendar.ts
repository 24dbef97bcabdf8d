/** Days and clocks of a case: local days of one zone, which may be 23 or 25 hours long. */
export interface Calendar {
  days: number;
  /** UTC milliseconds of the local midnight that begins the day. `midnight(days)` is the end of the case. */
  midnight(day: number): number;
  /** Minutes east of UTC at that instant. */
  offset(utc: number): number;
}

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** `zone` is a fixed offset such as `+0200`, or an IANA name such as `Europe/Berlin`, which has DST. */
export function makeCalendar(start: string, days: number, zone: string): Calendar {
  const offset = /^[+-]\d{4}$/.test(zone) ? fixed(zone) : named(zone);
  const first = Date.parse(`${start}T00:00:00Z`);
  return {
    days,
    offset,
    midnight(day) {
      const wall = first + day * DAY;
      const guess = wall - offset(wall) * 60_000;
      return wall - offset(guess) * 60_000;
    },
  };
}

/** `2024-03-31T02:30:00`, as a clock on the wall showed it. */
export function local(calendar: Calendar, utc: number): string {
  return new Date(utc + calendar.offset(utc) * 60_000).toISOString().slice(0, 19);
}

function fixed(zone: string) {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
  return () => (zone.startsWith('-') ? -minutes : minutes);
}

function named(zone: string) {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  const known = new Map<number, number>();
  return (utc: number) => {
    const hour = Math.floor(utc / HOUR);
    let minutes = known.get(hour);
    if (minutes === undefined) {
      const name = format.formatToParts(hour * HOUR).find((part) => part.type === 'timeZoneName')!.value;
      minutes = name === 'GMT' ? 0 : fixed(name.slice(3).replace(':', ''))();
      known.set(hour, minutes);
    }
    return minutes;
  };
}
