import { useEffect, useState } from 'react';
import { duration } from '../format/format';
import { IconLoader2, IconPlugConnected, IconPlugConnectedX } from '../theme/icons';
import { ids } from '../testids';
import type { Connection } from './store';
import { useLive } from './useLive';

const GAP_SHOWN = 60_000; // ms after its end

/** Whether figures arrive; while they do not, since when and what is done about it. */
export function ConnectionBadge() {
  const { connection } = useLive('connection');
  const [, draw] = useState(0);
  const resting = connection.state === 'live' && (!connection.gap || Date.now() - connection.gap.endedAt > GAP_SHOWN);
  useEffect(() => {
    if (resting) return;
    const timer = setInterval(() => draw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [resting, connection]);
  const { tone, text, Icon } = badge(connection, Date.now());
  return (
    <span className={`status connection connection-${tone}`} role="status" data-testid={ids.connection} data-state={connection.state}>
      <Icon size={16} className={`tone-${tone}${connection.state === 'connecting' ? ' spin' : ''}`} aria-hidden />
      {text}
    </span>
  );
}

function badge(c: Connection, now: number) {
  const lost = c.lostAt ? `; no figures for ${duration((now - c.lostAt) / 1000)}` : '';
  switch (c.state) {
    case 'live': {
      if (!c.gap || now - c.gap.endedAt > GAP_SHOWN) return { tone: 'ok', text: 'Live', Icon: IconPlugConnected };
      const gap = `Live again after a gap of ${duration(Math.round(c.gap.ms / 1000))}${c.gap.filled ? ', filled in since' : ''}`;
      return { tone: 'ok', text: gap, Icon: IconPlugConnected };
    }
    case 'waiting':
      return { tone: 'warn', text: `Connection lost, next try in ${Math.max(0, Math.ceil((c.retryAt - now) / 1000))} s${lost}`, Icon: IconPlugConnectedX };
    case 'signed-out':
      return { tone: 'bad', text: 'Signed out', Icon: IconPlugConnectedX };
    default:
      return { tone: 'info', text: `Connecting${lost}`, Icon: IconLoader2 };
  }
}
