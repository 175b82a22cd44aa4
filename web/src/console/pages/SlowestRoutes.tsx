import type { RouteProfile } from '../../api/schema';
import type { Profile } from '../../api/types';
import { ms, plural } from '../../format/format';
import { ids } from '../../testids';
import { to } from '../route';

/** The routes that take longest, by their mean and by their p95: the two tell of different trouble. */
export function SlowestRoutes({ app, profile }: { app: string; profile: Profile }) {
  if ((profile.routes ?? []).length < 2) return null;
  return (
    <section className="section">
      <h2>Slowest routes</h2>
      <p className="hint">At most ten of the window. A high mean is slow for everybody; a high p95 beside a low mean is slow for a few.</p>
      <div className="slow-lists">
        <List app={app} title="By mean" routes={profile.slowest_by_mean ?? []} of={(r) => r.mean} />
        <List app={app} title="By p95" routes={profile.slowest_by_p95 ?? []} of={(r) => r.p95} />
      </div>
    </section>
  );
}

function List({ app, title, routes, of }: { app: string; title: string; routes: RouteProfile[]; of: (r: RouteProfile) => number | null }) {
  const most = Math.max(...routes.map((r) => of(r) ?? 0), 1e-9);
  return (
    <div className="panel panel-pad">
      <h3 className="panel-title">{title}</h3>
      <ol className="slow-list" aria-label={`Slowest routes ${title.toLowerCase()}`}>
        {routes.map((r) => (
          <li key={`${r.method} ${r.route}`} data-testid={ids.slowRoute} title={plural(r.requests, 'request')}>
            <span className="ellipsis"><span className="method">{r.method}</span> <a className="app-name mono" href={to(['apps', app, 'logs'], { route: r.route })}>{r.route || '(no rule)'}</a></span>
            <b>{ms(of(r))}</b>
            <div className="slow-bar" aria-hidden><i style={{ width: `${(100 * (of(r) ?? 0)) / most}%` }} /></div>
          </li>
        ))}
      </ol>
    </div>
  );
}
