const W = 120;
const H = 24;
const SLOTS = 60;

/** The course of a figure in a line; NaN is a gap, the right edge is now. */
export function Sparkline({ values }: { values: number[] }) {
  const max = Math.max(...values.filter((v) => !Number.isNaN(v)), 0.001);
  const from = SLOTS - values.length;
  let d = '';
  let pen = 'M';
  values.forEach((v, i) => {
    if (Number.isNaN(v)) {
      pen = 'M';
      return;
    }
    d += `${pen}${(((from + i) / (SLOTS - 1)) * W).toFixed(1)} ${(H - 2 - (v / max) * (H - 4)).toFixed(1)}`;
    pen = 'L';
  });
  return <svg width={W} height={H} viewBox={`0 0 ${W} ${H}`} className="spark" aria-hidden><path d={d} /></svg>;
}
