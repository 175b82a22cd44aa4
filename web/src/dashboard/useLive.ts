import { createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Feed } from './ChartView';
import type { LiveStore, Slice } from './store';

const FeedContext = createContext<Feed | null>(null);
export const FeedProvider = FeedContext.Provider;

export function useFeed(): Feed {
  const feed = useContext(FeedContext);
  if (!feed) throw new Error('used outside the dashboard');
  return feed;
}

/** The store, read anew whenever slice changes. */
export function useLive(slice: Slice): LiveStore {
  const { store } = useFeed();
  useSyncExternalStore((fn) => store.subscribe(slice, fn), () => store.version(slice));
  return store;
}

/** As useLive, but at most once in `every` ms: for what is costly to draw. */
export function useLiveEvery(slice: Slice, every: number): LiveStore {
  const { store } = useFeed();
  const [, draw] = useState(0);
  const due = useRef(0);
  useEffect(() => {
    const stop = store.subscribe(slice, () => {
      due.current ||= window.setTimeout(() => {
        due.current = 0;
        draw((n) => n + 1);
      }, every);
    });
    return () => {
      stop();
      clearTimeout(due.current);
      due.current = 0;
    };
  }, [store, slice, every]);
  return store;
}
