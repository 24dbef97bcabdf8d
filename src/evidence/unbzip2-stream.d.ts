declare module 'unbzip2-stream' {
  /** A duplex stream: bzip2 in, content out. */
  export default function unbzip2(): NodeJS.ReadWriteStream & AsyncIterable<Uint8Array>;
}
