// One animation loop for all charts: they scroll by the clock, a pixel at a time, and rest while nobody looks.
type Tick = () => void;

const ticks = new Set<Tick>();
let timer = 0;
let every = 100; // ms

// A frame is asked for only when it is due: an idle animation loop costs as much as a drawing one.
function rest(): void {
  clearTimeout(timer); // one loop, whatever was still on its way
  timer = window.setTimeout(() => requestAnimationFrame(draw), every);
}

function draw(): void {
  ticks.forEach((t) => t());
  if (ticks.size > 0) rest();
}

export function onTick(tick: Tick): () => void {
  ticks.add(tick);
  if (ticks.size === 1) rest();
  return () => ticks.delete(tick);
}

/** Sets the pace: a chart of that many seconds and pixels needs no more than one frame a pixel. */
export function setPace(seconds: number, pixels: number): void {
  const perPixel = (seconds * 1000) / Math.max(pixels, 100);
  every = Math.min(Math.max(perPixel / 2, 60), 500);
}
