import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report, SourceReport } from '../../findings/finding.js';
import { renderSources, type UnreadLines } from './sources.js';
import { plainPaint } from './style.js';

const { sources } = JSON.parse(
  readFileSync(new URL('../cases/story.json', import.meta.url), 'utf8'),
) as Report;

const shown = (all: SourceReport[], unread: UnreadLines[] = [], width = 140) =>
  renderSources(all, unread, { width, paint: plainPaint, unicode: true });

describe('renderSources', () => {
  it('has a row for every source, whatever became of it', () => {
    const rows = shown(sources).match(/^[✓!=] {2}/gm);
    expect(rows).toHaveLength(sources.length);
  });

  it('marks what was not read in full, and says why below', () => {
    const text = shown(sources);
    expect(text).toMatch(/^! {2}mainlog\.3\.gz .+ 1,310,221 +3 /m);
    expect(text).toMatch(
      /^! {2}other_vhosts_access\.log\.14\.gz +not recognised .+\n {5}gzip data end before/m,
    );
    expect(text).toMatch(/^= {2}.+\n {5}same content as \/var\/log\/apache2\/blog\.example-access\.log\.1/m);
  });

  it('shows the parts of a stream together, and where it ends', () => {
    const text = shown(sources);
    expect(text).toContain('/var/log/exim4/mainlog · 3 files\n');
    expect(text).toMatch(/mainlog\.4\.gz .+\n\n✓ {2}smtp\.pcap /);
  });

  it('tells hosts apart when there are several', () => {
    const two = [sources[0]!, { ...sources[0]!, host: 'web2', path: '/web2/mainlog' }];
    const text = shown(two);
    expect(text).toContain('web1 · /var/log/exim4/mainlog\n');
    expect(text).toContain('web2 · /var/log/exim4/mainlog\n');
  });

  it('counts what was read once, although it was there twice', () => {
    expect(shown(sources)).toContain(
      '9 files · 1 with the content of another · 2.42 GB · 12,097,802 records · 1,204 unread\n',
    );
  });

  it('says which columns there was no room for', () => {
    expect(shown(sources, [], 80)).toContain('Left out for want of width: from – to\n');
    expect(shown(sources, [], 40)).toContain('Left out for want of width: format,\nsize, from – to\n');
  });

  it('gives the reasons for what could not be read, the most frequent first', () => {
    const line = { path: '/a.log', line: 7, excerpt: 'half a li\x1b' };
    const text = shown(sources, [
      { ...line, reason: 'no date', count: 2 },
      { ...line, reason: 'breaks off', count: 1201 },
    ]);
    expect(text).toMatch(/1,201 × breaks off\n {2}\/a\.log:7\n {4}half a li\\x1b\n2 × no date\n/);
  });

  it('says so when there is nothing', () => {
    expect(shown([])).toBe('No evidence was read.\n');
  });
});
