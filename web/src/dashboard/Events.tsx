import { useSyncExternalStore } from 'react';
import { EventList } from '../parts/EventList';
import { sourceOf } from './source';
import { useFeed, useLive } from './useLive';
import { useMoves } from './view';

/** What the platform did, newest first; the same signs mark the charts. */
export function Events() {
  const { events } = useLive('events');
  const feed = useFeed();
  const view = useMoves(feed.view);
  useSyncExternalStore(feed.past.subscribe, feed.past.snapshot);
  const live = view.end === null;
  const all = live ? events : sourceOf(feed.store, feed.past, view).events.filter((e) => e.t / 1000 >= view.end! - view.span && e.t / 1000 <= view.end!);
  const shown = all.slice(-50).reverse();
  return (
    <section className="panel">
      <header className="panel-head"><h2 className="panel-title">Events</h2><span className="label">deploys, decisions, alerts{live ? '' : ', of this window'}</span></header>
      {shown.length === 0 ? <p className="quiet">{live ? "Nothing happened since this view's history began." : 'Nothing happened in this window.'}</p> : <EventList events={shown} className="events-box" />}
    </section>
  );
}
