import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { addWhyMail, whyMail } from '../src/cli/why-mail.js';
import type { CulpritError } from '../src/errors/culprit-error.js';
import type { MailAnswer } from '../src/findings/mail-route.js';
import { scratch } from './culprit.js';

const CASES = fileURLToPath(new URL('../src/investigations/mail-received-late/cases/', import.meta.url));
const folder = scratch();
const file = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const mail = (name: string) => readFileSync(join(CASES, `${name}.eml`), 'utf8');

async function run(
  ...args: string[]
): Promise<{ status: number | undefined; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  const before = process.exitCode;
  try {
    const why = new Command('why').exitOverride();
    addWhyMail(why);
    await why.parseAsync(['mail', ...args], { from: 'user' });
    return { status: process.exitCode as number | undefined, stdout, stderr };
  } finally {
    process.exitCode = before;
    out.mockRestore();
    err.mockRestore();
  }
}
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout) as MailAnswer;

describe('why mail', () => {
  it('ends with 1 for a mail that was held, 0 for a prompt one', async () => {
    const late = await run(join(CASES, 'held-by-sender.eml'));
    expect(late).toMatchObject({ status: 1, stderr: '' });
    for (const part of [
      'out.sender.example held this mail for 5 h 12 min',
      'slow-hop',
      'exigrep 1ndu3K-005LxL-M5',
    ])
      expect(late.stdout).toContain(part);
    expect(await run(join(CASES, 'prompt.eml'))).toMatchObject({ status: 0, stderr: '' });
    expect((await run(join(CASES, 'held-by-sender.eml'), '--late', '600')).status).toBe(0);
  });

  it('ends with 2 where there is no header, and says what to do', async () => {
    for (const content of ['', 'just a note\n', Buffer.from([0, 255, 1, 254, 10, 13])])
      await expect(run(file('none', content))).rejects.toMatchObject({
        text: { what: 'no mail header was found', at: join(folder, 'none') },
      });
    await expect(run(join(folder, 'missing'))).rejects.toMatchObject({ text: { why: expect.any(String) } });
    await expect(run(join(CASES, 'prompt.eml'), '--late', 'soon')).rejects.toMatchObject({
      text: { what: expect.stringContaining('--late') },
    });
    const sent = 'From: a@b.example\nTo: c@d.example\nDate: Mon, 11 Apr 2022 09:40:00 +0000\n\n';
    expect((await run(file('sent.eml', sent))).status).toBe(2);
  });

  it('says of which file it is when one of several cannot be read', async () => {
    const both = await run(join(CASES, 'prompt.eml'), file('note', 'no header here\n'));
    expect(both.status).toBe(2);
    expect(both.stderr).toContain(join(folder, 'note'));
    expect(both.stdout).toContain('Not late');
  });

  it('reads a compressed mail, and one that breaks off', async () => {
    const packed = gzipSync(mail('held-by-sender') + 'x'.repeat(300_000));
    expect((await json(file('mail.gz', packed))).finding?.culprit).toBe('slow-hop');
    // A header that breaks off lacks its oldest hops.
    const torn = gzipSync(mail('held-by-sender')).subarray(0, 200);
    await expect(run(file('torn.gz', torn))).rejects.toSatisfy(
      (e: CulpritError) => e.text.what === 'this mail was not read to its end',
    );
  });

  it('reads a pipe', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    execFileSync('sh', ['-c', 'cat "$1" > "$2" &', 'sh', join(CASES, 'wrong-clock.eml'), fifo], {
      stdio: 'ignore',
    });
    expect((await json(fifo)).finding?.culprit).toBe('clock-skew');
  });

  it('shows the worst of a mailbox, counts the others and names them', async () => {
    const separator = 'From anna@sender.example Mon Apr 11 11:40:09 2022\n';
    const box = ['prompt', 'held-by-sender', 'prompt', 'wrong-clock', 'outbox']
      .map((name) => `${separator}${mail(name)}\n`)
      .join('');
    const answer = await json(file('mbox', box));
    expect(answer.totals).toEqual({ mails: 5, late: 3, clear: 2, cannotTell: 0 });
    expect(answer.messageId).toBe('<offer-1@sender.example>');
    expect(answer.others.map((o) => o.culprit ?? o.outcome)).toEqual([
      'clock-skew',
      'cannot-tell',
      'clear',
      'clear',
    ]);
    const line = box.slice(0, box.indexOf(mail('held-by-sender'))).split('\n').length;
    expect(answer.line).toBe(line);
    expect((await run(join(folder, 'mbox'))).stdout).toContain('5 mails: 3 late');
  });

  it('reads a folder of mails', async () => {
    const maildir = join(folder, 'cur');
    mkdirSync(maildir);
    for (const name of ['prompt', 'greylisted']) writeFileSync(join(maildir, `${name}:2,S`), mail(name));
    writeFileSync(join(maildir, 'dovecot-uidlist'), '3 V1 N2\n');
    const answer = await json(maildir);
    expect(answer.totals).toMatchObject({ mails: 2, late: 1 });
    expect(answer.finding?.title).toContain('Greylisting');
  });

  it('gives its status to whoever calls it', async () => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await whyMail([join(CASES, 'two-clocks.eml')])).toBe(1);
    out.mockRestore();
  });
});
