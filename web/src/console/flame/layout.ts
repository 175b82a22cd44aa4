import type { StackView } from '../../api/schema';

/** A box of the flame graph: one frame at one place, with all below it. */
export interface Box {
  id: number; // of its node; -1: all
  name: string;
  path: string; // the names that lead to it, by which it is known in a later answer
  parent: Box | null;
  children: Box[]; // the most time first
  depth: number;
  ms: number; // with its callees
  own: number;
  samples: number;
}

/** Makes the tree of boxes; a node's ms are its own, a box's those of its callees too. */
export function boxesOf(view: StackView): Box {
  const root: Box = { id: -1, name: 'all', path: '', parent: null, children: [], depth: 0, ms: 0, own: 0, samples: 0 };
  const boxes: Box[] = [];
  for (const [id, n] of (view.nodes ?? []).entries()) {
    const parent = n.parent < 0 ? root : boxes[n.parent]!;
    const name = view.frames?.[n.frame] ?? '?';
    const box: Box = { id, name, path: `${parent.path}\n${name}`, parent, children: [], depth: parent.depth + 1, ms: 0, own: n.ms, samples: 0 };
    parent.children.push(box);
    boxes.push(box);
    for (let at: Box | null = box; at; at = at.parent) {
      at.ms += n.ms;
      at.samples += n.samples;
    }
  }
  for (const box of [root, ...boxes]) box.children.sort((a, b) => b.ms - a.ms);
  return root;
}

/** The box that a path leads to, or the last one on its way that is there. */
export function boxAt(root: Box, path: string): Box {
  const next = root.children.find((b) => path === b.path || path.startsWith(`${b.path}\n`));
  return next ? boxAt(next, path) : root;
}

export interface Placed { box: Box; left: number; width: number; row: number } // percent of the width

const LEAST = 0.15; // percent of the width below which a box is not drawn

/** Places what is seen when the graph is zoomed to a box: its callers over the whole width, its callees below. */
export function place(zoom: Box): Placed[] {
  const placed: Placed[] = [];
  for (let at: Box | null = zoom; at; at = at.parent) placed.unshift({ box: at, left: 0, width: 100, row: at.depth });
  const below = (of: Box, left: number, width: number) => {
    for (const box of of.children) {
      const part = of.ms > 0 ? (width * box.ms) / of.ms : 0;
      if (part < LEAST) break;
      placed.push({ box, left, width: part, row: box.depth });
      below(box, left, part);
      left += part;
    }
  };
  below(zoom, 0, 100);
  return placed;
}

/** The time of the boxes that match, each stack counted once. */
export function found(root: Box, text: string): number {
  const matches = matcher(text);
  const sum = (box: Box): number => (matches(box) ? box.ms : box.children.reduce((all, child) => all + sum(child), 0));
  return text ? sum(root) : 0;
}

export function matcher(text: string): (box: Box) => boolean {
  const wanted = text.trim().toLowerCase();
  return (box) => wanted !== '' && box.id >= 0 && box.name.toLowerCase().includes(wanted);
}

/** Where a key leads from a box. */
export function step(from: Box, key: string, rows: Placed[]): Box | null {
  const drawn = new Set(rows.map((r) => r.box));
  const siblings = from.parent?.children.filter((b) => drawn.has(b)) ?? [];
  const at = siblings.indexOf(from);
  const to = key === 'ArrowUp' ? from.parent
    : key === 'ArrowDown' ? from.children[0]
    : key === 'ArrowLeft' ? siblings[at - 1]
    : key === 'ArrowRight' ? siblings[at + 1] : null;
  return to && drawn.has(to) ? to : null;
}

// Whose code a frame is: the app's own stands out from what it uses.
const LIBRARY = /\((?:flask|werkzeug|jinja2|sqlalchemy|gunicorn|gevent|psycopg2?|pymysql|click|urllib3|requests)\//;
export const kind = (box: Box): 'all' | 'library' | 'app' => (box.id < 0 ? 'all' : LIBRARY.test(box.name) ? 'library' : 'app');
