/**
 * Fields by which a server says itself that it made a mail wait, and why. Where one accounts for a wait, nobody's queue
 * is to blame.
 */
export interface ReceivedHold {
  /** Lower case. */
  field: string;
  kind: 'greylisting' | 'moderation';
  /** Finds how long (`seconds`, or `h`, `m`, `s`) or until when (the rest of the value is a date). Linear on any text. */
  pattern: RegExp;
  program: string;
  source: string;
}

export const RECEIVED_HOLDS: ReceivedHold[] = [
  {
    field: 'x-greylist',
    kind: 'greylisting',
    pattern: /^delayed (?<seconds>\d{1,9}) seconds by (?:postgrey|SQLgrey)/i,
    program: 'postgrey',
    source:
      'postgrey(8), --x-greylist-header; default "X-Greylist: delayed %t seconds by postgrey-%v at %h; %d"',
  },
  {
    field: 'x-greylist',
    kind: 'greylisting',
    pattern: /^delayed (?:for )?(?<h>\d{1,6}):(?<m>\d{1,2}):(?<s>\d{1,2}) by /i,
    program: 'milter-greylist or SQLgrey',
    source:
      'milter-greylist, greylist.conf(5), report delays: "Delayed for HH:MM:SS by milter-greylist-…"; SQLgrey: "delayed HH:MM:SS by SQLgrey-…"',
  },
  {
    field: 'x-mailman-approved-at',
    kind: 'moderation',
    pattern: /^(?<until>[A-Za-z]{3}, .{1,60})$/,
    program: 'Mailman',
    source: 'Mailman 2.1, Mailman/ListAdmin.py: written when a moderator lets a held mail through',
  },
];
