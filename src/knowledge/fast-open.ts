/** Which servers Exim tries Fast Open with when its configuration says nothing of `hosts_try_fastopen`, by version. */
export const EXIM_FAST_OPEN_DEFAULTS: {
  since: string;
  default: '*' | 'none' | 'no such option';
  source: string;
}[] = [
  { since: '4.0', default: 'no such option', source: 'Exim, doc/doc-txt/OptionLists.txt: new in 4.88' },
  { since: '4.88', default: 'none', source: 'Exim, doc/doc-txt/NewStuff, Version 4.88, item 15' },
  { since: '4.93', default: '*', source: 'Exim, doc/doc-txt/ChangeLog, Exim version 4.93, JH/25' },
];
