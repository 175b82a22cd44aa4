/** The next of 1, 2, 5, 10 … above max, so that the axis does not jump with each value. */
export function niceTop(max: number): number {
  if (!(max > 0)) return 1;
  const by = 10 ** Math.floor(Math.log10(max));
  for (const k of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (max * 1.05 <= k * by) return k * by;
  return 15 * by;
}
