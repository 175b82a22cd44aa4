import { Table, TextInput } from '@mantine/core';
import { useState } from 'react';
import { count, ms, percent, plural, rate } from '../format/format';
import { ids } from '../testids';
import { placeHash, usePlace } from './place';
import { Sparkline } from './Sparkline';
import { useLiveEvery } from './useLive';
import { TableBox } from '../parts/TableBox';

const SHOWN = 100;

/** All apps of the tenant, the busiest first. */
export function AppTable() {
  const store = useLiveEvery('apps', 900);
  const place = usePlace();
  const [text, setText] = useState('');
  const fit = store.apps.filter((a) => a.app.includes(text.toLowerCase()));
  const shown = fit.sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || a.app.localeCompare(b.app)).slice(0, SHOWN);
  return (
    <section className="panel apps">
      <header className="panel-head">
        <h2 className="panel-title">Apps</h2>
        <span className="label">{fit.length > SHOWN ? `the ${SHOWN} busiest of ${count(fit.length)}` : plural(fit.length, 'app')}, last 60 s; CPU and memory of the busiest replica, now</span>
        {store.apps.length > 10 && <TextInput size="xs" ml="auto" placeholder="Find an app" aria-label="Find an app" value={text} onChange={(e) => setText(e.currentTarget.value)} />}
      </header>
      {store.apps.length === 0 ? <p className="quiet">No app has been heard of yet.</p> : (
        <TableBox label="Apps">
          <Table verticalSpacing={5} highlightOnHover data-testid={ids.appTable}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>App</Table.Th><Table.Th className="num">Requests/s</Table.Th><Table.Th className="spark-cell"><span className="visually-hidden">Course</span></Table.Th><Table.Th className="num">p95</Table.Th>
                <Table.Th className="num">Errors</Table.Th><Table.Th className="num" title="of the busiest replica, now">CPU</Table.Th><Table.Th className="num" title="of the busiest replica, now">Memory</Table.Th><Table.Th className="num">Replicas</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((a) => (
                <Table.Tr key={a.app}>
                  <Table.Td><a className="app-link" href={placeHash({ app: a.app, tenant: place.tenant })}>{a.app}</a></Table.Td>
                  <Table.Td className="num">{rate(a.rate)}</Table.Td>
                  <Table.Td className="spark-cell"><Sparkline values={store.rates.get(a.app) ?? []} /></Table.Td>
                  <Table.Td className="num">{ms(a.p95)}</Table.Td>
                  <Table.Td className="num">{a.errors ? <span className="tone-bad">{count(a.errors)}</span> : count(a.errors)}</Table.Td>
                  <Table.Td className="num">{percent(a.cpu)}</Table.Td>
                  <Table.Td className="num">{percent(a.mem)}</Table.Td>
                  <Table.Td className="num">{count(a.replicas)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
    </section>
  );
}
