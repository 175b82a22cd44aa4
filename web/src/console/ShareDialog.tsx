import { Button, Code, CopyButton, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../api/client';
import type { Token } from '../api/types';
import { Note, Problem } from '../parts/Said';
import { TimeAgo } from '../parts/TimeAgo';
import { ids } from '../testids';
import { to } from './route';
import { dashboardAddress, useSession } from './session';

const HOUR = 3600;
const AGES = [{ value: String(HOUR), label: '1 hour' }, { value: String(24 * HOUR), label: '1 day' }, { value: String(7 * 24 * HOUR), label: '7 days' }, { value: String(30 * 24 * HOUR), label: '30 days' }];

/** Makes a link to the live view of one app that needs no account and ends by itself. */
export function ShareDialog({ app, opened, onClose }: { app: string; opened: boolean; onClose: () => void }) {
  const session = useSession();
  const queries = useQueryClient();
  const [age, setAge] = useState(AGES[1]!.value);
  const make = useMutation({
    mutationFn: () => post<Token>('/tokens', { name: `link to the live view of ${app}`, role: 'viewer', scopes: ['live'], app, expires_in: Number(age) }),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  const link = make.data?.token ? `${dashboardAddress(session, app)}?share=${encodeURIComponent(make.data.token)}` : '';
  return (
    <Modal opened={opened} onClose={onClose} title={`Share the live view of ${app}`}>
      <Stack>
        <Text size="sm">Whoever has the link sees this app's charts, events and log lines as they come, without an account, and can change nothing.</Text>
        <Group align="end">
          <Select label="Valid for" data={AGES} value={age} onChange={(v) => v && setAge(v)} allowDeselect={false} w={140} />
          <Button onClick={() => make.mutate()} loading={make.isPending} data-testid={ids.shareMake}>Make a link</Button>
        </Group>
        <Problem error={make.error} />
        {link && (
          <Note good>
            It ends {make.data?.expires_at ? <TimeAgo at={make.data.expires_at} /> : 'when it is deleted'}, or when you delete it among the <a className="in-text" href={to(['access', 'tokens'])}>tokens</a>. It is shown this once.
            <Group gap="xs" mt={8}><Code className="wrap" data-testid={ids.shareLink}>{link}</Code><CopyButton value={link}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}</CopyButton></Group>
          </Note>
        )}
      </Stack>
    </Modal>
  );
}
