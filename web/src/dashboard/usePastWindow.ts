import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { PastWindow } from '../api/types';
import { askHistory } from './past';
import { useFeed } from './useLive';
import { useMoves } from './view';

const SETTLED = 250; // ms without a move until the figures are asked for

/** Figures, routes and records of the past that is looked at; undefined while live and until they are there. */
export function usePastWindow() {
  const { store, view: v } = useFeed();
  const view = useMoves(v);
  const [settled] = useDebouncedValue(`${view.end ?? ''} ${view.span}`, SETTLED);
  const past = view.end !== null;
  const [end, span] = settled.split(' ').map(Number) as [number, number];
  const query = useQuery({
    queryKey: ['past', store.app, store.tenant, end, span],
    enabled: past && end > 0,
    staleTime: Infinity,
    queryFn: ({ signal }) => askHistory<PastWindow>('/api/history/window', { app: store.app, tenant: store.tenant, from: String(end - span), to: String(end) }, signal),
    placeholderData: (before) => before,
  });
  return past ? query : { ...query, data: undefined, error: null };
}
