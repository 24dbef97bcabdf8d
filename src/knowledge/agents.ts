/**
 * Words that tell what kind of program an agent is, in lower case, found anywhere in it; the first list that matches
 * decides. Crawlers in general are told by `isbot` and named by `crawler-user-agents`; this is what they leave open.
 *
 * Source: the programs' own documentation and sources; RFC 9110 section 10.1.5 for the shape of an agent.
 */
export const MEDIA_PLAYERS = [
  'stagefright/',
  'applecoremedia/',
  'vlc/',
  'libvlc/',
  'lavf/',
  'gstreamer',
  'nsplayer/',
  'exoplayer',
  'mpv ',
  'kodi/',
  'winamp',
  'itunes/',
  'podcasts/',
];

export const FEED_READERS = [
  'feedly',
  'feedfetcher',
  'tiny tiny rss',
  'newsblur',
  'inoreader',
  'netvibes',
  'liferea',
  'freshrss',
  'feedbin',
  'netnewswire',
  'the old reader',
  'miniflux',
  'bazqux',
  'superfeedr',
];

export const LIBRARIES = [
  'curl/',
  'wget/',
  'python-requests',
  'python-urllib',
  'python/',
  'aiohttp',
  'go-http-client',
  'java/',
  'okhttp',
  'apache-httpclient',
  'libwww-perl',
  'axios/',
  'node-fetch',
  'guzzlehttp',
  'scrapy',
  'httpx',
];

export const MONITORS = [
  'uptimerobot',
  'pingdom',
  'statuscake',
  'nagios',
  'check_http',
  'zabbix',
  'monit/',
  'site24x7',
];

/** Every graphical browser since Netscape begins so. */
export const BROWSER_BEGINS = ['mozilla/', 'opera/'];
