import { MantineProvider } from '@mantine/core';
import { hashKey, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiError, requestTenant } from '../api/client';
import { theme, variables } from './theme';
import './kurama.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What is cached belongs to the tenant that is looked at, but for what is about the caller.
      queryKeyHashFn: (key) => (key[0] === 'session' || key[0] === 'tenants' ? '' : requestTenant()) + hashKey(key),
      // A refusal is an answer: only a broken connection is worth a second try.
      retry: (count, error) => count < 2 && !(error instanceof ApiError),
    },
  },
});

export { queries };

/** What both pages share: the theme, light and dark, and the query cache. */
export function Root({ children }: { children: ReactNode }) {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </MantineProvider>
  );
}
