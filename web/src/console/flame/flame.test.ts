import { expect, test } from 'vitest';
import type { StackView } from '../../api/schema';
import { boxAt, boxesOf, found, place, step } from './layout';

const view = {
  frames: ['wsgi_app (flask/app.py:1)', 'view (app.py:7)', 'query (app.py:9)'],
  nodes: [{ parent: -1, frame: 0, samples: 0, ms: 0 }, { parent: 0, frame: 2, samples: 1, ms: 20 }, { parent: 0, frame: 1, samples: 2, ms: 40 }, { parent: 2, frame: 2, samples: 2, ms: 40 }],
} as StackView;

test('a box is as wide as the time spent in it and below it', () => {
  const placed = place(boxesOf(view)).map((p) => [p.box.id, p.row, Math.round(p.left), Math.round(p.width)]);
  expect(placed).toEqual([[-1, 0, 0, 100], [0, 1, 0, 100], [2, 2, 0, 80], [3, 3, 0, 50 * 0.8], [1, 2, 80, 20]]);
});

test('a box that is zoomed to takes the whole width, its callers above it', () => {
  const inner = boxesOf(view).children[0]!.children[0]!;
  expect(place(inner).map((p) => [p.box.id, Math.round(p.width)])).toEqual([[-1, 100], [0, 100], [2, 100], [3, 50]]);
});

test('a search counts each stack once', () => {
  expect(found(boxesOf(view), 'APP.PY')).toBe(100);
  expect(found(boxesOf(view), 'query')).toBe(60);
  expect(found(boxesOf(view), '')).toBe(0);
});

test('arrows walk to what is drawn', () => {
  const root = boxesOf(view), rows = place(root), all = root.children[0]!;
  expect(step(root, 'ArrowDown', rows)).toBe(all);
  expect(step(all.children[0]!, 'ArrowRight', rows)).toBe(all.children[1]);
  expect(step(all.children[0]!, 'ArrowLeft', rows)).toBe(null);
  expect(step(all, 'ArrowUp', rows)).toBe(root);
});

test('a box is known again in a later answer, and its caller where it is gone', () => {
  const before = boxesOf(view), query = before.children[0]!.children[0]!.children[0]!;
  const later = boxesOf({ ...view, nodes: [{ parent: -1, frame: 1, samples: 1, ms: 9 }, ...view.nodes!.map((n) => ({ ...n, parent: n.parent < 0 ? -1 : n.parent + 1 }))] });
  expect(boxAt(later, query.path)).toMatchObject({ name: query.name, path: query.path, id: query.id + 1 });
  const less = boxesOf({ ...view, nodes: view.nodes!.slice(0, 3) });
  expect(boxAt(less, query.path).name).toBe('view (app.py:7)');
  expect(boxAt(less, '')).toBe(less);
});
