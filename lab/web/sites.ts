import type { Dice } from '../dice.js';

/** Something with a path and a size that never changes. */
export interface Thing {
  path: string;
  bytes: number;
}

export interface Page extends Thing {
  pictures: Thing[];
}

/** One virtual host and all that can be fetched from it. */
export interface Site {
  vhost: string;
  https: boolean;
  /** Share of the server's visits. */
  share: number;
  /** How busy a weekend day is against a week day. */
  weekend: number;
  pages: Page[];
  assets: Thing[];
  downloads: Thing[];
  audio: Thing[];
  videos: Thing[];
  /** Every picture of every page. */
  pictures: Thing[];
}

const HOSTS = [
  'www.orchard.example',
  'potters.example',
  'brassband.example',
  'news.harbour.example',
  'tidepool.example',
  'www.allotments.example',
  'lanterns.example',
  'shop.cycleworks.example',
  'school.example',
  'maps.fells.example',
  'www.ferryman.example',
  'recipes.example',
];
const WORDS =
  'apple harvest ferry winter garden concert letter bridge market lantern walk river snow recipe choir bread light stone summer tide night meeting picture review notes kiln loft meadow'.split(
    ' ',
  );

/** `pictureBytes` is the median size of a picture: 0.25 MB is a blog, 6 MB a camera's originals, 0.01 MB a site of text. */
export function makeSites(dice: Dice, count: number, pictureBytes: number, subject?: string): Site[] {
  const left = [...HOSTS];
  return Array.from({ length: count }, (_, index) => {
    const [host] = left.splice(dice.int(0, left.length - 1), 1);
    const vhost = index === 0 && subject ? subject : (host ?? `site${index}.example`);
    return makeSite(dice.fork(vhost), vhost, pictureBytes);
  });
}

export function makeSite(dice: Dice, vhost: string, pictureBytes: number): Site {
  const style = dice.int(0, 2);
  const pages = Array.from({ length: dice.int(35, 110) }, (_, index) =>
    makePage(dice, style, index, pictureBytes),
  );
  const assets = ['/assets/site.css', '/assets/site.js', '/favicon.ico'];
  const things = (count: number, folder: string, ending: string, low: number, high: number): Thing[] =>
    Array.from({ length: count }, (_, index) => ({
      path: `/${folder}/${dice.pick(WORDS)}-${index + 1}.${ending}`,
      bytes: Math.round(dice.between(low, high)),
    }));
  return {
    vhost,
    https: dice.chance(0.6),
    share: dice.between(0.4, 1.6),
    weekend: dice.between(0.75, 1.2),
    pages,
    assets: assets.map((path) => ({ path, bytes: dice.int(2_000, 90_000) })),
    downloads: things(5, 'files', dice.pick(['pdf', 'zip']), 300_000, 5_000_000),
    audio: things(6, 'audio', dice.pick(['mp3', 'm4a']), 4_000_000, 14_000_000),
    videos: things(4, 'video', dice.pick(['mp4', 'webm']), 9_000_000, 40_000_000),
    pictures: pages.flatMap((page) => page.pictures),
  };
}

function makePage(dice: Dice, style: number, index: number, pictureBytes: number): Page {
  const [year, month] = [dice.int(2009, 2024), String(dice.int(1, 12)).padStart(2, '0')];
  const slug = `${dice.pick(WORDS)}-${dice.pick(WORDS)}`;
  const picture = () =>
    [
      `/wp-content/uploads/${year}/${month}/DSC_${dice.int(1000, 9999)}.jpg`,
      `/media/${slug}/${dice.int(100, 999)}.${dice.pick(['jpg', 'png', 'webp'])}`,
      `/img/p/${dice.int(10000, 99999)}/full.jpeg`,
    ][style]!;
  return {
    path: [
      `/${year}/${month}/${slug}-${index}/`,
      `/articles/${index}-${slug}`,
      `/item.php?id=${1000 + index}`,
    ][style]!,
    bytes: Math.round(dice.lognormal(22_000, 0.5)),
    pictures: Array.from({ length: dice.int(1, 6) }, () => ({
      path: picture(),
      bytes: Math.round(Math.min(dice.lognormal(pictureBytes, 0.6), 55_000_000)),
    })),
  };
}
