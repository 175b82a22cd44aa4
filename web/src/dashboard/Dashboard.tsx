import { Button, Center, Loader, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Session } from '../api/types';
import { Problem } from '../parts/Said';
import { FoxMark } from '../theme/FoxMark';
import { AppTable } from './AppTable';
import { Chart } from './Chart';
import { ALL_CHARTS, CHARTS } from './charts';
import { connect } from './connect';
import { Events } from './Events';
import { Header } from './Header';
import { LogTail } from './LogTail';
import { Numbers } from './Numbers';
import { usePlace } from './place';
import { RouteTable } from './RouteTable';
import { LiveStore } from './store';
import { StoreProvider, useLive } from './useLive';

export function Dashboard() {
  const session = useQuery({ queryKey: ['session'], queryFn: readSession, staleTime: Infinity });
  if (session.isPending) return <Center h="100vh"><Loader size="sm" color="gray" role="status" aria-label="Loading" /></Center>;
  if (session.error) return <Center h="100vh" p="xl"><Problem error={session.error} /></Center>;
  if (!session.data) return <SignInFirst />;
  return <Live session={session.data} />;
}

let consoleUrl = ''; // as the server named it

async function readSession(): Promise<Session | null> {
  const answer = await fetch('/api/session').catch(() => {
    throw new Error('The dashboard does not answer. It may be restarting: load the page again in a moment.');
  });
  const said = (await answer.json().catch(() => null)) as (Session & { console_url?: string }) | null;
  consoleUrl = said?.console_url ?? '';
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`The dashboard answered with status ${answer.status}.`);
  return said;
}

/** A page of the console, at the address that the server named. */
export function consoleAddress(page = ''): string {
  return `${consoleUrl.replace(/\/$/, '')}/${page}`;
}

function SignInFirst() {
  const [here, setHere] = useState(location.href);
  useEffect(() => {
    const read = () => setHere(location.href);
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }, []);
  return (
    <Center component="main" mih="100vh" p="lg">
      <Stack align="center" gap="md" maw={420}>
        <span className="tone-accent"><FoxMark size={72} /></span>
        <Title order={1} size={22} ta="center">Sign in to watch your apps live</Title>
        <Text c="dimmed" ta="center">The dashboard shares its session with the console. You come back here afterwards.</Text>
        <Button component="a" size="md" href={consoleAddress(`#/sign-in?next=${encodeURIComponent(here)}`)}>Sign in at the console</Button>
      </Stack>
    </Center>
  );
}

function Live({ session }: { session: Session }) {
  const place = usePlace();
  const store = useMemo(() => new LiveStore(place.app), [place.app, place.tenant]);
  const [span, setSpan] = useState(300);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => connect(store, place.app, place.tenant), [store, place.app, place.tenant]);
  useEffect(() => {
    document.title = place.app ? `${place.app} live · Kurama` : 'All apps live · Kurama';
  }, [place.app]);
  return (
    <StoreProvider value={store}>
      <div className="live" ref={root} key={`${place.tenant}/${place.app}`}>
        <Header session={session} place={place} span={span} onSpan={setSpan} root={root} />
        <Body app={place.app} span={span} />
      </div>
    </StoreProvider>
  );
}

function Body({ app, span }: { app: string; span: number }) {
  const all = !app;
  const { connection } = useLive('connection');
  if (connection.state === 'signed-out') return <SignInFirst />;
  return (
    <main className="live-body">
      <h1 className="visually-hidden">{app ? `${app}, live` : 'All apps, live'}</h1>
      {connection.reason && connection.state !== 'live' && <Problem error={connection.reason} />}
      <Numbers />
      {all && <AppTable />}
      <div className="charts">
        {(all ? ALL_CHARTS : CHARTS).map((c) => <Chart key={c.id} {...c} span={span} />)}
      </div>
      <div className="live-two">
        {!all && <RouteTable />}
        <Events />
      </div>
      <LogTail />
    </main>
  );
}
