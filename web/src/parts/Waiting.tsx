import { Center, Loader } from '@mantine/core';

/** In place of what is on its way. */
export function Waiting() {
  return <Center p="xl"><Loader size="sm" color="gray" role="status" aria-label="Loading" /></Center>;
}
