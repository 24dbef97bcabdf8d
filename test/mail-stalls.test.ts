import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { culprit, examine, scratch } from './culprit.js';
import { ethernet, type Frame, ipv4, pcap, tcp } from './write-capture.js';

/** Stories of mail that breaks off, as a log tells them, and captures of the connections, written packet by packet. */
const US = '198.51.100.2';
const GOOGLE = '192.0.2.26';
const STALLED_AT = 300_000;

interface Story {
  /** Large mail to Google from this hour to that one breaks off. */
  from: number;
  to: number;
  says?: string;
  fastOpen?: boolean;
  /** Sizes of the small and the large message to Google. */
  small?: number;
  large?: number;
}

/** Forty hours of mail: each hour a small and a large message to Google and to somebody else. */
function mainlog({
  from,
  to,
  says = 'SMTP timeout after sending data block (199774 bytes written): Connection timed out',
  fastOpen = true,
  small = 4_000,
  large = STALLED_AT,
}: Story): string {
  const lines: string[] = [
    '2026-03-01 00:00:00 exim 4.94.2 daemon started: pid=700, -q30m, listening for SMTP on port 25',
  ];
  let n = 0;
  const stamp = (hour: number, second: number) =>
    new Date(Date.UTC(2026, 2, 1, hour, 0, second)).toISOString().slice(0, 19).replace('T', ' ');
  for (let hour = 1; hour <= 40; hour++)
    for (const [host, ip, domain, size] of [
      ['gmail-smtp-in.l.google.com', GOOGLE, 'gmail.com', small + hour],
      ['gmail-smtp-in.l.google.com', GOOGLE, 'gmail.com', large + hour * 50],
      ['mx.example.net', '192.0.2.50', 'example.net', 5_000 + hour * 10],
      ['mx.example.net', '192.0.2.50', 'example.net', STALLED_AT + hour * 6_000],
    ] as const) {
      const id = `1xVT${String(n).padStart(2, 'A').slice(-2)}-${String(++n).padStart(6, '0')}-0A`;
      lines.push(
        `${stamp(hour, n % 30)} ${id} <= office@example.org H=(pc) [198.51.100.9] P=esmtp S=${size}`,
      );
      const breaks = domain === 'gmail.com' && size >= large && hour >= from && hour <= to;
      if (breaks) {
        lines.push(`${stamp(hour, 31 + (n % 20))} ${id} H=${host} [${ip}] ${says}`);
        lines.push(
          `${stamp(hour, 31 + (n % 20))} ${id} == bob@${domain} R=dnslookup T=remote_smtp defer (110): Connection timed out H=${host} [${ip}]: ${says.replace(/: Connection timed out$/, '')}`,
        );
      } else {
        const tfo = fastOpen && domain === 'gmail.com' ? ' TFO' : '';
        lines.push(
          `${stamp(hour, 31 + (n % 20))} ${id} => bob@${domain} R=dnslookup T=remote_smtp H=${host} [${ip}]${tfo} C="250 OK"`,
        );
        lines.push(`${stamp(hour, 31 + (n % 20))} ${id} Completed`);
      }
    }
  return `${lines.join('\n')}\n`;
}

type Kind = 'acks-dropped' | 'mtu' | 'closed' | 'reset' | 'fine';

/** One connection to Google's port 25 as captured on this host. */
function connection(port: number, kind: Kind, cookie: boolean, begins: number): Frame[] {
  const frames: Frame[] = [];
  const MSS = 1_400;
  const put = (ms: number, ours: boolean, t: Parameters<typeof tcp>[0]) =>
    frames.push({
      at: (begins + ms) * 1000,
      bytes: ethernet(
        ours
          ? ipv4(tcp({ from: port, to: 25, ...t }), { from: US, to: GOOGLE })
          : ipv4(tcp({ from: 25, to: port, ...t }), { from: GOOGLE, to: US }),
      ),
    });
  const options = '020405b4 0402 030307 01';
  put(0, true, { seq: 1000, flags: 2, options: cookie ? `${options} 220a 0102030405060708` : options });
  put(20, false, { seq: 5000, ack: 1001, flags: 18, options: '020405b4 0402 030308 01' });
  put(21, true, { seq: 1001, ack: 5001, flags: 16 });
  put(22, false, { seq: 5001, ack: 1001, flags: 24, payload: '220 mx.google.com ESMTP\r\n' });
  put(23, true, { seq: 1001, ack: 5026, flags: 24, payload: 'EHLO mx.example.org\r\n' });
  put(43, false, { seq: 5026, ack: 1022, flags: 24, payload: '250 OK\r\n' });
  const data = (ms: number, n: number) =>
    put(ms, true, { seq: 1022 + n * MSS, ack: 5034, flags: 16, payload: 'x'.repeat(MSS) });
  const acked = (ms: number, n: number, window = 502) =>
    put(ms, false, { seq: 5034, ack: 1022 + n * MSS, flags: 16, window });
  for (let n = 0; n < 8; n++) data(50 + n, n);
  if (kind === 'acks-dropped') {
    acked(75, 8);
    for (const wait of [2_000, 4_500, 9_000]) data(wait, 2);
  } else if (kind === 'mtu') for (const wait of [1_000, 3_000, 7_000, 15_000]) data(wait, 0);
  else if (kind === 'closed') {
    acked(75, 8, 0);
    for (const wait of [1_000, 3_000, 7_000, 15_000, 31_000]) {
      put(wait, true, { seq: 1021 + 8 * MSS, ack: 5034, flags: 16 });
      acked(wait + 20, 8, 0);
    }
  } else if (kind === 'reset') {
    acked(75, 4);
    put(90, false, { seq: 5034, flags: 4 });
  } else {
    acked(75, 8);
    put(80, true, { seq: 1022 + 8 * MSS, ack: 5034, flags: 17 });
    put(100, false, { seq: 5034, ack: 1023 + 8 * MSS, flags: 17 });
    put(101, true, { seq: 1023 + 8 * MSS, ack: 5035, flags: 16 });
  }
  return frames;
}

function capture(kind: Kind, cookie: boolean): Buffer {
  const frames = [1, 2, 3, 4, 5, 6].flatMap((n) => connection(40_000 + n, kind, cookie, n * 60_000));
  return pcap([...frames, ...connection(50_000, 'fine', false, 500_000)]);
}

function evidence(files: Record<string, string | Buffer>): string {
  const folder = scratch();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const stalls = { from: 20, to: 40 };
const RESET = 'Remote host closed connection in response to end of data';

describe('mail that breaks off', () => {
  it('accuses nobody of a log alone, and names the rivals and the command that decides', async () => {
    const report = await examine([evidence({ mainlog: mainlog(stalls) })], { state: scratch() });
    expect(report.findings).toHaveLength(1);
    const finding = report.findings[0]!;
    expect(finding).toMatchObject({ investigation: 'mail-stalls', outcome: 'cannot-tell', culprit: null });
    expect(finding.subject).toMatchObject({ provider: 'google' });
    expect(finding.since).toMatch(/^2026-03-01T20:/);
    const open = finding.hypotheses.filter((h) => h.verdict === 'undecided');
    expect(open.length).toBeGreaterThan(1);
    expect(open.map((h) => h.id)).toContain('fast-open-acks-dropped');
    expect(open.flatMap((h) => h.bring).join('\n')).toContain(
      `tcpdump -i any -s 128 -w smtp.pcap 'tcp port 25 and (host ${GOOGLE})'`,
    );
  });

  it.each([
    ['acks-dropped', true, 'fast-open-acks-dropped'],
    ['acks-dropped', false, 'local-filter-drops-packets'],
    ['mtu', false, 'path-mtu-black-hole'],
    ['closed', false, 'receiver-stopped-reading'],
  ] as const)('is decided by a capture: %s, cookie %s', async (kind, cookie, culpritId) => {
    const files = {
      mainlog: mainlog({
        ...stalls,
        fastOpen: cookie,
        // What does not fit into one small segment is lost, whatever its size.
        ...(kind === 'mtu' ? { small: 700, large: 2_000 } : {}),
      }),
      'smtp.pcap': capture(kind, cookie),
    };
    const report = await examine([evidence(files)], { state: scratch() });
    expect(report.findings.map((f) => [f.culprit, f.subject.provider])).toEqual([[culpritId, 'google']]);
    expect(['certain', 'likely']).toContain(report.findings[0]!.confidence);
    const [own] = report.findings[0]!.hypotheses;
    expect(own!.facts.some((f) => Array.isArray(f.from) && f.from.some((p) => 'packet' in p))).toBe(true);
  });

  it('tells a reset from the log itself', async () => {
    const report = await examine([evidence({ mainlog: mainlog({ ...stalls, says: RESET }) })], {
      state: scratch(),
    });
    expect(report.findings.map((f) => f.culprit)).toEqual(['connection-reset']);
  });

  it('accuses nobody when everything passes', async () => {
    const files = { mainlog: mainlog({ from: 99, to: 99 }), 'smtp.pcap': capture('fine', true) };
    const report = await examine([evidence(files)], { state: scratch() });
    expect(report.findings).toEqual([]);
    expect(report.clear.map((c) => c.investigation)).toContain('mail-stalls');
  });

  it('sees the cure, and verify confirms it', async () => {
    const state = scratch();
    const files = { mainlog: mainlog({ from: 10, to: 25 }), 'smtp.pcap': capture('acks-dropped', true) };
    const report = await examine([evidence(files)], { state });
    expect(report.findings[0]!.until).toMatch(/^2026-03-02T01:/);
    const verified = await culprit(['verify', '1', '--json'], { state });
    expect(JSON.parse(verified.stdout)).toMatchObject({ verdict: 'fixed' });
    expect(verified.status).toBe(0);
  });
});
