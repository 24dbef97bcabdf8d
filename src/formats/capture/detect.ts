import { be32, le32 } from './byte-order.js';
import { linkName } from './link.js';
import { PCAP_HEADER, readPcapHeader } from './pcap.js';
import { BYTE_ORDER_MAGIC, SECTION_HEADER } from './pcapng.js';
import type { CaptureHow } from './reader.js';

/**
 * Says whether a file is a packet capture, by its first bytes; the name counts for nothing.
 *
 * @param head  the first bytes of the file: 24 of a pcap, 12 of a pcapng
 * @returns how it is read, and the format's name as shown; null where it is something else
 */
export function detectCapture(head: Uint8Array, _path: string): { how: CaptureHow; name: string } | null {
  const pcap = head.length < PCAP_HEADER ? null : readPcapHeader(head, 0);
  if (pcap) return { how: pcap, name: `pcap (${linkName(pcap.link)})` };
  if (head.length < 12 || be32(head, 0) !== SECTION_HEADER) return null;
  // A file that went through a text-mode transfer has other line ends in this number.
  if (be32(head, 8) !== BYTE_ORDER_MAGIC && le32(head, 8) !== BYTE_ORDER_MAGIC) return null;
  return { how: { kind: 'pcapng' }, name: 'pcapng' };
}
