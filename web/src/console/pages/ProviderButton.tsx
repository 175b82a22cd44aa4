import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { get } from '../../api/client';
import { Problem } from '../../parts/Said';
import { useRoute } from '../route';

interface Provider { enabled: boolean; name?: string; start?: string }

/** Leads to the OpenID Connect provider, where one is configured; says what came of it when it went wrong. */
export function ProviderButton({ invitation }: { invitation?: string }) {
  const { query } = useRoute();
  const { data } = useQuery({ queryKey: ['provider'], queryFn: ({ signal }) => get<Provider>('/oidc', {}, signal), staleTime: Infinity, retry: false });
  return (
    <>
      <Problem error={query.get('sign-in-error')} />
      {data?.enabled && data.start && <Button component="a" variant="default" fullWidth href={data.start + (invitation ? `?invitation=${encodeURIComponent(invitation)}` : '')}>Sign in with {data.name}</Button>}
    </>
  );
}
