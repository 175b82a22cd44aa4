import type { App } from '../api/types';
import { StatusTag } from '../parts/StatusTag';
import { ids } from '../testids';

/** The state of an app; a release on its way is told beside a running one. */
export function AppState({ app }: { app: App }) {
  const last = app.last_release;
  const moving = app.state === 'running' && (last?.state === 'building' || last?.state === 'starting');
  return (
    <span className="status">
      <StatusTag state={app.state} testid={ids.appState} />
      {moving && <span className="dim">· release {last.number} {last.state}</span>}
    </span>
  );
}
