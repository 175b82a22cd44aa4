import type { View } from './view';

const SLACK = 4; // px before a press is a drag

/** Lets el be dragged, and wheeled sideways, through time; the function returned ends that. */
export function pan(el: HTMLElement, view: View): () => void {
  let from: { x: number; edge: number } | null = null;
  let moving = false;
  const perPixel = () => view.span / Math.max(el.clientWidth - 60, 100); // s; the axis takes the rest
  const down = (e: PointerEvent) => {
    if (e.button === 0) from = { x: e.clientX, edge: view.edge() };
  };
  const move = (e: PointerEvent) => {
    if (!from) return;
    if (!moving && Math.abs(e.clientX - from.x) < SLACK) return;
    if (!moving) {
      moving = true;
      el.setPointerCapture(e.pointerId);
      el.classList.add('panning');
    }
    view.moveTo(from.edge - (e.clientX - from.x) * perPixel());
  };
  const up = () => {
    from = null;
    moving = false;
    el.classList.remove('panning');
  };
  const wheel = (e: WheelEvent) => {
    const sideways = e.shiftKey ? e.deltaY || e.deltaX : e.deltaX;
    if (!e.shiftKey && Math.abs(e.deltaX) <= Math.abs(e.deltaY)) return;
    e.preventDefault();
    view.moveBy(sideways * perPixel());
  };
  el.addEventListener('pointerdown', down);
  el.addEventListener('pointermove', move);
  el.addEventListener('pointerup', up);
  el.addEventListener('pointercancel', up);
  el.addEventListener('wheel', wheel, { passive: false });
  return () => {
    el.removeEventListener('pointerdown', down);
    el.removeEventListener('pointermove', move);
    el.removeEventListener('pointerup', up);
    el.removeEventListener('pointercancel', up);
    el.removeEventListener('wheel', wheel);
  };
}
