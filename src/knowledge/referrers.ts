/**
 * Hosts that send readers: a visit that comes from one is a person who followed a link, not a page that shows our
 * object. A name stands for itself and everything below; `*` for any country ending.
 *
 * Source: the referrer lists of Matomo (searchengine-and-social-list) and Plausible, their large entries.
 */
export const SEARCH_ENGINES = [
  'google.*',
  'bing.com',
  'duckduckgo.com',
  'yahoo.*',
  'yandex.*',
  'baidu.com',
  'ecosia.org',
  'startpage.com',
  'qwant.com',
  'search.brave.com',
  'kagi.com',
];

export const SOCIAL_SITES = [
  'facebook.com',
  'fb.com',
  't.co',
  'twitter.com',
  'x.com',
  'reddit.com',
  'news.ycombinator.com',
  'linkedin.com',
  'lnkd.in',
  'pinterest.*',
  'instagram.com',
  'tumblr.com',
  'vk.com',
  'slashdot.org',
  'digg.com',
  'stumbleupon.com',
  'metafilter.com',
  'lobste.rs',
  'bsky.app',
  'mastodon.social',
  'youtube.com',
  'weibo.com',
  'flipboard.com',
];
