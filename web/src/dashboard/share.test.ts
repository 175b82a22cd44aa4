import { expect, test } from 'vitest';
import { parsePlace, placeHash } from './place';

test('a share link keeps its token while one moves in time', () => {
  const place = parsePlace('#hello?share=kt_a-b_c');
  expect(place).toEqual({ app: 'hello', tenant: '', share: 'kt_a-b_c' });
  expect(parsePlace(placeHash({ ...place, span: 60, end: 1763632800 }))).toEqual({ ...place, span: 60, end: 1763632800 });
});
