import { CulpritError } from './culprit-error.js';

/** Neither an end nor a packet was given. */
export function whichConnection(): CulpritError {
  return new CulpritError({
    what: 'which connection?',
    why: 'neither an end of it nor a packet of it was given',
    help: 'culprit why connection 10.0.0.2:40112, or culprit why connection --packet 705',
  });
}

/** What was given is no end of a connection. */
export function noEnd(text: string): CulpritError {
  return new CulpritError({
    what: 'this is no connection',
    why: `“${text}” is neither ADDRESS:PORT, nor two of these with a - between, nor the number of a packet`,
    help: 'for example 10.0.0.2:40112, 10.0.0.2:40112-192.0.2.25:25, [fd80::1]:25, or 705 for packet 705',
  });
}

/** No connection of the case fits. */
export function noConnection(asked: string, path: string, hasCapture: boolean): CulpritError {
  return new CulpritError({
    what: 'no such connection',
    why: hasCapture
      ? `no TCP packet of the captures that were read is ${asked}`
      : 'this case holds no capture with TCP in it',
    at: path,
    help: hasCapture
      ? 'the addresses are those in the capture: behind NAT they differ from the log’s; culprit sources lists the captures'
      : 'run `culprit examine` on a capture first (*.pcap, *.pcapng), or name a case with --case FILE',
  });
}

/** Several connections fit; they have been listed. */
export function severalConnections(total: number, path: string): CulpritError {
  return new CulpritError({
    what: `${total.toLocaleString('en-GB')} connections fit`,
    why: 'one connection is told at a time',
    at: path,
    help: 'name one by a packet of it: culprit why connection --packet N, and with several captures --capture PART-OF-PATH',
  });
}

/** The file of --svg holds something else. */
export function notOurDrawing(path: string): CulpritError {
  return new CulpritError({
    what: 'this file is not overwritten',
    why: 'it exists, and is no SVG',
    at: path,
    help: 'give --svg another name',
  });
}

export function drawingNotWritten(path: string, cause: unknown): CulpritError {
  return new CulpritError(
    {
      what: 'the drawing could not be written',
      why: cause instanceof Error ? cause.message : String(cause),
      at: path,
    },
    cause,
  );
}
