import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const src = join(import.meta.dirname, '..');
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.tsx'));

it('every component of the library that is used has its styles', () => {
  const css = readFileSync(join(src, 'theme/mantine.css'), 'utf8');
  const used = new Set<string>();
  for (const file of sources) {
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, names] of text.matchAll(/import \{([^}]+)\} from '@mantine\/core'/g)) for (const n of names!.split(',')) used.add(n.trim());
  }
  if (used.has('TagsInput') || used.has('MultiSelect')) used.add('Pill').add('PillsInput'); // what they are made of
  const without = [...used].filter((n) => existsSync(join(src, `../node_modules/@mantine/core/styles/${n}.layer.css`)) && !css.includes(`/${n}.layer.css`));
  expect(used.size).toBeGreaterThan(20);
  expect(without).toEqual([]);
});
