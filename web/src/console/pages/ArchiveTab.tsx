import { Button, Group, Progress, Select, Table, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { apiPath, get, ndjson, seg } from '../../api/client';
import type { Archive, ArchiveFile } from '../../api/types';
import { bytes, count, exact, plural, utc } from '../../format/format';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { ids } from '../../testids';
import { IconDownload } from '../../theme/icons';
import { Waiting } from '../../parts/Waiting';
import { Calendar } from '../archive/Calendar';
import { dateOf } from '../archive/days';
import { useDownload } from '../archive/useDownload';
import { RANGES, timesOf } from '../logs/filter';

const FORMATS = [
  { value: 'jsonl', label: 'JSON lines (.jsonl)' },
  { value: 'json', label: 'One JSON document (.json)' },
  { value: 'csv', label: 'Table (.csv)' },
  { value: 'parquet', label: 'Parquet, for DuckDB and pandas (.parquet)' },
  { value: 'jsonl.gz', label: 'JSON lines, gzip (.jsonl.gz)' },
  { value: 'jsonl.zst', label: 'JSON lines, Zstandard (.jsonl.zst)' },
];

export default function ArchiveTab({ app }: { app: string }) {
  const { data, error, isPending } = useQuery({
    queryKey: ['app', app, 'archive'],
    queryFn: ({ signal }) => get<Archive>(`/apps/${seg(app)}/archive`, {}, signal),
    refetchInterval: 10000,
  });
  if (isPending) return <Waiting />;
  if (!data) return <Problem error={error} />;
  const files = data.files ?? [];
  return (
    <>
      <p className="hint gap-bottom">
        {data.records > 0
          ? <>The archive holds {plural(data.records, 'record')}{data.from && data.to ? <>, from {exact(data.from)} to {exact(data.to)}</> : null}, in {plural(files.length, 'file')} of {bytes(data.bytes)}.</>
          : 'No file is sealed yet: that is done a little after the first records. A download seals what there is, so that nothing is missing.'}
      </p>
      <Chosen app={app} files={files} />
      {files.length > 0 && <Verify app={app} />}
      {files.length > 0 && (
        <section className="section">
          <h2>Sealed files</h2>
          <TableBox label="Sealed files" className="panel gap-top">
            <Table>
              <Table.Thead><Table.Tr><Table.Th>File</Table.Th><Table.Th>From</Table.Th><Table.Th>To</Table.Th><Table.Th className="num">Records</Table.Th><Table.Th className="num">Size</Table.Th><Table.Th>SHA-256</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>
                {files.slice(-200).reverse().map((f) => (
                  <Table.Tr key={f.name} data-testid={ids.archiveFile}>
                    <Table.Td className="mono">{f.name}</Table.Td>
                    <Table.Td className="nowrap" title={utc(f.from)}>{exact(f.from)}</Table.Td>
                    <Table.Td className="nowrap" title={utc(f.to)}>{exact(f.to)}</Table.Td>
                    <Table.Td className="num">{count(f.records)}</Table.Td>
                    <Table.Td className="num">{bytes(f.bytes)}</Table.Td>
                    <Table.Td className="mono dim" title={f.sha256}>{f.sha256.slice(0, 12)}…</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </TableBox>
        </section>
      )}
    </>
  );
}

interface Verified { name?: string; ok: boolean; says?: string; end?: boolean; files?: number; records?: number; bytes?: number }

/** Reads every file again and compares it with the manifest. */
function Verify({ app }: { app: string }) {
  const check = useMutation({
    mutationFn: async () => {
      const broken: Verified[] = [];
      let last: Verified | null = null;
      await ndjson<Verified>(apiPath(`/apps/${seg(app)}/archive/verify`), (v) => {
        if (v.end) last = v;
        else if (!v.ok) broken.push(v);
      }, AbortSignal.timeout(600_000));
      return { broken, last: last as Verified | null };
    },
  });
  const { data } = check;
  return (
    <div className="gap-top">
      <Group gap="sm">
        <Button variant="default" onClick={() => check.mutate()} loading={check.isPending} data-testid={ids.archiveVerify}>Verify the archive</Button>
        {data && (data.broken.length > 0
          ? <span className="tone-bad">{plural(data.broken.length, 'file')} differ from the manifest: {data.broken.map((b) => `${b.name}: ${b.says}`).join('; ')}</span>
          : data.last && <span role="status"><StatusTag state="ok" word={`${plural(data.last.files ?? 0, 'file')} with ${plural(data.last.records ?? 0, 'record')} are as they were sealed`} /></span>)}
      </Group>
      <Problem error={check.error} />
    </div>
  );
}

/** The calendar and the form below it, which share the range. */
function Chosen({ app, files }: { app: string; files: ArchiveFile[] }) {
  const [range, setRange] = useState({ range: 'all', from: '', to: '' });
  const day = range.range === 'between' && range.from.endsWith('T00:00:00') && range.to === `${nextDay(range.from.slice(0, 10))}T00:00:00` ? range.from.slice(0, 10) : '';
  return (
    <>
      {files.length > 0 && <Calendar files={files} chosen={day} onChoose={(d) => setRange({ range: 'between', from: `${d}T00:00:00`, to: `${nextDay(d)}T00:00:00` })} />}
      <Download app={app} range={range} onRange={setRange} />
    </>
  );
}

const nextDay = (date: string) => dateOf(new Date(`${date}T12:00`).getTime() + 86_400_000);

interface Range { range: string; from: string; to: string }

function Download({ app, range, onRange }: { app: string; range: Range; onRange: (r: Range) => void }) {
  const [format, setFormat] = useState('jsonl');
  const { progress, start, stop } = useDownload();
  const busy = progress?.state === 'running';
  // The range counts from the moment of the click.
  const download = () => void start(apiPath(`/apps/${seg(app)}/archive/download`, { ...timesOf(range), format }), `${app}-archive.${format}`);
  return (
    <div className="panel panel-pad gap-top">
      <Group align="end" gap="sm">
        <Select label="Range" data={RANGES.map((r) => ({ value: r.id, label: r.label }))} value={range.range} onChange={(v) => onRange({ ...range, range: v ?? 'all' })} allowDeselect={false} />
        {range.range === 'between' && (
          <>
            <TextInput label="From" type="datetime-local" step={1} value={range.from} onChange={(e) => onRange({ ...range, from: e.currentTarget.value })} />
            <TextInput label="To" type="datetime-local" step={1} value={range.to} onChange={(e) => onRange({ ...range, to: e.currentTarget.value })} />
          </>
        )}
        <Select label="Format" w={270} data={FORMATS} value={format} onChange={(v) => setFormat(v ?? 'jsonl')} allowDeselect={false} />
        <Button leftSection={<IconDownload size={17} />} onClick={download} loading={busy} data-testid={ids.archiveDownload}>Download</Button>
      </Group>
      {progress && (
        <div className="download-bar" role="status">
          {busy && <Progress value={progress.total ? (100 * progress.bytes) / progress.total : 100} animated={!progress.total} striped={!progress.total} aria-label="Downloaded" />}
          {progress.state === 'failed'
            ? <span className="tone-bad">The download stopped after {bytes(progress.bytes)}: {progress.says}</span>
            : <span>{bytes(progress.bytes)}{busy && progress.total ? ` of ${bytes(progress.total)}` : ''} {busy ? 'so far' : 'downloaded'}</span>}
          {busy && <Button size="compact-sm" variant="default" onClick={stop}>Stop</Button>}
        </div>
      )}
    </div>
  );
}
