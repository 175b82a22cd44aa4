import { ActionIcon, Button, Group, Menu, Modal, NumberInput, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import type { App } from '../api/types';
import { IconDots, IconRefresh, IconScale, IconTrash } from '../theme/icons';
import { DeleteForm } from './DeleteForm';
import { useAppActions } from './useAppActions';

/** Restart, scale and delete, from the list of apps. */
export function AppMenu({ app }: { app: App }) {
  const { restart } = useAppActions(app.name);
  const [scaling, scale] = useDisclosure();
  const [deleting, remove] = useDisclosure();
  return (
    <>
      <Menu position="bottom-end" width={180}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions on ${app.name}`}><IconDots size={18} /></ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconRefresh size={16} />} onClick={() => restart.mutate()} disabled={app.release === 0}>Restart</Menu.Item>
          <Menu.Item leftSection={<IconScale size={16} />} onClick={scale.open}>Scale…</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={remove.open}>Delete…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ScaleDialog app={app} opened={scaling} onClose={scale.close} />
      <Modal opened={deleting} onClose={remove.close} title={`Delete ${app.name}`}>
        <DeleteForm app={app.name} onDone={remove.close} />
      </Modal>
    </>
  );
}

export function ScaleDialog({ app, opened, onClose }: { app: App; opened: boolean; onClose: () => void }) {
  const { scale } = useAppActions(app.name);
  const [n, setN] = useState<number | string>(app.desired);
  return (
    <Modal opened={opened} onClose={onClose} title={`Scale ${app.name}`}>
      <form onSubmit={(e) => { e.preventDefault(); scale.mutate(Number(n), { onSuccess: onClose }); }}>
        <Stack>
          <NumberInput
            label="Replicas" min={0} max={50} value={n} onChange={setN} data-autofocus
            description="0 stops the app. The autoscaler goes on from this number, within the bounds of its policy."
          />
          <Group><Button type="submit" loading={scale.isPending} disabled={n === ''}>Scale</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}
