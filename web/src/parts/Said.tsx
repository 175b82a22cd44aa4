import { Alert } from '@mantine/core';
import type { ReactNode } from 'react';
import { Sentence } from './Sentence';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '../theme/icons';

/** An error as the API said it. Nothing when there is none. */
export function Problem({ error, testid }: { error: unknown; testid?: string }) {
  if (!error) return null;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} role="alert" data-testid={testid} className="said">
      <Sentence>{error instanceof Error ? error.message : String(error)}</Sentence>
    </Alert>
  );
}

/** A sentence about what went well, or how things are. */
export function Note({ children, good }: { children: ReactNode; good?: boolean }) {
  if (!children) return null;
  return (
    <Alert color={good ? 'green' : 'gray'} variant="light" icon={good ? <IconCircleCheck size={18} /> : <IconInfoCircle size={18} />} role="status" className="said">
      {children}
    </Alert>
  );
}
