/** Why a line was not read. 0 is "it was". Shared by all formats that read lines. */
export const Unread = {
  none: 0,
  noMatch: 1,
  badTime: 2,
  badStatus: 3,
  badNumber: 4,
  tooLong: 5,
  brokenOff: 6,
  badJson: 7,
  empty: 8,
  otherProgram: 9,
  unknownMail: 10,
} as const;
export type Unread = (typeof Unread)[keyof typeof Unread];

export const UNREAD_REASONS: Record<Unread, string> = {
  0: '',
  1: 'does not have the shape of this log’s format',
  2: 'no time where the format has one',
  3: 'no status where the format has one',
  4: 'no number where the format has one',
  5: 'longer than 1 MB',
  6: 'breaks off in mid-line',
  7: 'is not a JSON object with a time',
  8: 'empty line',
  9: 'of another program',
  10: 'a mail log line of a kind that culprit does not know',
};
