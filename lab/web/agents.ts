/** Who asks: user agents as they are really sent, and addresses to ask from. */
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

export const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
export const BINGBOT = 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)';
export const FEED_READERS = [
  'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)',
  'Tiny Tiny RSS/23.12 (https://tt-rss.org/)',
  'NetNewsWire (RSS Reader; https://netnewswire.com/)',
];
export const MONITOR = 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)';
export const AI_CRAWLERS = [
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)',
  'Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)',
  'meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)',
];

export const SEARCH_REFERRERS = [
  'https://www.google.com/',
  'https://www.bing.com/',
  'https://duckduckgo.com/',
  'android-app://com.google.android.googlequicksearchbox/',
];
export const SOCIAL_REFERRERS = [
  'https://t.co/Qm3kZr81xa',
  'https://l.facebook.com/',
  'https://news.ycombinator.com/',
  'https://old.reddit.com/',
  'https://www.linkedin.com/',
  'https://out.reddit.com/',
];

/** Where ordinary visitors come from. Documentation ranges are what an example that is published must use. */
export type Addresses = 'public' | 'documentation';

const PUBLIC_FIRST = [24, 31, 46, 62, 71, 78, 81, 84, 86, 91, 95, 109, 151, 178, 188, 203, 212, 217];

/** The address of one person at home. */
export function person(dice: Dice, addresses: Addresses): string {
  const six = dice.chance(0.2);
  if (addresses === 'documentation') {
    if (six) return `2001:db8:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}`;
    // The three documentation networks alone would look like three busy networks; 198.18/15 is reserved for tests.
    if (dice.chance(0.1)) return `${dice.pick(['192.0.2', '198.51.100', '203.0.113'])}.${dice.int(1, 254)}`;
    return `198.${dice.int(18, 19)}.${dice.int(0, 255)}.${dice.int(1, 254)}`;
  }
  if (six)
    return `2a02:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}:${hex(dice)}`;
  return `${dice.pick(PUBLIC_FIRST)}.${dice.int(0, 255)}.${dice.int(0, 255)}.${dice.int(1, 254)}`;
}

/** Any address of a network such as `192.0.86.0/24`, `185.12.16.0/20` or `2600:1f18:42a::/48`. */
export function inside(dice: Dice, network: string): string {
  const [base = '', length = ''] = network.split('/');
  if (base.includes(':')) return `${base.replace(/::$/, '')}:${hex(dice)}::${hex(dice)}`;
  const start = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const address = start + dice.int(1, 2 ** (32 - Number(length)) - 2);
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

function hex(dice: Dice): string {
  return dice.int(1, 0xffff).toString(16);
}
