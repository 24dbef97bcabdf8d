import { blame, MOST_SURPRISE, sum } from '../statistics.js';
import type { Scene, Slice } from './scene.js';

/** A dimension in which few elements make up the increase. */
export interface Explanation {
  dimension: keyof Slice;
  elements: { slice: Slice; explains: number; bytes: number }[];
  explains: number;
  /** Of the elements together, 0 to 1: how unexpected their share of the bytes is. */
  surprise: number;
}

/** An element must make up a tenth of the change to be named, the elements two thirds of it together. */
const LEAST_EACH = 0.1;
const LEAST_TOGETHER = 0.67;
const MOST_ELEMENTS = 3;

const FOLDERS = `(SELECT bytes, during, folder FROM (SELECT path_id, during, sum(bytes) AS bytes FROM scene GROUP BY ALL)
  JOIN path_folders ON id = path_id)`;

const DIMENSIONS: { dimension: keyof Slice; id: string; text: string; among?: string }[] = [
  { dimension: 'agent', id: 'agent_id', text: '(SELECT text FROM agent_texts WHERE id = g.element)' },
  { dimension: 'class', id: 'class', text: 'g.element' },
  { dimension: 'path', id: 'path_id', text: '(SELECT text FROM path_texts WHERE id = g.element)' },
  { dimension: 'folder', id: 'folder', text: 'g.element', among: FOLDERS },
  { dimension: 'kind', id: 'kind', text: 'g.element' },
  {
    dimension: 'referringSite',
    id: 'site_id',
    text: '(SELECT min(site) FROM referer_info WHERE site_id = g.element)',
  },
  { dimension: 'net', id: 'net_id', text: '(SELECT min(net) FROM client_info WHERE net_id = g.element)' },
  { dimension: 'status', id: 'status', text: 'g.element' },
  { dimension: 'method', id: 'method_id', text: '(SELECT text FROM method_texts WHERE id = g.element)' },
];

/**
 * What makes up the increase, in few parts: for each dimension the most surprising elements that each explain a
 * tenth of it or more, until two thirds are explained; dimensions that need more than three are no explanation.
 * Most surprising dimension first.
 *
 * Source: Adtributor (NSDI 2014) section 3.4: explanatory power, succinctness, surprise.
 */
export async function explanations(scene: Scene): Promise<Explanation[]> {
  const found: Explanation[] = [];
  for (const { dimension, id, text, among = 'scene' } of DIMENSIONS) {
    const rows = await scene.rows<{
      name: string | number | null;
      actual: number | null;
      expected: number | null;
    }>(
      `SELECT ${text} AS name, actual, expected FROM (
         SELECT ${id} AS element, sum(bytes) FILTER (during)::DOUBLE AS actual, sum(bytes) FILTER (NOT during)::DOUBLE AS expected
         FROM ${among} GROUP BY 1 ORDER BY actual DESC NULLS LAST LIMIT 200) g`,
    );
    const rest = scene.changed && scene.otherSteps > 0 ? scene.steps / scene.otherSteps : 0;
    const elements = rows.map((r) => ({
      name: r.name,
      actual: r.actual ?? 0,
      expected: (r.expected ?? 0) * rest,
    }));
    const blamed = blame(elements)
      .map((b, i) => ({ ...b, ...elements[i]! }))
      .filter((b) => b.explains >= LEAST_EACH)
      .toSorted((a, b) => b.surprise - a.surprise || b.explains - a.explains);
    const chosen: typeof blamed = [];
    for (const element of blamed) {
      if (sum(chosen.map((c) => c.explains)) >= LEAST_TOGETHER || chosen.length === MOST_ELEMENTS) break;
      chosen.push(element);
    }
    const explains = sum(chosen.map((c) => c.explains));
    if (explains < LEAST_TOGETHER) continue;
    found.push({
      dimension,
      explains,
      surprise: sum(chosen.map((c) => c.surprise)) / MOST_SURPRISE,
      elements: chosen.map((c) => ({
        slice: { [dimension]: c.name } as Slice,
        explains: c.explains,
        bytes: c.actual,
      })),
    });
  }
  return found.toSorted((a, b) => b.surprise - a.surprise);
}
