import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ids } from '../testids';
import { go } from './route';
import { useAppActions } from './useAppActions';

/** Deletes an app once its name was typed. */
export function DeleteForm({ app, onDone }: { app: string; onDone?: () => void }) {
  const { remove } = useAppActions(app);
  const [typed, setTyped] = useState('');
  return (
    <form onSubmit={(e) => { e.preventDefault(); remove.mutate(undefined, { onSuccess: () => { onDone?.(); go(['apps']); } }); }}>
      <Stack>
        <Text size="sm">
          Its replicas stop, and its releases, settings, alerts and records are deleted. What you downloaded stays yours. This cannot be undone.
        </Text>
        <TextInput label={<>Type <b>{app}</b> to go on</>} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" spellCheck={false} maw={360} data-testid={ids.deleteName} />
        <div><Button type="submit" color="red" disabled={typed !== app} loading={remove.isPending} data-testid={ids.deleteButton}>Delete {app}</Button></div>
      </Stack>
    </form>
  );
}
