import { Button, Loader, Select, Switch, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { get, seg } from '../../api/client';
import type { App, LogRecord } from '../../api/types';
import { plural } from '../../format/format';
import { LEVELS } from '../../parts/LevelTag';
import { Problem } from '../../parts/Said';
import { ids } from '../../testids';
import { IconDownload, IconX } from '../../theme/icons';
import { LogTable } from '../logs/LogTable';
import { passes, queryOf, RANGES, type LogFilter } from '../logs/filter';
import { saveFile } from '../logs/save';
import { useTail } from '../logs/useTail';
import { appAddress } from '../session';
import { setQuery, useRoute } from '../route';

interface Page { records: LogRecord[] | null; cursor?: string }

export default function Logs({ app: { name: app, address } }: { app: App }) {
  const { query } = useRoute();
  const filter = filterOf(query);
  const live = query.get('live') === '1';
  const change = (f: Partial<Record<keyof LogFilter | 'live', string>>) => setQuery(f);
  return (
    <>
      <div className="filters">
        <Typed label="Text" placeholder="part of a message or traceback" value={filter.q} onChange={(q) => change({ q })} testid={ids.logSearch} />
        <Select label="Level" data={[{ value: '', label: 'Any' }, ...LEVELS.map((l) => ({ value: l, label: l === 'CRITICAL' ? l : `${l} and up` }))]} value={filter.level} onChange={(v) => change({ level: v ?? '' })} allowDeselect={false} data-testid={ids.logLevel} />
        <Select label="Kind" data={[{ value: '', label: 'Any' }, 'request', 'log', 'event']} value={filter.kind} onChange={(v) => change({ kind: v ?? '' })} allowDeselect={false} data-testid={ids.logKind} />
        <Typed label="Status" placeholder="500 or 5xx" value={filter.status} onChange={(status) => change({ status })} testid={ids.logStatus} />
        <Typed label="Route" placeholder="/user/<id>" value={filter.route} onChange={(route) => change({ route })} testid={ids.logRoute} />
        <Select label="Time" data={RANGES.map((r) => ({ value: r.id, label: r.label }))} value={filter.range} disabled={live} onChange={(v) => change({ range: v ?? '' })} allowDeselect={false} data-testid={ids.logRange} />
        <Switch label="Live" checked={live} onChange={(e) => change({ live: e.currentTarget.checked ? '1' : '' })} pb={8} data-testid={ids.logLive} />
      </div>
      {filter.range === 'between' && !live && <Between from={filter.from} to={filter.to} onChange={(from, to) => change({ from, to })} />}
      {filter.req && (
        <div className="chips gap-bottom">
          <button type="button" className="chip" onClick={() => change({ req: '' })}>request {filter.req} <IconX size={12} aria-label="clear" /></button>
        </div>
      )}
      {live ? <Tail app={app} address={appAddress(address)} filter={filter} onFollow={(req) => change({ req })} /> : <Search app={app} address={appAddress(address)} filter={filter} onFollow={(req) => change({ req })} />}
    </>
  );
}

function filterOf(q: URLSearchParams): LogFilter {
  const of = (k: string) => q.get(k) ?? '';
  return { q: of('q'), level: of('level'), kind: of('kind'), status: of('status'), route: of('route'), req: of('req'), range: of('range') || '1h', from: of('from'), to: of('to') };
}

/** A text field that tells its value once the typing pauses. */
function Typed({ label, placeholder, value, onChange, testid }: { label: string; placeholder: string; value: string; onChange: (v: string) => void; testid: string }) {
  const [text, setText] = useState(value);
  const [settled] = useDebouncedValue(text, 250);
  useEffect(() => {
    if (settled !== value) onChange(settled);
    // Only what was typed matters here; a change from outside is taken up below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  useEffect(() => setText(value), [value]);
  return <TextInput label={label} placeholder={placeholder} value={text} onChange={(e) => setText(e.currentTarget.value)} data-testid={testid} spellCheck={false} />;
}

function Between({ from, to, onChange }: { from: string; to: string; onChange: (from: string, to: string) => void }) {
  return (
    <div className="between gap-bottom">
      <TextInput label="From" type="datetime-local" step={1} value={from} onChange={(e) => onChange(e.currentTarget.value, to)} />
      <TextInput label="To" type="datetime-local" step={1} value={to} onChange={(e) => onChange(from, e.currentTarget.value)} />
    </div>
  );
}

interface Shown { app: string; address: string; filter: LogFilter; onFollow: (req: string) => void }

function Search({ app, address, filter, onFollow }: Shown) {
  const search = useInfiniteQuery({
    queryKey: ['app', app, 'logs', filter],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => get<Page>(`/apps/${seg(app)}/logs`, { ...queryOf(filter), limit: 200, cursor: pageParam }, signal),
    getNextPageParam: (last) => (last.records?.length ? last.cursor || undefined : undefined),
    placeholderData: (before) => before,
  });
  const records = useMemo(() => search.data?.pages.flatMap((p) => p.records ?? []) ?? [], [search.data]);
  return (
    <>
      {search.error && <div className="gap-bottom"><Problem error={search.error} /></div>}
      <div className="panel">
        <LogTable records={records} address={address} onFollow={onFollow} onEnd={() => search.hasNextPage && !search.isFetchingNextPage && void search.fetchNextPage()}
          empty={search.isPending ? null : <><b>No record fits</b>Widen the time, or take a filter away.</>} />
        <div className="log-foot">
          {search.isFetching ? <Loader size={14} color="gray" role="status" aria-label="Loading" /> : null}
          <span>{plural(records.length, 'record')}, newest first{search.hasNextPage ? '; older ones come as you scroll' : ''}</span>
          <span className="log-foot-end">
            <Save app={app} records={records} />
            <Button size="compact-sm" variant="default" onClick={() => void search.refetch()}>Look again</Button>
          </span>
        </div>
      </div>
    </>
  );
}

function Tail({ app, address, filter, onFollow }: Shown) {
  const { records, state, error } = useTail(app, filter);
  const shown = useMemo(() => records.filter((r) => passes(r, filter)), [records, filter]);
  return (
    <>
      {error ? <div className="gap-bottom"><Problem error={error} /></div> : null}
      <div className="panel">
        <LogTable records={shown} address={address} onFollow={onFollow} empty={<><b>Waiting for records</b>They appear here as the app writes them.</>} />
        <div className="log-foot"><span role="status">{state}</span><span>{plural(shown.length, 'record')}, newest first; the latest 1,000 are kept</span><span className="log-foot-end"><Save app={app} records={shown} /></span></div>
      </div>
    </>
  );
}

/** The records that are shown as a file of JSON lines, oldest first. */
function Save({ app, records }: { app: string; records: LogRecord[] }) {
  const save = () => saveFile(`${app}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.jsonl`, records.toReversed().map((r) => JSON.stringify(r) + '\n'), 'application/x-ndjson');
  return <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} disabled={records.length === 0} onClick={save} data-testid={ids.logDownload}>Download what is shown</Button>;
}
