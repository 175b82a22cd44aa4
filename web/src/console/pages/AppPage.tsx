import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { ApiError, get, seg } from '../../api/client';
import type { App } from '../../api/types';
import { Problem } from '../../parts/Said';
import { IconExternalLink } from '../../theme/icons';
import { AppState } from '../AppState';
import { Waiting } from '../../parts/Waiting';
import { to, useRoute } from '../route';
import { appAddress, mayWrite, useSession } from '../session';
import { Overview } from './Overview';
import { ReleasePage, Releases } from './Releases';
import { tick } from './useTicks';

const Logs = lazy(() => import('./Logs'));
const Profile = lazy(() => import('./Profile'));
const Alerts = lazy(() => import('./Alerts'));
const ArchiveTab = lazy(() => import('./ArchiveTab'));
const PipelineTab = lazy(() => import('./PipelineTab'));
const Scaling = lazy(() => import('./Scaling'));
const LoadTests = lazy(() => import('./LoadTests'));
const Environment = lazy(() => import('./Environment'));
const Storage = lazy(() => import('./Storage'));
const CronTab = lazy(() => import('./CronTab'));
const IsolationTab = lazy(() => import('./IsolationTab'));
const RoutingTab = lazy(() => import('./RoutingTab'));
const Danger = lazy(() => import('./Danger'));

const TABS: [id: string, name: string, needsWrite?: boolean][] = [
  ['overview', 'Overview'],
  ['releases', 'Releases'],
  ['logs', 'Logs'],
  ['profile', 'Profile'],
  ['alerts', 'Alerts'],
  ['archive', 'Archive'],
  ['pipeline', 'Pipeline'],
  ['scaling', 'Scaling'],
  ['load', 'Load test'],
  ['environment', 'Environment', true],
  ['cron', 'Cron'],
  ['routing', 'Domains', true],
  ['storage', 'Storage', true],
  ['isolation', 'Isolation', true],
  ['danger', 'Danger zone', true],
];

const WRITES = new Set(TABS.filter(([, , write]) => write).map(([id]) => id));

export function useApp(name: string) {
  return useQuery({
    queryKey: ['app', name],
    queryFn: ({ signal }) => get<App>(`/apps/${seg(name)}`, {}, signal),
    refetchInterval: (q) => (q.state.data && (q.state.data.state === 'deploying' || q.state.data.ready !== q.state.data.desired) ? 1000 : 3000),
  });
}

export default function AppPage({ name }: { name: string }) {
  const session = useSession();
  const { parts } = useRoute();
  const tab = parts[2] ?? 'overview';
  const tabs = useRef<HTMLDivElement>(null);
  const { data: app, error } = useApp(name);
  const known = app != null;
  useEffect(() => {
    // On a phone the tabs scroll: the one that is shown must be seen.
    const here = tabs.current?.querySelector<HTMLElement>('[aria-current]');
    if (here && tabs.current) tabs.current.scrollLeft = here.offsetLeft - (tabs.current.clientWidth - here.offsetWidth) / 2;
  }, [tab, known]);
  useEffect(() => {
    if (app && tab === 'archive') tick(app, 'archive');
  }, [app, tab]);
  if (!app) {
    if (error instanceof ApiError && error.status === 404) {
      return <div className="page"><div className="panel empty"><b>There is no app {name} here</b>It may have been deleted. <a className="crumb" href={to([])}>All apps</a></div></div>;
    }
    return error ? <div className="page"><Problem error={error} /></div> : <Waiting />;
  }
  return (
    <div className="page">
      <div className="page-head">
        <a className="crumb" href={to([])}>Apps</a>
        <span className="dim" aria-hidden>/</span>
        <h1>{name}</h1>
        <AppState app={app} />
        {app.release > 0 && (
          <div className="page-head-end">
            <Button component="a" href={appAddress(app.address)} target="_blank" rel="noopener noreferrer" variant="default" rightSection={<IconExternalLink size={16} />}>Open</Button>
          </div>
        )}
      </div>
      <div className="tabs" ref={tabs}>
        <nav aria-label={`Pages of ${name}`}>
          {TABS.filter(([, , write]) => !write || mayWrite(session)).map(([id, title]) => (
            <a key={id} className="tab" href={to(['apps', name, id])} aria-current={tab === id ? 'page' : undefined}>{title}</a>
          ))}
        </nav>
      </div>
      {WRITES.has(tab) && !mayWrite(session)
        ? <div className="panel empty"><b>This page is for those who change the app</b>Your role is viewer. An owner of the tenant can make you a developer.</div>
        : <Suspense fallback={<Waiting />}><Tab tab={tab} app={app} release={Number(parts[3])} /></Suspense>}
    </div>
  );
}

function Tab({ tab, app, release }: { tab: string; app: App; release: number }) {
  switch (tab) {
    case 'releases': return release > 0 ? <ReleasePage key={release} app={app} number={release} /> : <Releases app={app} />;
    case 'logs': return <Logs app={app} />;
    case 'profile': return <Profile app={app.name} />;
    case 'alerts': return <Alerts app={app.name} />;
    case 'archive': return <ArchiveTab app={app.name} />;
    case 'pipeline': return <PipelineTab app={app} />;
    case 'scaling': return <Scaling app={app} />;
    case 'load': return <LoadTests app={app} />;
    case 'environment': return <Environment app={app.name} />;
    case 'cron': return <CronTab app={app.name} />;
    case 'storage': return <Storage app={app.name} />;
    case 'isolation': return <IsolationTab app={app.name} />;
    case 'routing': return <RoutingTab app={app.name} />;
    case 'danger': return <Danger app={app} />;
    case 'overview': return <Overview app={app} />;
    default: return <div className="panel empty" role="alert"><b>{app.name} has no page “{tab}”</b>The address may be of another version, or mistyped. The pages there are stand above, or <a className="crumb in-text" href={to(['apps', app.name])}>go to the overview</a>.</div>;
  }
}
