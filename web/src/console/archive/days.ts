import type { ArchiveFile } from '../../api/types';

export interface Day { date: string; records: number; bytes: number; files: number }

const DAY = 86_400_000;

/** The day of a time in the viewer's zone, as 2026-11-20. */
export function dateOf(t: number): string {
  const d = new Date(t);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** What the archive holds of each of the last days, the oldest first; a file belongs to the day on which it begins. */
export function daysOf(files: ArchiveFile[], days: number, now = Date.now()): Day[] {
  const all = new Map<string, Day>();
  const noon = new Date(now).setHours(12, 0, 0, 0); // a day of 23 or 25 hours still has one
  for (let i = days - 1; i >= 0; i--) {
    const date = dateOf(noon - i * DAY);
    all.set(date, { date, records: 0, bytes: 0, files: 0 });
  }
  for (const f of files) {
    const day = all.get(dateOf(Date.parse(f.from)));
    if (!day) continue;
    day.records += f.records;
    day.bytes += f.bytes;
    day.files++;
  }
  return [...all.values()];
}

/** The depth of a day's colour, 0 to 4, by the logarithm: busy days differ by powers of ten. */
export function depthOf(day: Day, most: number): number {
  if (day.records === 0) return 0;
  return Math.max(1, Math.min(4, Math.ceil((4 * Math.log1p(day.records)) / Math.log1p(most))));
}
