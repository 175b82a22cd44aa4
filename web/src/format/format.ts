// How figures are said: the unit a person would say, a dash for what is not known.
export const UNKNOWN = '–';

type Maybe = number | null | undefined;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const broken = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

export function count(v: Maybe): string {
  return v == null ? UNKNOWN : whole.format(v);
}

/** A figure with up to two decimals, as axes show it. */
export const amount = (v: number) => broken.format(v);

/** A short count: 950, 12.3k, 4.1M. */
export function short(v: Maybe): string {
  if (v == null) return UNKNOWN;
  for (const [at, unit] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']] as const) {
    if (v >= at) {
      const by = unit === 'k' ? 1e3 : at;
      return (v / by).toFixed(v / by < 100 ? 1 : 0) + unit;
    }
  }
  return count(v);
}

export function rate(v: Maybe): string {
  if (v == null) return UNKNOWN;
  if (v > 0 && v < 0.005) return '< 0.01';
  return v >= 100 ? count(v) : v >= 10 ? v.toFixed(1) : v.toFixed(v === 0 ? 0 : 2);
}

export function percent(v: Maybe): string {
  return v == null ? UNKNOWN : `${v >= 10 || v < 0.05 ? v.toFixed(0) : v.toFixed(1)} %`;
}

/** Milliseconds as a person says them: 0.8 ms, 83 ms, 1.2 s, 4 min. */
export function ms(v: Maybe): string {
  if (v == null) return UNKNOWN;
  if (v < 10) return `${+v.toFixed(1)} ms`;
  if (v < 1000) return `${Math.round(v)} ms`;
  return duration(v / 1000);
}

/** Seconds as a person says them: 0.4 s, 12 s, 4 min, 2 h, 3 days. */
export function duration(s: Maybe): string {
  if (s == null) return UNKNOWN;
  if (s < 10) return `${+s.toFixed(1)} s`;
  if (s < 100 && s !== 60) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

export function bytes(v: Maybe): string {
  if (v == null) return UNKNOWN;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (v >= 1024 && i < units.length - 1) {
    v /= 1024;
    i++;
  }
  return `${i === 0 || v >= 100 ? Math.round(v) : v.toFixed(1)} ${units[i]}`;
}

const stamp = new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The exact time in the viewer's zone. */
export function exact(t: string | number | Date): string {
  return stamp.format(new Date(t));
}

export function utc(t: string | number | Date): string {
  return new Date(t).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** Relative up to a day, a date beyond. */
export function ago(t: string | number | Date, now = Date.now()): string {
  const s = (now - new Date(t).getTime()) / 1000;
  if (s < 0) return s > -5 ? 'just now' : exact(t);
  if (s < 5) return 'just now';
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return exact(t).replace(/:\d\d$/, '');
}

const clockForm = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The time of day with milliseconds, as logs show it. */
export function clock(t: string | number | Date, millis = true): string {
  const d = new Date(t);
  return clockForm.format(d) + (millis ? '.' + String(d.getMilliseconds()).padStart(3, '0') : '');
}

/** One replica, 2 replicas. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** Reads 90, 90s, 1m, "5 min", 1h30m as seconds; NaN where it is none of these. */
export function parseDuration(text: string): number {
  const s = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(s)) return Number(s);
  const unit: Record<string, number> = { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86400 };
  let total = 0;
  const left = s.replace(/(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d)(?![a-z])\s*/g, (_, n: string, u: string) => {
    total += Number(n) * (unit[u] ?? NaN);
    return '';
  });
  return s === '' || left !== '' ? NaN : total;
}
