import { ids } from '../testids';
import { EVENTS } from './events';
import { plain } from './plain';
import { Sentence } from './Sentence';
import { TimeAgo } from './TimeAgo';
import './events.css';

export interface ShownEvent { t: number; event: string; msg: string; app?: string }

/** What happened, as it comes; an app of its own is named where the list is about many. */
export function EventList({ events, className = '' }: { events: ShownEvent[]; className?: string }) {
  return (
    <ol className={`events ${className}`} tabIndex={0} aria-label="Events">
      {events.map((e) => {
        const kind = EVENTS[e.event] ?? { word: e.event, tone: 'idle', sign: '·' };
        return (
          <li key={`${e.t}${e.event}${e.msg}`} data-testid={ids.eventRow} data-event={e.event}>
            <span className={`event-sign tone-${kind.tone}`} aria-hidden>{kind.sign}</span>
            <span className="event-words"><b>{plain(kind.word)}</b>{e.app ? ` ${e.app}` : ''} <span><Sentence>{plain(e.msg)}</Sentence></span></span>
            <span className="label"><TimeAgo at={e.t} /></span>
          </li>
        );
      })}
    </ol>
  );
}
