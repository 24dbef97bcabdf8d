/** Who asks: user agents as they are really sent, and addresses that belong to nobody. */
import type { Dice } from '../dice.js';

export const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:124.0) Gecko/20100101 Firefox/124.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36 Edg/123.0.2420.97',
  'Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36',
];

export const GOOGLEBOT = {
  agent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  network: '66.249.64.0/20',
};
export const BINGBOT = {
  agent: 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  network: '157.55.39.0/24',
};
export const FEED_READERS = [
  'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)',
  'Tiny Tiny RSS/23.12 (https://tt-rss.org/)',
  'NetNewsWire (RSS Reader; https://netnewswire.com/)',
];
export const MONITOR = 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)';

export const PHOTON = { agent: 'Photon/1.0', network: '192.0.86.0/24' };
/** Image caches of which no list knows: what they do must convict them. */
export const NEW_IMAGE_CACHES = [
  'ImageProxy-X/3.2',
  'thumbd/0.9',
  'PixelRelay/2.0 (+http://pixelrelay.example/)',
];
export const NEW_CRAWLERS = [
  'Mozilla/5.0 (compatible; GreedyBot/0.9; +http://greedy.example/bot)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'corpus-spider/1.4 (+http://corpus.example/about)',
];
export const PLAYERS = [
  'stagefright/1.2 (Linux;Android 4.4)',
  'AppleCoreMedia/1.0.0.21E236 (iPhone; U; CPU OS 17_4_1 like Mac OS X)',
];

export const SEARCH_REFERRERS = [
  'https://www.google.com/',
  'https://www.bing.com/',
  'https://duckduckgo.com/',
];
export const SOCIAL_REFERRERS = [
  'https://t.co/Qm3kZr81xa',
  'https://l.facebook.com/',
  'https://news.ycombinator.com/',
  'https://old.reddit.com/',
];

/** A network of robots that have none of their own: documentation ranges, which `person` leaves alone. */
export const ROBOT_NETWORKS = ['198.51.100.0/24', '203.0.113.0/24'];

/**
 * One person at home. Logs made here are published, so nobody's real address may appear: benchmark (198.18/15),
 * shared (100.64/10) and documentation ranges stand in for the world's networks.
 */
export function person(dice: Dice): string {
  if (dice.chance(0.2)) {
    const groups = Array.from({ length: 6 }, () => hex(dice));
    return `2001:db8:${groups.join(':')}`;
  }
  if (dice.chance(0.05)) return inside(dice, '192.0.2.0/24');
  const home = dice.chance(0.4) ? `198.${dice.int(18, 19)}` : `100.${dice.int(64, 127)}`;
  return `${home}.${dice.int(0, 255)}.${dice.int(1, 254)}`;
}

/** Any address of an IPv4 network such as `192.0.86.0/24`. */
export function inside(dice: Dice, network: string): string {
  const [base = '', length = ''] = network.split('/');
  const start = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const address = start + dice.int(1, 2 ** (32 - Number(length)) - 2);
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

function hex(dice: Dice): string {
  return dice.int(1, 0xffff).toString(16);
}
