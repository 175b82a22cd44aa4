import { ActionIcon, Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ClipboardEvent, type FormEvent } from 'react';
import { get, put, seg } from '../../api/client';
import type { Release } from '../../api/types';
import { Problem } from '../../parts/Said';
import { ids } from '../../testids';
import { IconPlus, IconTrash } from '../../theme/icons';
import { Waiting } from '../../parts/Waiting';
import { parseDotenv, variableProblem } from '../dotenv';
import { go } from '../route';
import { say } from '../useAppActions';

type Vars = Record<string, string>;

export default function Environment({ app }: { app: string }) {
  const { data, error } = useQuery({
    queryKey: ['app', app, 'env'],
    queryFn: async ({ signal }) => (await get<{ vars: Vars | null }>(`/apps/${seg(app)}/env`, {}, signal)).vars ?? {},
    refetchOnWindowFocus: false,
  });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return <Editor key={JSON.stringify(data)} app={app} vars={data} />;
}

function Editor({ app, vars }: { app: string; vars: Vars }) {
  const queries = useQueryClient();
  const [rows, setRows] = useState<[key: string, value: string][]>(() => {
    const all = Object.entries(vars).sort(([a], [b]) => a.localeCompare(b));
    return all.length ? all : [['', '']];
  });
  const wanted = Object.fromEntries(rows.filter(([k]) => k.trim()).map(([k, v]) => [k.trim(), v]));
  const names = rows.map(([k]) => k.trim());
  const problems = names.map((k, i) => (k && names.indexOf(k) !== i ? `${k} is there twice.` : variableProblem(k, rows[i]![1])));
  const changed = JSON.stringify(Object.entries(wanted).sort()) !== JSON.stringify(Object.entries(vars).sort());
  const save = useMutation({
    mutationFn: () => put<{ release?: Release | null } | undefined>(`/apps/${seg(app)}/env`, { vars: wanted }),
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: ['app', app] });
      if (saved?.release) go(['apps', app, 'releases', saved.release.number]);
      else say('Saved. The next release finds it.');
    },
  });
  const set = (i: number, row: [string, string]) => setRows(rows.map((r, j) => (j === i ? row : r)));
  const paste = (i: number, e: ClipboardEvent) => {
    const many = parseDotenv(e.clipboardData.getData('text'));
    if (many.length === 0) return;
    e.preventDefault();
    setRows([...rows.slice(0, i), ...many, ...rows.slice(i + 1)]);
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <p className="hint gap-bottom">Variables that the app finds in its environment. A change makes a new release with the same source. The lines of a <span className="mono">.env</span> file can be pasted into a name.</p>
      <div className="panel panel-pad">
        <Stack gap="xs">
          {rows.map(([k, v], i) => (
            <div className="env-row" key={i}>
              <TextInput aria-label="Name" placeholder="NAME" value={k} error={problems[i]} onChange={(e) => set(i, [e.currentTarget.value, v])} onPaste={(e) => paste(i, e)} spellCheck={false} autoCapitalize="none" data-testid={ids.envKey} className="mono-input" />
              <PasswordInput aria-label={`Value of ${k || 'the variable'}`} placeholder="value" value={v} onChange={(e) => set(i, [k, e.currentTarget.value])} autoComplete="off" data-testid={ids.envValue} className="mono-input" />
              <ActionIcon size="lg" variant="subtle" color="gray" aria-label={`Remove ${k || 'the variable'}`} onClick={() => setRows(rows.filter((_, j) => j !== i))}><IconTrash size={17} /></ActionIcon>
            </div>
          ))}
          <Problem error={save.error} />
          <Group gap="xs">
            <Button type="submit" disabled={!changed || problems.some(Boolean)} loading={save.isPending} data-testid={ids.envSave}>Save and release</Button>
            <Button variant="default" leftSection={<IconPlus size={16} />} onClick={() => setRows([...rows, ['', '']])} data-testid={ids.envAdd}>Add a variable</Button>
          </Group>
        </Stack>
      </div>
    </form>
  );
}
