import { Button, Loader } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { duration } from '../format/format';
import { ids } from '../testids';
import { IconHistory, IconPlayerPlay } from '../theme/icons';
import { useFeed } from './useLive';
import { useMoves } from './view';
import { windowWords } from './words';

/** Says that one looks at the past, and leads back to the present. */
export function PastBar() {
  const { past, view: v, store } = useFeed();
  const view = useMoves(v);
  useSyncExternalStore(past.subscribe, past.snapshot);
  if (view.end === null) return past.problem ? <p className="past-bar past-problem" role="status">{past.problem}</p> : null;
  return (
    <div className="past-bar" role="status" data-testid={ids.pastBar}>
      <IconHistory size={16} aria-hidden />
      <span><b>{windowWords(view)}</b> <span className="dim">{duration(Math.max(0, store.now() / 1000 - view.end))} ago</span></span>
      {past.busy(view.step) && <Loader size={14} color="gray" aria-label="Loading" />}
      {past.problem && <span className="tone-bad">{past.problem}</span>}
      <Button size="compact-sm" ml="auto" leftSection={<IconPlayerPlay size={14} />} onClick={() => view.moveTo(null)} data-testid={ids.backToLive}>Back to live</Button>
    </div>
  );
}
