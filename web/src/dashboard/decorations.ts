import type uPlot from 'uplot';
import type { LiveEvent } from '../api/types';
import { EVENTS } from '../parts/events';

const INK = {
  light: { info: '#1971C2', ok: '#2F9E44', warn: '#B35C00', bad: '#C92A2A' },
  dark: { info: '#74C0FC', ok: '#51CF66', warn: '#FFA94D', bad: '#FF8787' },
};

/** Draws the limit and, as thin marked lines, what happened. */
export function decorations(u: uPlot, events: LiveEvent[], limit: { at: number; label: string } | undefined, dark: boolean): void {
  const { ctx } = u;
  const px = devicePixelRatio;
  const { left, top, width, height } = u.bbox;
  const ink = INK[dark ? 'dark' : 'light'];
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top - 8 * px, width, height + 8 * px);
  ctx.clip();
  ctx.font = `${10 * px}px system-ui, sans-serif`;
  if (limit && limit.at <= u.scales.y!.max!) {
    const y = u.valToPos(limit.at, 'y', true);
    line(ctx, left, y, left + width, y, ink.bad, [4 * px, 4 * px], px);
    ctx.fillStyle = ink.bad;
    ctx.textAlign = 'left';
    ctx.fillText(limit.label, left + 4 * px, y - 3 * px);
  }
  ctx.textAlign = 'center';
  let signed = -Infinity; // x of the last sign; those that would cover one another are left out
  for (const e of events) {
    const at = e.t / 1000;
    const kind = EVENTS[e.event];
    if (!kind || at < u.scales.x!.min! || at > u.scales.x!.max!) continue;
    const x = u.valToPos(at, 'x', true);
    line(ctx, x, top + 4 * px, x, top + height, ink[kind.tone], [2 * px, 3 * px], px);
    if (x - signed < 9 * px) continue;
    signed = x;
    ctx.fillStyle = ink[kind.tone];
    ctx.fillText(kind.sign, x, top + 2 * px);
  }
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number, color: string, dash: number[], width: number): void {
  ctx.beginPath();
  ctx.setLineDash(dash);
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.setLineDash([]);
}
