// One animation loop for all charts: they scroll by the clock, a pixel at a time, and rest while nobody looks.
type Tick = () => void;

const ticks = new Set<Tick>();
let frame = 0;
let last = 0;
let every = 100; // ms

function loop(at: number): void {
  frame = requestAnimationFrame(loop);
  if (at - last < every) return;
  last = at;
  ticks.forEach((t) => t());
}

export function onTick(tick: Tick): () => void {
  ticks.add(tick);
  if (ticks.size === 1) frame = requestAnimationFrame(loop);
  return () => {
    ticks.delete(tick);
    if (ticks.size === 0) cancelAnimationFrame(frame);
  };
}

/** Sets the pace: a chart of that many seconds and pixels needs no more than one frame a pixel. */
export function setPace(seconds: number, pixels: number): void {
  const perPixel = (seconds * 1000) / Math.max(pixels, 100);
  every = Math.min(Math.max(perPixel / 2, 60), 500);
}
