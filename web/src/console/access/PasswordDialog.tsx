import { Button, Modal, PasswordInput, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { put } from '../../api/client';
import { Problem } from '../../parts/Said';
import { say } from '../useAppActions';

/** A new password for whoever is signed in. */
export function PasswordDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => put('/session/password', { old, new: next }),
    onSuccess: () => {
      setOld('');
      setNext('');
      say('The password is changed. Where you were signed in elsewhere, you no longer are.');
      onClose();
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title="Change the password">
      <form onSubmit={(e) => { e.preventDefault(); change.mutate(); }}>
        <Stack>
          <PasswordInput label="Present password" required autoComplete="current-password" value={old} onChange={(e) => setOld(e.currentTarget.value)} data-autofocus />
          <PasswordInput label="New password" required autoComplete="new-password" value={next} onChange={(e) => setNext(e.currentTarget.value)} />
          <Problem error={change.error} />
          <Button type="submit" loading={change.isPending}>Change</Button>
        </Stack>
      </form>
    </Modal>
  );
}
