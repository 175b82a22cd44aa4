import { TimeAgo } from '../parts/TimeAgo';
import { ids } from '../testids';
import { EVENTS } from './decorations';
import { useLive } from './useLive';

/** What the platform did, newest first; the same signs mark the charts. */
export function Events() {
  const { events, app } = useLive('events');
  const shown = events.slice(-50).reverse();
  return (
    <section className="panel">
      <header className="panel-head"><h2 className="panel-title">Events</h2><span className="label">deploys, decisions, alerts</span></header>
      {shown.length === 0 ? <p className="quiet">Nothing happened since this view's history began.</p> : (
        <ol className="events" tabIndex={0} aria-label="Events">
          {shown.map((e) => {
            const kind = EVENTS[e.event] ?? { word: e.event, tone: 'idle', sign: '·' };
            return (
              <li key={`${e.t}${e.event}${e.msg}`} data-testid={ids.eventRow} data-event={e.event}>
                <span className={`event-sign tone-${kind.tone}`} aria-hidden>{kind.sign}</span>
                <span className="event-words"><b>{kind.word}</b>{!app && e.app ? ` ${e.app}` : ''} <span>{e.msg}</span></span>
                <span className="label"><TimeAgo at={e.t} /></span>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}
