/**
 * How far our TCP analysis agrees with tshark's, packet by packet.
 *
 *   node dist-tools/bench/capture-agreement.js [--differences] FILE…
 */
import { pathToFileURL } from 'node:url';
import { TcpAnalysis } from '../src/formats/capture/analysis.js';
import { Analysis } from '../src/formats/capture/columns.js';
import { TSHARK_NAMES, tsharkPackets } from './tshark-packets.js';

/** Packets that both, only we, only tshark call so. */
interface Count {
  both: number;
  ours: number;
  tsharks: number;
}

export interface Agreement {
  packets: number;
  bits: Map<string, Count>;
  /** Packets whose connection has another number, or whose window has another size where we know it. */
  otherConnection: number;
  otherWindow: number;
  unknownWindow: number;
  differences: { packet: number; ours: string[]; tsharks: string[] }[];
  /** Bits that tshark has not. */
  resentAfterAck: number;
  duplicatePackets: number;
}

const named = (analysis: number) =>
  TSHARK_NAMES.filter(([, bit]) => analysis & bit)
    .map(([name]) => name)
    .concat(analysis & Analysis.duplicatePacket ? ['duplicate packet'] : [])
    .concat(analysis & Analysis.resentAfterAck ? ['resent after its ACK'] : []);

export async function agreement(path: string): Promise<Agreement> {
  const analysis = new TcpAnalysis();
  const found: Agreement = {
    packets: 0,
    bits: new Map(TSHARK_NAMES.map(([name]) => [name, { both: 0, ours: 0, tsharks: 0 }])),
    otherConnection: 0,
    otherWindow: 0,
    unknownWindow: 0,
    differences: [],
    resentAfterAck: 0,
    duplicatePackets: 0,
  };
  for await (const [packet, buffer, told] of tsharkPackets(path)) {
    analysis.see(packet, buffer);
    found.packets++;
    if (packet.connection !== told.stream + 1) found.otherConnection++;
    if (packet.windowBytes < 0) found.unknownWindow++;
    else if (packet.windowBytes !== told.windowBytes) found.otherWindow++;
    if (packet.analysis & Analysis.resentAfterAck) found.resentAfterAck++;
    if (packet.analysis & Analysis.duplicatePacket) found.duplicatePackets++;
    let differ = false;
    for (const [name, bit] of TSHARK_NAMES) {
      const count = found.bits.get(name)!;
      const [ours, tsharks] = [(packet.analysis & bit) !== 0, (told.analysis & bit) !== 0];
      if (ours && tsharks) count.both++;
      else if (ours) count.ours++;
      else if (tsharks) count.tsharks++;
      differ ||= ours !== tsharks;
    }
    if (differ)
      found.differences.push({
        packet: packet.number,
        ours: named(packet.analysis),
        tsharks: named(told.analysis),
      });
  }
  return found;
}

function table(found: Agreement): string {
  const lines = ['| tcp.analysis | both | only culprit | only tshark |', '| --- | ---: | ---: | ---: |'];
  for (const [name, { both, ours, tsharks }] of found.bits)
    if (both + ours + tsharks > 0) lines.push(`| ${name} | ${both} | ${ours} | ${tsharks} |`);
  lines.push(
    '',
    `${found.packets} TCP packets; other connection: ${found.otherConnection}; other window: ${found.otherWindow}, unknown: ${found.unknownWindow}; resent after their ACK: ${found.resentAfterAck}; captured twice: ${found.duplicatePackets}.`,
  );
  return lines.join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  for (const path of files) {
    const found = await agreement(path);
    console.log(`## ${path}\n\n${table(found)}\n`);
    if (process.argv.includes('--differences'))
      for (const { packet, ours, tsharks } of found.differences)
        console.log(`packet ${packet}: culprit [${ours.join(', ')}] tshark [${tsharks.join(', ')}]`);
  }
}
