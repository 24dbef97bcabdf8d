/**
 * Image proxies and caches by their agent. The name only helps: what one does in the log decides, so a cache that
 * is missing here is found all the same. `siteOwns` says whether the site's own administrator switched it on,
 * which is whom the remedies speak to.
 */
export interface ImageCache {
  name: string;
  /** Found anywhere in the agent, in lower case. */
  agent: string;
  operator: string;
  siteOwns: boolean;
  /** Networks it fetches from, where they are published. */
  networks: string[];
  source: string;
}

export const IMAGE_CACHES: ImageCache[] = [
  {
    name: 'Photon',
    agent: 'photon/',
    operator: 'Automattic (Jetpack Site Accelerator, WordPress.com image CDN)',
    siteOwns: true,
    networks: ['192.0.64.0/18'],
    source: 'https://jetpack.com/support/site-accelerator/; AS2635; Automattic/jetpack#9356',
  },
  {
    name: 'Google image proxy',
    agent: 'googleimageproxy',
    operator: 'Google (images in Gmail)',
    siteOwns: false,
    networks: [],
    source: 'https://support.google.com/mail/answer/145919',
  },
  {
    name: 'Yahoo mail proxy',
    agent: 'yahoomailproxy',
    operator: 'Yahoo (images in Yahoo Mail)',
    siteOwns: false,
    networks: [],
    source: 'https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html',
  },
  {
    name: 'Slack image proxy',
    agent: 'slack-imgproxy',
    operator: 'Slack',
    siteOwns: false,
    networks: [],
    source: 'https://api.slack.com/robots',
  },
  {
    name: 'GitHub Camo',
    agent: 'github-camo',
    operator: 'GitHub',
    siteOwns: false,
    networks: [],
    source:
      'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-anonymized-urls',
  },
  {
    name: 'CloudFront',
    agent: 'amazon cloudfront',
    operator: 'Amazon',
    siteOwns: true,
    networks: [],
    source:
      'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html',
  },
  {
    name: 'imgix',
    agent: 'imgix',
    operator: 'imgix',
    siteOwns: true,
    networks: [],
    source: 'https://docs.imgix.com/',
  },
  {
    name: 'Cloudinary',
    agent: 'cloudinary',
    operator: 'Cloudinary',
    siteOwns: true,
    networks: [],
    source: 'https://cloudinary.com/documentation/fetch_remote_images',
  },
  {
    name: 'wsrv.nl',
    agent: 'wsrv.nl',
    operator: 'images.weserv.nl',
    siteOwns: false,
    networks: [],
    source: 'https://wsrv.nl/docs/',
  },
  {
    name: 'Cloudflare image resizing',
    agent: 'cloudflare-image-resizing',
    operator: 'Cloudflare',
    siteOwns: true,
    networks: [],
    source: 'https://developers.cloudflare.com/images/transform-images/',
  },
];

/**
 * Query parameters that ask an image cache for a size or a treatment: on the cache's own side one original is asked
 * for in many of them.
 *
 * Source: Photon API (https://developer.wordpress.com/docs/photon/api/), imgix and wsrv.nl URL APIs.
 */
export const RESIZE_PARAMETERS = ['resize', 'fit', 'w', 'h', 'width', 'height', 'crop', 'zoom', 'size', 'lb'];
