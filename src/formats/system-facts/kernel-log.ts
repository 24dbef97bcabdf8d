import { headLines } from '../text-lines.js';

const FIRST =
  /^(?:<\d{1,3}>)?(?:\[ *\d+\.\d+\] |\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] |(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,32}) \S{1,255} kernel: (?:\[ *\d+\.\d+\] )?)?Linux version \d[\w.+~-]{0,100} \(\S{1,200}@\S{1,200}\)/;
const KERNEL = /^(?:<\d{1,3}>)?(?:\[ *\d+\.\d+\]|\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d|.{15,300}? kernel: )/;

/** Whether a text is the kernel's log with a boot in it: dmesg, kern.log, or a syslog that begins so. */
export function detectKernelLog(head: Uint8Array): boolean {
  const lines = headLines(head);
  if (!lines) return false;
  const first = lines.findIndex((l) => FIRST.test(l.slice(0, 1_000)));
  return first === 0 || (first > 0 && KERNEL.test(lines[0]!.slice(0, 400)));
}
