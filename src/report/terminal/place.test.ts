import { describe, expect, it } from 'vitest';
import { placeText, seenAt, shortNames } from './place.js';
import { type Line, lineWidth } from './text.js';

const text = (line: Line) => line.map((s) => s.text).join('');

describe('placeText', () => {
  it('is ready to be copied', () => {
    expect(placeText({ path: '/var/log/mail.log', line: 88120 })).toBe('/var/log/mail.log:88120');
    expect(placeText({ path: 'smtp.pcap', packet: 2210 })).toBe('smtp.pcap: packet 2210');
    expect(placeText({ path: 'a.eml', offset: 12_345 })).toBe('a.eml: byte 12,345');
  });
});

describe('shortNames', () => {
  it('gives each path as many of its last folders as tell it from the others', () => {
    const names = shortNames(['/srv/web1/access.log', '/srv/web2/access.log', '/srv/web2/error.log']);
    expect(names('/srv/web1/access.log')).toBe('web1/access.log');
    expect(names('/srv/web2/access.log')).toBe('web2/access.log');
    expect(names('/srv/web2/error.log')).toBe('error.log');
  });

  it('tells a path from a longer one that ends like it', () => {
    const paths = ['log/a', '/srv/log/a', 'a'];
    const names = shortNames(paths);
    expect(new Set(paths.map(names)).size).toBe(3);
  });

  it('gives a path that it was not told of as it is', () => {
    expect(shortNames([])('/x/y')).toBe('/x/y');
  });
});

describe('seenAt', () => {
  const names = shortNames(['/var/log/exim4/mainlog.3.gz', '/etc/exim4']);

  it('names the first place and shows that there are more', () => {
    const from = [
      { path: '/var/log/exim4/mainlog.3.gz', line: 88120 },
      { path: '/var/log/exim4/mainlog.3.gz', line: 90127 },
    ];
    expect(text(seenAt(from, names, 60))).toBe('mainlog.3.gz:88120 …');
  });

  it('says what was searched in vain, and how much of it could not be read', () => {
    expect(text(seenAt({ searched: ['/etc/exim4'], lines: 1211, unread: 3 }, names, 60))).toBe(
      'searched exim4 (1,211 lines, 3 unread)',
    );
    expect(text(seenAt({ searched: ['a', 'b'], lines: 1, unread: 0 }, names, 60))).toBe(
      'searched 2 files (1 line)',
    );
  });

  it('cuts the path and never the line number', () => {
    const from = [{ path: `/srv/${'a'.repeat(90)}.log`, line: 123_456 }];
    const line = seenAt(from, (path) => path, 24);
    expect(lineWidth(line)).toBeLessThanOrEqual(24);
    expect(text(line)).toMatch(/^\/srv.*…a*\.log:123456$/);
  });

  it('says nothing when there is no place', () => {
    expect(seenAt([], names, 40)).toEqual([]);
  });
});
