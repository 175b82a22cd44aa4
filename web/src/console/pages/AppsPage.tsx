import { Button, Table, Text, TextInput, Title } from '@mantine/core';
import { memo, useState } from 'react';
import { AppState } from '../AppState';
import { Address } from '../../parts/Address';
import { AppMenu } from '../AppMenu';
import { DropArea } from '../deploy/DropArea';
import { Problem } from '../../parts/Said';
import { Sentence } from '../../parts/Sentence';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { count } from '../../format/format';
import { ids } from '../../testids';
import { Waiting } from '../../parts/Waiting';
import { to } from '../route';
import { appAddress, mayWrite, useApps, useSession } from '../session';
import type { App } from '../../api/types';

const STEP = 100; // rows shown at first, and more at each press
const FEW = 12; // apps that need no search

export function AppsPage() {
  const session = useSession();
  const [text, setText] = useState('');
  const [most, setMost] = useState(STEP);
  const { data: apps, error, isPending } = useApps();
  if (isPending) return <Waiting />;
  if (error && !apps) return <div className="page"><Problem error={error} /></div>;
  if (!apps?.length) return <FirstStart may={mayWrite(session)} />;
  const fit = apps.filter((a) => a.name.includes(text.trim().toLowerCase()));
  return (
    <div className="page">
      <div className="page-head">
        <h1>Apps</h1>
        {apps.length > FEW && (
          <div className="page-head-end"><TextInput placeholder={`Find one of ${count(apps.length)}`} aria-label="Find an app" value={text} onChange={(e) => { setText(e.currentTarget.value); setMost(STEP); }} data-testid={ids.appFind} spellCheck={false} /></div>
        )}
      </div>
      {mayWrite(session) && <DropArea />}
      <div className="gap-top"><Problem error={error} /></div>
      <TableBox label="Apps" className="panel gap-top">
        <Table highlightOnHover className="app-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>App</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Address</Table.Th>
              <Table.Th className="num">Replicas</Table.Th>
              <Table.Th>Last release</Table.Th>
              <Table.Th><span className="visually-hidden">Actions</span></Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>{fit.slice(0, most).map((a) => <Row key={a.name} app={a} />)}</Table.Tbody>
        </Table>
      </TableBox>
      {fit.length === 0 && <p className="hint">No app is called so.</p>}
      {fit.length > most && <p className="hint">{count(most)} of {count(fit.length)} are shown. <Button size="compact-sm" variant="default" onClick={() => setMost(most + STEP)}>{STEP} more</Button></p>}
    </div>
  );
}

const Row = memo(function Row({ app }: { app: App }) {
  const session = useSession();
  const last = app.last_release;
  return (
    <Table.Tr data-testid={ids.appRow} data-app={app.name}>
      <Table.Td><a className="app-name" href={to(['apps', app.name])}>{app.name}</a></Table.Td>
      <Table.Td>
        <AppState app={app} />
        {app.reason && <div className="reason clamp" title={app.reason}><Sentence>{app.reason}</Sentence></div>}
      </Table.Td>
      <Table.Td className="address-cell">
        {app.release > 0
          ? <a className="crumb" href={appAddress(app.address)} target="_blank" rel="noopener noreferrer"><Address of={app.address} /></a>
          : <span className="dim">after the first release</span>}
      </Table.Td>
      <Table.Td className="num" title="ready / desired">{app.ready} / {app.desired}</Table.Td>
      <Table.Td className="nowrap">
        {last ? <><a className="crumb in-text" href={to(['apps', app.name, 'releases', last.number])}>{last.number}</a>{last.state === 'failed' ? ' failed' : ''}, <TimeAgo at={last.created_at} /></> : <span className="dim">none yet</span>}
      </Table.Td>
      <Table.Td className="num">{mayWrite(session) && <AppMenu app={app} />}</Table.Td>
    </Table.Tr>
  );
});

function FirstStart({ may }: { may: boolean }) {
  if (!may) {
    return <div className="page"><div className="panel empty"><b>No apps yet</b>A developer of this tenant can deploy the first one.</div></div>;
  }
  return (
    <div className="page first">
      <Title order={1} size={28}>Put your first app online</Title>
      <Text c="dimmed" mt={4} mb="lg">Drop it, and about a second later it answers at an address of its own. Every request and log line of it is kept.</Text>
      <DropArea big samples />
      <Text size="sm" c="dimmed" mt="xl">
        From a terminal: <span className="mono">kurama login</span>, then <span className="mono">kurama deploy .</span> in the app's folder.
      </Text>
    </div>
  );
}
