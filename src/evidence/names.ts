/** What rotation and compression put behind or into a name: `.1`, `.2.gz`, `-20150901.gz`, `.2015-09-01`. */
const ROTATED = [
  /\.(gz|zst|zstd|xz|bz2|lz4|Z)$/i,
  /[.-]\d{4}-?\d{2}-?\d{2}([-_.T]?\d{2}([-_.:]?\d{2}){0,4})?$/,
  /[.-]\d{10}$/,
  /\.\d{1,4}$/,
  /\.(old|bak|orig)$/,
];

/** The name without rotation and compression: all parts of one log share it. */
export function streamName(path: string): string {
  for (let name = path; ; ) {
    const shorter = ROTATED.reduce((n, ending) => n.replace(ending, ''), name)
      // access.1.log, access-20150901.log, access.2015-09-01.log
      .replace(/(\D)[.-](\d{8}|\d{4}-\d{2}-\d{2}|\d{1,3})(\.log)$/, '$1$3');
    if (shorter === name || shorter === '' || shorter.endsWith('/')) return name;
    name = shorter;
  }
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}$/i;
const WORDS =
  /(^|[._-])(access|error|ssl|https?|other_vhosts|vhosts?|combined|common|custom|requests?|log|logs|json|nginx|apache2?|httpd|caddy|traefik)(?=[._-]|$)/gi;

/** The virtual host that a log's name speaks of, or null: `choir.example-access.log.2.gz` → `choir.example`. */
export function vhostFromName(path: string): string | null {
  // An archive's own name is nobody's virtual host.
  const parts = streamName(path).split('!/').at(-1)!.split('/').filter(Boolean);
  for (const part of [parts.at(-1) ?? '', parts.at(-2) ?? '']) {
    const bare = part
      .replace(/\.(log|txt|json|jsonl|ndjson|out)$/i, '')
      .replace(WORDS, '$1')
      // xn--… keeps its two.
      .replace(/[._-]*[._][._-]+|-+[._]/g, (run) => run[0]!)
      .replace(/^[._-]+|[._-]+$/g, '');
    if (HOST.test(bare)) return bare.toLowerCase();
  }
  return null;
}
