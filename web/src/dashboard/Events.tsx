import { EventList } from '../parts/EventList';
import { useLive } from './useLive';

/** What the platform did, newest first; the same signs mark the charts. */
export function Events() {
  const { events } = useLive('events');
  const shown = events.slice(-50).reverse();
  return (
    <section className="panel">
      <header className="panel-head"><h2 className="panel-title">Events</h2><span className="label">deploys, decisions, alerts</span></header>
      {shown.length === 0 ? <p className="quiet">Nothing happened since this view's history began.</p> : <EventList events={shown} className="events-box" />}
    </section>
  );
}
