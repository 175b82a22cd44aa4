import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schema } from '../../types.mjs';

test('the types are those of the API as it describes itself', async () => {
  expect(readFileSync(new URL('schema.d.ts', import.meta.url), 'utf8'), 'run `make types`').toBe(await schema());
}, 20_000);
