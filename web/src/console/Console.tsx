import { Center } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Problem } from '../parts/Said';
import { Waiting } from '../parts/Waiting';
import { Frame } from './Frame';
import { AppsPage } from './pages/AppsPage';
import { SignIn } from './pages/SignIn';
import { to, useRoute } from './route';
import { lookAtTenant, SessionProvider, useSessionQuery } from './session';

const AppPage = lazy(() => import('./pages/AppPage'));
const AccessPage = lazy(() => import('./pages/AccessPage'));
const JoinPage = lazy(async () => ({ default: (await import('./pages/JoinPage')).JoinPage }));
const StatusPage = lazy(() => import('./pages/StatusPage'));

export function Console() {
  const route = useRoute();
  const { data: session, isPending, error } = useSessionQuery();
  if (isPending) return <Waiting />;
  if (error) return <Center p="xl"><Problem error={error} /></Center>;
  if (route.parts[0] === 'join' && route.parts[1]) return <Suspense fallback={<Waiting />}><JoinPage secret={route.parts[1]} /></Suspense>;
  if (!session) return <SignIn next={route.query.get('next') ?? ''} />;

  lookAtTenant(session, route.query.get('tenant') ?? '');
  return (
    <SessionProvider value={session}>
      {/* A change of tenant starts every page anew. */}
      <Frame key={route.query.get('tenant') ?? ''}>
        <Suspense fallback={<Waiting />}>
          <Page parts={route.parts} />
        </Suspense>
      </Frame>
    </SessionProvider>
  );
}

function Page({ parts }: { parts: string[] }) {
  const [first, name] = parts;
  if (first === 'apps' && name) return <AppPage key={name} name={name} />;
  if (first === 'access') return <AccessPage />;
  if (first === 'status') return <StatusPage />;
  if (!first || first === 'apps') return <AppsPage />;
  return (
    <div className="page">
      <div className="panel empty" role="alert"><b>The console has no page “{first}”</b>The address may be of another version, or mistyped. <a className="crumb in-text" href={to([])}>Go to the apps</a></div>
    </div>
  );
}
