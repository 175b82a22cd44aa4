import { Button, Group, NumberInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { del, post, put, seg } from '../../api/client';
import type { App } from '../../api/types';
import { ids } from '../../testids';
import { say } from '../useAppActions';

/** What can be done with a canary: another share of the clients, all of them, or none. */
export function CanaryActions({ app, release }: { app: App; release: number }) {
  const now = app.canary?.share ?? 0;
  const [share, setShare] = useState<number | string>(now);
  const queries = useQueryClient();
  const path = `/apps/${seg(app.name)}/canary`;
  const act = useMutation({
    mutationFn: ([how]: [how: () => Promise<unknown>, said: string]) => how(),
    onSuccess: (_, [, said]) => say(said),
    onError: (err) => say(err.message, true),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['app', app.name] }),
  });
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap" data-testid={ids.canary}>
      <NumberInput size="xs" w={84} aria-label="Share of the clients" suffix=" %" min={1} max={99} value={share} onChange={setShare} />
      {share !== now && share !== '' && (
        <Button size="compact-sm" variant="default" loading={act.isPending} onClick={() => act.mutate([() => put(path, { share }), `Release ${release} gets ${share} % of the clients.`])}>Set</Button>
      )}
      <Button size="compact-sm" loading={act.isPending} onClick={() => act.mutate([() => post(`${path}/promote`), `Release ${release} is on its way to all clients.`])} data-testid={ids.canaryPromote}>Promote</Button>
      <Button size="compact-sm" variant="default" loading={act.isPending} onClick={() => act.mutate([() => del(path), `Release ${release} gets no more requests.`])} data-testid={ids.canaryEnd}>End</Button>
    </Group>
  );
}
