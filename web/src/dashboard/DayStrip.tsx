import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { clock } from '../format/format';
import { seriesColor } from '../theme/series';
import { ids } from '../testids';
import { pickPoint, column, times } from './columns';
import { useFeed } from './useLive';
import { DAY, useMoves } from './view';
import { windowWords } from './words';

const STEP = 300; // s of a column
const DRAW_EVERY = 5000; // ms
const HEIGHT = 46;

/** The requests of the last day in one line. The part that is looked at is marked, and can be dragged. */
export function DayStrip() {
  const { store, past, view: v } = useFeed();
  const view = useMoves(v);
  const dark = useComputedColorScheme('light') === 'dark';
  const canvas = useRef<HTMLCanvasElement>(null);
  const grip = useRef(0); // s between the pointer and the right edge of the window
  useEffect(() => {
    const draw = () => {
      const now = store.now() / 1000;
      past.want(STEP, now - DAY, now, 60);
      const level = past.level(STEP);
      const xs = times(now - DAY, now, STEP);
      paint(canvas.current!, xs.map((x) => (x - (now - DAY)) / DAY), [column(xs, level.points, pickPoint('req')), column(xs, level.points, pickPoint('s5'))], dark);
    };
    const size = new ResizeObserver(draw);
    size.observe(canvas.current!);
    const timer = setInterval(draw, DRAW_EVERY);
    const stop = past.subscribe(draw);
    return () => {
      size.disconnect();
      clearInterval(timer);
      stop();
    };
  }, [store, past, dark]);

  const now = store.now() / 1000;
  const right = 1 - (now - view.edge()) / DAY;
  const width = view.span / DAY;
  const at = (e: PointerEvent) => {
    const box = e.currentTarget.getBoundingClientRect();
    return now - DAY + ((e.clientX - box.left) / box.width) * DAY;
  };
  const down = (e: PointerEvent) => {
    e.currentTarget.setPointerCapture(e.pointerId);
    const t = at(e);
    const inside = t <= view.edge() + NEAR && t >= view.edge() - view.span - NEAR;
    grip.current = inside ? view.edge() - t : view.span / 2;
    if (!inside) view.moveTo(t + grip.current);
  };
  const keys = (e: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowLeft: -view.span / 5, ArrowRight: view.span / 5, PageDown: -view.span, PageUp: view.span };
    if (e.key === 'End') view.moveTo(null);
    else if (e.key === 'Home') view.moveTo(now - DAY + view.span);
    else if (by[e.key]) view.moveBy(by[e.key]!);
    else return;
    e.preventDefault();
  };
  return (
    <div className="day panel">
      <span className="label day-label">Last 24 h, requests/s</span>
      <div
        className="day-track" tabIndex={0} role="slider" aria-label="Time that is looked at" aria-valuemin={-DAY} aria-valuemax={0} aria-valuenow={Math.round(view.edge() - now)} aria-valuetext={windowWords(view)}
        onPointerDown={down} onPointerMove={(e) => e.buttons === 1 && view.moveTo(at(e) + grip.current)} onKeyDown={keys} data-testid={ids.dayStrip}
      >
        <canvas ref={canvas} height={HEIGHT} />
        <div className="day-window" style={{ left: `${100 * Math.max(0, right - width)}%`, width: `${100 * Math.min(width, right)}%` }} />
        <div className="day-ends label" aria-hidden><span>{clock((now - DAY) * 1000, false).slice(0, 5)}</span><span>{clock((now - DAY / 2) * 1000, false).slice(0, 5)}</span><span>now</span></div>
      </div>
    </div>
  );
}

const NEAR = 600; // s around the window within which a press takes hold of it

function paint(canvas: HTMLCanvasElement, at: number[], [all, errors]: (number | null | undefined)[][], dark: boolean): void {
  const px = devicePixelRatio;
  const width = canvas.clientWidth;
  canvas.width = width * px;
  canvas.height = HEIGHT * px;
  const ctx = canvas.getContext('2d')!;
  ctx.scale(px, px);
  const top = Math.max(...all!.map((v) => v ?? 0), 0.001);
  const bar = Math.max(1, (width * STEP) / DAY - 0.5);
  const base = HEIGHT - 14; // the times stand below
  for (const [values, color] of [[all!, seriesColor('s2', dark)], [errors!, seriesColor('s5', dark)]] as const) {
    ctx.fillStyle = color;
    values.forEach((v, i) => {
      if (v) ctx.fillRect(at[i]! * width, base - Math.max(1, (v / top) * (base - 4)), bar, Math.max(1, (v / top) * (base - 4)));
    });
  }
}
