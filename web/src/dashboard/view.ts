import { useSyncExternalStore } from 'react';
import { parsePlace, placeHash } from './place';

// Which time is looked at. It is in the address too (#hello?span=3600&end=1763632800), so that it can be sent to somebody.
export const DAY = 86400;

/** What can be shown, with the length of a step of its charts. Up to 15 minutes a step is a second, as live. */
export const SPANS: { span: number; label: string; step: number }[] = [
  { span: 60, label: '1 min', step: 1 },
  { span: 300, label: '5 min', step: 1 },
  { span: 900, label: '15 min', step: 1 },
  { span: 3600, label: '1 h', step: 10 },
  { span: 21600, label: '6 h', step: 60 },
  { span: DAY, label: '24 h', step: 300 },
];
const USUAL = 300;

export class View {
  span = USUAL; // s
  end: number | null = null; // s; null is live
  private readers = new Set<() => void>();
  private version = 0;

  /** now gives the server's time in seconds. */
  constructor(private now: () => number, hash = window.location.hash) {
    const { span, end } = parsePlace(hash);
    if (SPANS.some((s) => s.span === span)) this.span = span!;
    if (end) this.end = end;
  }

  /** Looks at the time that an address names, as when one is pasted into an open page. */
  read(hash = window.location.hash): void {
    const { span, end } = parsePlace(hash);
    this.span = SPANS.some((s) => s.span === span) ? span! : USUAL;
    this.end = end && end < this.now() - 1 ? end : null;
    this.changed();
  }

  get step(): number {
    return SPANS.find((s) => s.span === this.span)!.step;
  }

  /** The right edge in seconds, whether live or not. */
  edge(): number {
    return this.end ?? this.now();
  }

  /** Looks at the time that ends at end; from the present on that is live again. */
  moveTo(end: number | null): void {
    const now = this.now();
    const next = end === null || end >= now - 1 ? null : Math.max(Math.round(end), Math.floor(now) - DAY + this.span);
    if (next === this.end) return;
    this.end = next !== null && next >= now - 1 ? null : next;
    this.tell();
  }

  moveBy(seconds: number): void {
    this.moveTo(this.edge() + seconds);
  }

  setSpan(span: number): void {
    this.span = span;
    if (this.end !== null) this.end = Math.max(this.end, Math.floor(this.now()) - DAY + span);
    if (this.end !== null && this.end >= this.now() - 1) this.end = null;
    this.tell();
  }

  subscribe = (fn: () => void): (() => void) => {
    this.readers.add(fn);
    return () => this.readers.delete(fn);
  };

  snapshot = (): number => this.version;

  private changed(): void {
    this.version++;
    this.readers.forEach((fn) => fn());
  }

  private tell(): void {
    const place = parsePlace(window.location.hash);
    history.replaceState(null, '', placeHash({ ...place, span: this.span === USUAL ? undefined : this.span, end: this.end ?? undefined }));
    this.changed();
  }
}

/** Draws anew whenever view moves. */
export function useMoves(view: View): View {
  useSyncExternalStore(view.subscribe, view.snapshot);
  return view;
}
