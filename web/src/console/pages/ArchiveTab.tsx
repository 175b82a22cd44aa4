import { Button, Group, Select, Table, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { apiPath, get, seg } from '../../api/client';
import type { Archive } from '../../api/types';
import { bytes, count, exact, plural, utc } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { ids } from '../../testids';
import { IconDownload } from '../../theme/icons';
import { Waiting } from '../../parts/Waiting';
import { RANGES, timesOf } from '../logs/filter';

const FORMATS = [
  { value: 'jsonl', label: 'JSON lines (.jsonl)' },
  { value: 'json', label: 'One JSON document (.json)' },
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
          : 'Nothing is archived yet. Records are gathered and sealed into files; the first appears shortly after the first records.'}
      </p>
      <Download app={app} />
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

function Download({ app }: { app: string }) {
  const [range, setRange] = useState('all');
  const [format, setFormat] = useState('jsonl');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const address = () => apiPath(`/apps/${seg(app)}/archive/download`, { ...timesOf({ range, from, to }), format });
  return (
    <div className="panel panel-pad">
      <Group align="end" gap="sm">
        <Select label="Range" data={RANGES.map((r) => ({ value: r.id, label: r.label }))} value={range} onChange={(v) => setRange(v ?? 'all')} allowDeselect={false} />
        {range === 'between' && (
          <>
            <TextInput label="From" type="datetime-local" step={1} value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
            <TextInput label="To" type="datetime-local" step={1} value={to} onChange={(e) => setTo(e.currentTarget.value)} />
          </>
        )}
        <Select label="Format" w={270} data={FORMATS} value={format} onChange={(v) => setFormat(v ?? 'jsonl')} allowDeselect={false} />
        {/* The range counts from the moment of the click. */}
        <Button component="a" href={address()} download onClick={(e) => { e.currentTarget.href = address(); }} leftSection={<IconDownload size={17} />} data-testid={ids.archiveDownload}>Download</Button>
      </Group>
    </div>
  );
}
