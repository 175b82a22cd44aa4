import { Button, Group } from '@mantine/core';
import { useState } from 'react';

/** Removes after a second click; what is removed cannot be had back. */
export function RemoveButton({ what, onRemove, disabled }: { what: string; onRemove: () => void; disabled?: boolean }) {
  const [sure, setSure] = useState(false);
  if (!sure) return <Button size="compact-sm" variant="subtle" color="gray" disabled={disabled} onClick={() => setSure(true)} aria-label={`Delete ${what}`}>Delete</Button>;
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      <Button size="compact-sm" color="red" onClick={onRemove} autoFocus>Delete {what}</Button>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setSure(false)}>Keep</Button>
    </Group>
  );
}
