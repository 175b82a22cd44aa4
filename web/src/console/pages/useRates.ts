import { useEffect, useState } from 'react';
import type { RoleStatus } from '../../api/schema';

/** Batches beyond which a service is behind: at most 50 come in a second, and profile writes every 5 s. */
export const BEHIND = 500;

/** Records per second of each role between the last two answers; at is when the latest came (ms). */
export function useRates(roles: RoleStatus[] | null | undefined, at: number): Map<string, number> {
  const [seen, setSeen] = useState<{ at: number; records: Map<string, number>; rates: Map<string, number> }>({ at: 0, records: new Map(), rates: new Map() });
  useEffect(() => {
    if (!roles || !at) return;
    setSeen((before) => {
      if (before.at === at) return before;
      const records = new Map(roles.flatMap((r): [string, number][] => (r.records == null ? [] : [[r.name, r.records]])));
      return { at, records, rates: ratesOf(before, { at, records }) };
    });
  }, [roles, at]);
  return seen.rates;
}

interface Look { at: number; records: Map<string, number> }

/** A role that started anew counts from 0 again: its rate is not known until the next look. */
export function ratesOf(before: Look, now: Look): Map<string, number> {
  const seconds = (now.at - before.at) / 1000;
  const rates = new Map<string, number>();
  for (const [name, n] of now.records) {
    const was = before.records.get(name);
    if (before.at > 0 && seconds > 0 && was != null && n >= was) rates.set(name, (n - was) / seconds);
  }
  return rates;
}
