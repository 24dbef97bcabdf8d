import type { Remedy } from '../../findings/finding.js';
import type { Case } from '../../store/case.js';
import { imageCacheOf } from '../web.js';
import type { Site } from './course.js';
import type { CulpritId, Weighed } from './hypotheses.js';

/**
 * Exact changes for this site and this server. What came out of the log goes into a configuration only through
 * `literal` or `pattern`, so that a hostile agent or path cannot write directives.
 */
export interface Server {
  apache: boolean;
  nginx: boolean;
  wordpress: boolean;
}

/** What the evidence says of the server: the format of its logs and configuration, and paths of WordPress. */
export async function serverOf(store: Case): Promise<Server> {
  const [row] = await store.rows<{ apache: boolean; nginx: boolean; wordpress: boolean }>(
    `SELECT (SELECT count(*) > 0 FROM sources WHERE format = 'apache-config' OR choice LIKE '%"apache"%') AS apache,
            (SELECT count(*) > 0 FROM sources WHERE format = 'nginx-config' OR choice LIKE '%"nginx"%' OR stream LIKE '%nginx%') AS nginx,
            (SELECT count(*) > 0 FROM path_texts WHERE text LIKE '/wp-content/%') AS wordpress`,
  );
  return row!;
}

/** Inside double quotes of a configuration: only characters that mean nothing there; the rest become a dot. */
function pattern(text: string): string {
  return text.replace(/[^A-Za-z0-9 _/:-]/g, '.').slice(0, 120);
}

/** A host, path or name as it stands; null when it has characters that no such thing needs. */
function literal(text: string): string | null {
  return /^[\w.,:/@%+~-]{1,200}$/.test(text) ? text : null;
}

const APACHE_FILE = (site: Site) =>
  `the <VirtualHost> of ${site.name} (Debian: /etc/apache2/sites-available/), then apachectl configtest && systemctl reload apache2`;
const NGINX_FILE = (site: Site) =>
  `nginx, the server of ${site.name}, then nginx -t && systemctl reload nginx`;
const MU_PLUGIN = 'a new file wp-content/mu-plugins/culprit-no-photon.php in that site';

function imageCache(found: Weighed, site: Site, server: Server): Remedy[] {
  const agent = found.slice?.agent ?? null;
  const cache = imageCacheOf(agent);
  const remedies: Remedy[] = [];
  if (found.slice?.resized)
    return [
      {
        title: 'Ask for few sizes',
        change: `# nginx: map every size asked for to the next of a few, before the cache key is made
map $arg_resize $size {
  default        1200;
  "~^[1-2]?\\d?\\d%2C"  300;
  "~^[3-6]\\d\\d%2C"    600;
}`,
        where: NGINX_FILE(site),
        cost: 'pictures are up to twice as wide as asked for, so somewhat larger each',
        undo: 'take the lines out and reload',
        preferred: true,
      },
    ];
  if (server.wordpress && (cache?.name === 'Photon' || cache === null))
    remedies.push({
      title: cache
        ? 'Stop serving this site’s images by way of Photon'
        : 'Stop serving this site’s images by way of an image cache (if it is Jetpack’s)',
      change: `<?php
// Images come from this site itself again; everything else of Jetpack stays.
add_filter( 'jetpack_photon_skip_image', '__return_true' );`,
      where: `${MU_PLUGIN}; or Jetpack → Settings → Performance → switch Site Accelerator for images off; or: wp jetpack module deactivate photon`,
      cost: 'visitors get the images from this server: about the bytes of one fetch for each visitor instead of one for each size and edge',
      undo: 'delete the file (or switch it on again)',
      preferred: true,
    });
  const agentPattern = agent === null ? '^-?$' : pattern(agent.split('/')[0]!);
  remedies.push({
    title: 'Let the cache keep what it has (Apache)',
    change: `<LocationMatch "\\.(?:jpe?g|png|gif|webp)$">
  Header set Cache-Control "public, max-age=31536000, immutable"
  FileETag MTime Size
</LocationMatch>`,
    where: `${APACHE_FILE(site)}; needs a2enmod headers`,
    cost: 'a changed image needs a new name; caches that ignore Cache-Control (Photon keeps by its own rule) do not heed it',
    undo: 'take the lines out and reload',
    preferred: remedies.length === 0 && !server.nginx,
  });
  remedies.push(
    server.nginx
      ? {
          title: 'Limit how fast the cache may fetch (nginx)',
          change: `# in http { }
map $http_user_agent $image_cache { default ""; "~*${agentPattern}" $server_name; }
limit_req_zone $image_cache zone=image_cache:1m rate=30r/m;
# in server { }
location ~* \\.(jpe?g|png|gif|webp)$ { limit_req zone=image_cache burst=20; limit_req_status 429; expires 1y; }`,
          where: NGINX_FILE(site),
          cost: 'images that the cache does not hold yet appear late; take the location’s other rules over into it',
          undo: 'take the lines out and reload',
          preferred: remedies.every((r) => !r.preferred),
        }
      : {
          title: 'Limit how fast the cache may fetch (Apache)',
          change: `<If "%{HTTP_USER_AGENT} =~ m#${agentPattern}#">
  SetOutputFilter RATE_LIMIT
  SetEnv rate-limit 256
</If>`,
          where: `${APACHE_FILE(site)}; needs a2enmod ratelimit`,
          cost: '256 KiB/s for each of its connections: the bytes are spread, not saved',
          undo: 'take the lines out and reload',
          preferred: false,
        },
  );
  return remedies;
}

function hotlink(found: Weighed, site: Site, server: Server): Remedy[] {
  const from = found.slice?.referringSite ?? null;
  const foreign = pattern(from ?? '').replaceAll('.', '\\.');
  const own = pattern(site.name.replace(/^www\./, '')).replaceAll('.', '\\.');
  let apache: Remedy = {
    title: `Do not serve objects to pages of ${found.slice?.referringSite} (Apache)`,
    change: `RewriteEngine On
RewriteCond "%{HTTP_REFERER}" "^https?://([^/]+\\.)?${foreign}(/|:|$)" [NC]
RewriteRule "\\.(jpe?g|png|gif|webp|mp4|mp3|pdf|zip)$" "-" [F]`,
    where: APACHE_FILE(site),
    cost: 'their pages show a broken picture; readers with no referrer are not affected',
    undo: 'take the lines out and reload',
    preferred: !server.nginx,
  };
  const nginx: Remedy = {
    title: 'Serve objects to own pages only (nginx)',
    change: `location ~* \\.(jpe?g|png|gif|webp|mp4|mp3|pdf|zip)$ {
  valid_referers none blocked server_names *.${literal(site.name.replace(/^www\./, '')) ?? own} ~\\.google\\. ~\\.bing\\.;
  if ($invalid_referer) { return 403; }
}`,
    where: NGINX_FILE(site),
    cost: 'all pages elsewhere show a broken picture, image search previews and feed readers on the web too unless they are listed',
    undo: 'take the lines out and reload',
    preferred: server.nginx,
  };
  if (from === null)
    apache = {
      ...apache,
      title: 'Serve objects to own pages only (Apache)',
      change: `RewriteEngine On
RewriteCond "%{HTTP_REFERER}" "!^$"
RewriteCond "%{HTTP_REFERER}" "!^https?://([^/]+\\.)?${own}(/|:|$)" [NC]
RewriteCond "%{HTTP_REFERER}" "!^https?://([^/]+\\.)?(google|bing|duckduckgo)\\." [NC]
RewriteRule "\\.(jpe?g|png|gif|webp|mp4|mp3|pdf|zip)$" "-" [F]`,
      cost: 'all pages elsewhere show a broken picture; readers with no referrer are not affected',
    };
  return server.nginx && !server.apache ? [{ ...nginx, preferred: true }] : [apache, nginx];
}

function crawl(found: Weighed, site: Site, server: Server): Remedy[] {
  const agent = found.slice?.agent ?? null;
  const name = agent
    ? (/([A-Za-z][\w-]*(?:bot|crawler|spider)[\w-]*)/i.exec(agent)?.[1] ?? agent.split('/')[0]!)
    : null;
  const net = literal(found.slice?.net ?? found.slice?.wideNet ?? '');
  const remedies: Remedy[] = [];
  if (name)
    remedies.push({
      title: `Ask ${name} to go slowly, and to leave uploads alone`,
      change: `User-agent: ${pattern(name)}
Crawl-delay: 10
Disallow: /wp-content/uploads/`,
      where: `robots.txt at the root of ${site.name}`,
      cost: 'none for readers; its index shows less of the site. Crawlers that do not heed robots.txt are not stopped',
      undo: 'take the lines out',
      preferred: true,
    });
  remedies.push(
    server.nginx
      ? {
          title: 'Limit its rate (nginx)',
          change: `# in http { }
map ${net ? '$remote_addr' : '$http_user_agent'} $crawler { default ""; "~*${net ? `^${net.replace(/(\.0)+\/\d+$/, '.').replaceAll('.', '\\.')}` : pattern(name ?? '')}" $server_name; }
limit_req_zone $crawler zone=crawler:1m rate=20r/m;
# in server { }
limit_req zone=crawler burst=10; limit_req_status 429;`,
          where: NGINX_FILE(site),
          cost: 'it gets 429 beyond 20 requests a minute and comes back later',
          undo: 'take the lines out and reload',
          preferred: !name,
        }
      : {
          title: 'Turn it away (Apache)',
          change: net
            ? `<RequireAll>
  Require all granted
  Require not ip ${net}
</RequireAll>`
            : `RewriteEngine On
RewriteCond "%{HTTP_USER_AGENT}" "${pattern(name ?? '')}" [NC]
RewriteRule "." "-" [R=429,L]`,
          where: APACHE_FILE(site),
          cost: 'it sees nothing of the site any more',
          undo: 'take the lines out and reload',
          preferred: !name,
        },
  );
  return remedies;
}

function range(found: Weighed, site: Site, server: Server): Remedy[] {
  const path = pattern(found.slice?.path ?? '/');
  const ending = /\.([a-z0-9]{1,5})$/i.exec(path.replaceAll('.', '.'))?.[1];
  const nginx: Remedy = {
    title: 'Limit its rate for this object (nginx)',
    change: `location ~ "^${path}$" { limit_rate_after 2m; limit_rate 64k; expires 30d; }`,
    where: NGINX_FILE(site),
    cost: 'after the first 2 MB everybody gets it at 64 kB/s: enough to listen, not to hoard',
    undo: 'take the line out and reload',
    preferred: server.nginx,
  };
  const apache: Remedy = {
    title: 'Let clients keep what they have got, and slow the rest down (Apache)',
    change: `<LocationMatch "^${path}$">
  Header set Cache-Control "public, max-age=2592000"
  SetOutputFilter RATE_LIMIT
  SetEnv rate-limit 64
  SetEnv rate-initial-burst 2048
</LocationMatch>`,
    where: `${APACHE_FILE(site)}; needs a2enmod headers ratelimit`,
    cost: 'after the first 2 MiB everybody gets it at 64 KiB/s: enough to listen, not to hoard',
    undo: 'take the lines out and reload',
    preferred: !server.nginx,
  };
  const moved: Remedy = {
    title: 'Offer a smaller file',
    change: `ffmpeg -i ORIGINAL.${ending ?? 'mp3'} -b:a 64k SMALLER.${ending ?? 'mp3'}`,
    where: 'where the object lies; then link the smaller one',
    cost: 'lower quality',
    undo: 'link the original again',
    preferred: false,
  };
  return server.nginx && !server.apache ? [nginx, moved] : [apache, nginx, moved];
}

function popularity(found: Weighed, site: Site, server: Server): Remedy[] {
  const page = found.slice?.page ?? '/';
  return [
    {
      title: 'Nothing is broken: make what it shows smaller',
      change: server.wordpress
        ? `wp media regenerate --only-missing
# and in the post: insert the images in size “large” instead of “full”`
        : 'scale its images to the size at which they are shown, and serve them as WebP',
      where: `${site.name}${page}`,
      cost: 'an hour of work; the page looks the same',
      undo: 'insert the originals again',
      preferred: true,
    },
    {
      title: 'Let browsers keep the images (Apache)',
      change: `<LocationMatch "\\.(?:jpe?g|png|gif|webp)$">
  Header set Cache-Control "public, max-age=31536000"
</LocationMatch>`,
      where: `${APACHE_FILE(site)}; needs a2enmod headers`,
      cost: 'a changed image needs a new name',
      undo: 'take the lines out and reload',
      preferred: false,
    },
  ];
}

function logins(_found: Weighed, site: Site, server: Server): Remedy[] {
  return [
    server.nginx && !server.apache
      ? {
          title: 'Limit tries on the login pages (nginx)',
          change: `# in http { }
limit_req_zone $binary_remote_addr zone=login:10m rate=6r/m;
# in server { }
location ~ ^/(wp-login|xmlrpc)\\.php$ { limit_req zone=login burst=5; limit_req_status 429; include fastcgi.conf; fastcgi_pass unix:/run/php/php-fpm.sock; }`,
          where: NGINX_FILE(site),
          cost: 'somebody who mistypes six times in a minute waits',
          undo: 'take the lines out and reload',
          preferred: true,
        }
      : {
          title: 'Ban addresses that try passwords (fail2ban)',
          change: `[wordpress-login]
enabled  = true
port     = http,https
filter   = wordpress-login
logpath  = /var/log/apache2/*access.log
maxretry = 10
findtime = 600
bantime  = 3600
# /etc/fail2ban/filter.d/wordpress-login.conf:
# [Definition]
# failregex = ^(?:\\S+ )?<HOST> .* "POST /(?:wp-login|xmlrpc)\\.php`,
          where: '/etc/fail2ban/jail.d/wordpress-login.local, then fail2ban-client reload',
          cost: 'an office behind one address is locked out for an hour if somebody there mistypes ten times',
          undo: 'delete both files and reload',
          preferred: true,
        },
    {
      title: 'Refuse xmlrpc.php if nothing uses it (Apache)',
      change: `<Files "xmlrpc.php">
  Require all denied
</Files>`,
      where: APACHE_FILE(site),
      cost: 'Jetpack and the WordPress mobile app no longer reach the site',
      undo: 'take the lines out and reload',
      preferred: false,
    },
  ];
}

const REMEDIES: Record<CulpritId, (found: Weighed, site: Site, server: Server) => Remedy[]> = {
  'image-cache-refetch': imageCache,
  'hotlinked-object': hotlink,
  crawler: crawl,
  'range-refetch': range,
  'popular-object': popularity,
  'brute-force': logins,
};

export function remediesFor(found: Weighed, site: Site, server: Server): Remedy[] {
  return REMEDIES[found.id](found, site, server);
}

/** What people do that makes it worse. */
export const AVOID: Record<CulpritId, string[]> = {
  'image-cache-refetch': [
    'Blocking the cache outright (403 for its agent or network): pages still point at the cache, so every image on them breaks.',
    'Redirecting the cache to another address of the same server: it fetches the same bytes from there.',
  ],
  'hotlinked-object': [
    'Refusing every request without a referrer: privacy settings, apps and feed readers send none.',
  ],
  crawler: ['Blocking by agent “bot”: search engines go too.'],
  'range-refetch': [
    'Switching ranges off (Accept-Ranges: none): players then fetch the whole object for each part that they want.',
  ],
  'popular-object': ['Blocking the sites that readers come from.'],
  'brute-force': ['Moving the login page only: xmlrpc.php takes the same passwords.'],
};
