import { Button, Group, Table } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { get, seg } from '../../api/client';
import type { App, Decision, LogRecord } from '../../api/types';
import { Address } from '../../parts/Address';
import { EventList } from '../../parts/EventList';
import { Sentence } from '../../parts/Sentence';
import { StatusTag } from '../../parts/StatusTag';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { IconActivityHeartbeat, IconRefresh, IconScale, IconShare } from '../../theme/icons';
import { ids } from '../../testids';
import { ScaleDialog } from '../AppMenu';
import { ShareDialog } from '../ShareDialog';
import { DropArea } from '../deploy/DropArea';
import { GitPush } from '../deploy/GitPush';
import { to, useRoute } from '../route';
import { appAddress, dashboardAddress, mayWrite, useSession } from '../session';
import { useAppActions } from '../useAppActions';
import { Checklist } from './Checklist';
import { Trends } from './Trends';
import { tick } from './useTicks';

export function useDecisions(app: string) {
  return useQuery({
    queryKey: ['app', app, 'decisions'],
    queryFn: async ({ signal }) => (await get<{ decisions: Decision[] | null }>(`/apps/${seg(app)}/decisions`, {}, signal)).decisions ?? [],
    refetchInterval: 5000,
  });
}

export function Overview({ app }: { app: App }) {
  const session = useSession();
  const { query } = useRoute();
  const { restart } = useAppActions(app.name);
  const [scaling, scale] = useDisclosure();
  const [sharing, share] = useDisclosure();
  const decisions = useDecisions(app.name);
  const latest = decisions.data?.[0];
  const last = app.last_release;
  const write = mayWrite(session);
  return (
    <>
      {app.reason && <div className="panel failed-panel"><h2>{app.state === 'failed' ? `${app.name} is not running` : 'What happened'}</h2><p><Sentence>{app.reason}</Sentence></p></div>}
      <dl className="panel facts gap-top">
        <div className="fact-address">
          <dt>Address</dt>
          <dd>{app.release > 0 ? <a className="address address-small" href={appAddress(app.address)} target="_blank" rel="noopener noreferrer"><Address of={app.address} /></a> : <span className="dim">after the first release</span>}</dd>
        </div>
        <div><dt>Replicas ready / desired</dt><dd>{app.ready} / {app.desired}{app.trying > 0 && <span className="dim"> and {app.trying} of the canary</span>}</dd></div>
        <div><dt>Live release</dt><dd>{app.release > 0 ? <a className="app-name" href={to(['apps', app.name, 'releases', app.release])}>{app.release}</a> : <span className="dim">none yet</span>}</dd></div>
        <div><dt>Last release</dt><dd>{last ? <><StatusTag state={last.state} />{' '}<span className="dim"><TimeAgo at={last.created_at} /></span></> : <span className="dim">none yet</span>}</dd></div>
      </dl>
      <Group gap="xs" mt="md">
        <Button component="a" href={dashboardAddress(session, app.name, query.get('tenant') ?? '')} target="_blank" rel="noopener" onClick={() => tick(app, 'watch')} leftSection={<IconActivityHeartbeat size={18} />}>Watch live</Button>
        {write && <Button variant="default" leftSection={<IconShare size={16} />} onClick={share.open} data-testid={ids.shareOpen}>Share live view…</Button>}
        {write && <Button variant="default" leftSection={<IconScale size={16} />} onClick={scale.open}>Scale…</Button>}
        {write && app.release > 0 && <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={() => restart.mutate()} loading={restart.isPending}>Restart</Button>}
      </Group>
      <Checklist app={app} />
      <ShareDialog app={app.name} opened={sharing} onClose={share.close} />
      <ScaleDialog key={app.desired} app={app} opened={scaling} onClose={scale.close} />

      {app.release > 0 && <Trends app={app.name} since={app.created_at} />}

      <section className="section">
        <h2>Autoscaler</h2>
        <p className="hint">
          {latest ? <>{latest.reason} <TimeAgo at={latest.at} />. </> : decisions.data ? 'It has not changed the number of replicas yet. ' : decisions.error ? <>What it decided last cannot be shown now: {decisions.error.message} </> : null}
          <a className="crumb" href={to(['apps', app.name, 'scaling'])}>Policy and decisions</a>
        </p>
      </section>

      <section className="section">
        <h2>Replicas</h2>
        <Replicas app={app} />
      </section>

      <RecentEvents app={app.name} />

      {write && <section className="section"><h2>New release</h2><div className="gap-top"><DropArea app={app.name} /></div><GitPush app={app.name} /></section>}
    </>
  );
}

function RecentEvents({ app }: { app: string }) {
  const { data } = useQuery({
    queryKey: ['app', app, 'events'],
    queryFn: ({ signal }) => get<{ records: LogRecord[] | null }>(`/apps/${seg(app)}/logs`, { kind: 'event', limit: 8 }, signal),
    refetchInterval: 5000,
  });
  const events = (data?.records ?? []).map((r) => ({ t: Date.parse(r.ts), event: String(r.extra?.event ?? 'event'), msg: r.msg ?? '' }));
  if (events.length === 0) return null;
  return (
    <section className="section">
      <h2>What happened</h2>
      <div className="panel gap-top"><EventList events={events} /></div>
      <p className="hint"><a className="crumb" href={to(['apps', app, 'logs'], { kind: 'event', range: '7d' })}>All events of the last 7 days</a></p>
    </section>
  );
}

function Replicas({ app }: { app: App }) {
  const replicas = app.replicas ?? [];
  if (replicas.length === 0) {
    return <p className="hint">{app.desired === 0 ? 'None: the app is scaled to 0.' : 'None is running at the moment.'}</p>;
  }
  return (
    <TableBox label="Replicas" className="panel gap-top">
      <Table>
        <Table.Thead>
          <Table.Tr><Table.Th>Replica</Table.Th><Table.Th>State</Table.Th><Table.Th className="num">Release</Table.Th><Table.Th>Started</Table.Th><Table.Th className="num">Restarts</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {replicas.map((r) => (
            <Table.Tr key={r.id}>
              <Table.Td className="mono">{r.id}</Table.Td>
              <Table.Td><StatusTag state={r.state} /></Table.Td>
              <Table.Td className="num">{r.release}</Table.Td>
              <Table.Td><TimeAgo at={r.started_at} /></Table.Td>
              <Table.Td className="num">{r.restarts}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </TableBox>
  );
}
