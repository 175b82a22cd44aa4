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
import { consoleAddress, isShared, readSession } from './session';
import { Past } from './past';
import { PastBar } from './PastBar';
import { DayStrip } from './DayStrip';
import { LiveStore } from './store';
import { FeedProvider, useLive } from './useLive';
import { View } from './view';

export function Dashboard() {
  const session = useQuery({ queryKey: ['session'], queryFn: readSession, staleTime: Infinity });
  if (session.isPending) return <Center h="100vh"><Loader size="sm" color="gray" role="status" aria-label="Loading" /></Center>;
  if (session.error) return <Center h="100vh" p="xl"><Problem error={session.error} /></Center>;
  if (!session.data) return <SignInFirst />;
  return <Live session={session.data} />;
}

function SignInFirst() {
  return isShared() ? <LinkEnded /> : <SignInHere />;
}

function LinkEnded() {
  return (
    <Center component="main" mih="100vh" p="lg">
      <Stack align="center" gap="md" maw={420}>
        <span className="tone-accent"><FoxMark size={72} /></span>
        <Title order={1} size={22} ta="center">This link has ended</Title>
        <Text c="dimmed" ta="center">A link to a live view is valid for a while only, and can be taken back. Ask whoever sent it for another.</Text>
      </Stack>
    </Center>
  );
}

function SignInHere() {
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
  const feed = useMemo(() => {
    const store = new LiveStore(place.app, 3600, place.tenant);
    const now = () => store.now() / 1000;
    return { store, past: new Past(place.app, place.tenant, now), view: new View(now) };
  }, [place.app, place.tenant]);
  const { store, view } = feed;
  useEffect(() => {
    const read = () => view.read();
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }, [view]);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => connect(store, place.app, place.tenant), [store, place.app, place.tenant]);
  useEffect(() => {
    document.title = place.app ? `${place.app} live · Kurama` : 'All apps live · Kurama';
  }, [place.app]);
  return (
    <FeedProvider value={feed}>
      <div className="live" ref={root} key={`${place.tenant}/${place.app}`}>
        <Header session={session} place={place} root={root} />
        <Body app={place.app} />
      </div>
    </FeedProvider>
  );
}

function Body({ app }: { app: string }) {
  const all = !app;
  const { connection } = useLive('connection');
  if (connection.state === 'signed-out') return <SignInFirst />;
  return (
    <main className="live-body">
      <h1 className="visually-hidden">{app ? `${app}, live` : 'All apps, live'}</h1>
      {connection.reason && connection.state !== 'live' && <Problem error={connection.reason} />}
      <PastBar />
      <DayStrip />
      <Numbers />
      {all && <AppTable />}
      <div className="charts">
        {(all ? ALL_CHARTS : CHARTS).map((c) => <Chart key={c.id} spec={c} />)}
      </div>
      <div className="live-two">
        {!all && <RouteTable />}
        <Events />
      </div>
      <LogTail />
    </main>
  );
}
