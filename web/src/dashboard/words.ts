import { clock } from '../format/format';
import { DAY, SPANS, type View } from './view';

/** The time that is looked at: `last 5 min`, or from when to when. */
export function windowWords(view: View): string {
  if (view.end === null) return `last ${spanWords(view.span)}`;
  return `${stamp(view.end - view.span, view.end)} – ${stamp(view.end, view.end)}`;
}

export function spanWords(span: number): string {
  return SPANS.find((s) => s.span === span)?.label ?? `${span} s`;
}

const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short' });

// The day is named where it is not the present one.
function stamp(t: number, end: number): string {
  const far = new Date(t * 1000).toDateString() !== new Date().toDateString() || end - t >= DAY;
  return (far ? `${day.format(t * 1000)} ` : '') + clock(t * 1000, false);
}
