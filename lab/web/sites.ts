/** The sites of a server: WordPress blogs with posts, pictures, and a few large files. */
import type { Dice } from '../dice.js';

/** Something with a path and a size that never changes. */
export interface Thing {
  path: string;
  bytes: number;
}

/** A picture as its page shows it, and the file it was made from. */
export interface Picture extends Thing {
  original: Thing;
}

export interface Post extends Thing {
  pictures: Picture[];
}

export interface Site {
  vhost: string;
  https: boolean;
  /** Share of the server's visits: 1 is the average site. */
  share: number;
  posts: Post[];
  assets: Thing[];
  audio: Thing[];
}

/**
 * `resized`: pages show a rendition WordPress made (about 60 kB); only a link leads to the camera's file (about 2 MB).
 * `original`: pages show the uploaded file itself (about 400 kB).
 */
export type PictureStyle = 'resized' | 'original';

const HOSTS = 'choir hills shop harbour orchard potters brassband tidepool lanterns allotments'.split(' ');
const WORDS =
  'apple harvest ferry winter garden concert letter bridge market lantern walk river snow recipe choir bread light stone summer tide'.split(
    ' ',
  );

/** The first site is the one that a scenario is about. */
export function makeSites(dice: Dice, count: number, style: PictureStyle): Site[] {
  const left = [...HOSTS];
  return Array.from({ length: count }, (_, index) => {
    const [host] = left.splice(dice.int(0, left.length - 1), 1);
    const vhost = index === 0 ? 'www.village.example' : `${host}.example`;
    return makeSite(dice.fork(vhost), vhost, style);
  });
}

function makeSite(dice: Dice, vhost: string, style: PictureStyle): Site {
  const posts = Array.from({ length: dice.int(40, 90) }, (_, index) => makePost(dice, index, style));
  const theme = dice.pick(['twentytwentyfour', 'generatepress', 'astra']);
  return {
    vhost,
    https: dice.chance(0.6),
    share: dice.between(0.7, 1.3),
    // Newest first: what is read most stands at the head.
    posts: posts.reverse(),
    assets: [
      { path: `/wp-content/themes/${theme}/style.css`, bytes: dice.int(9_000, 30_000) },
      { path: '/wp-includes/js/jquery/jquery.min.js?ver=3.7.1', bytes: 30_368 },
      { path: '/favicon.ico', bytes: 5_430 },
    ],
    audio: Array.from({ length: 3 }, (_, index) => ({
      path: `/wp-content/uploads/2023/0${index + 4}/${dice.pick(WORDS)}-${index + 1}.mp3`,
      bytes: dice.int(5_000_000, 12_000_000),
    })),
  };
}

function makePost(dice: Dice, index: number, style: PictureStyle): Post {
  const month = `${2014 + Math.floor(index / 9)}/${String(dice.int(1, 12)).padStart(2, '0')}`;
  return {
    path: `/${month}/${dice.pick(WORDS)}-${dice.pick(WORDS)}-${index}/`,
    bytes: Math.round(dice.lognormal(22_000, 0.4)),
    pictures: Array.from({ length: dice.int(1, 4) }, () => makePicture(dice, month, style)),
  };
}

function makePicture(dice: Dice, month: string, style: PictureStyle): Picture {
  const stem = `/wp-content/uploads/${month}/IMG_${dice.int(1000, 9999)}`;
  const sized = (median: number) => Math.round(Math.min(dice.lognormal(median, 0.4), median * 4));
  if (style === 'original') {
    const original = { path: `${stem}.jpg`, bytes: sized(400_000) };
    return { ...original, original };
  }
  return {
    path: `${stem}-768x512.jpg`,
    bytes: sized(60_000),
    original: { path: `${stem}.jpg`, bytes: sized(2_000_000) },
  };
}
