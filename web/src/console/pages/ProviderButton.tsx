import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { get, post } from '../../api/client';
import { Problem } from '../../parts/Said';
import { useRoute } from '../route';

interface Provider { enabled: boolean; name?: string; start?: string }

/** Leads to the OpenID Connect provider, where one is configured; says what came of it when it went wrong. */
export function ProviderButton({ invitation }: { invitation?: string }) {
  const { query } = useRoute();
  const { data } = useQuery({ queryKey: ['provider'], queryFn: ({ signal }) => get<Provider>('/oidc', {}, signal), staleTime: Infinity, retry: false });
  const join = useMutation({
    mutationFn: () => post<{ location: string }>('/oidc/start', { invitation }),
    onSuccess: ({ location: to }) => window.location.assign(to),
  });
  return (
    <>
      <Problem error={join.error ?? query.get('sign-in-error')} />
      {data?.enabled && data.start && (invitation
        ? <Button variant="default" fullWidth loading={join.isPending || join.isSuccess} onClick={() => join.mutate()}>Join with {data.name}</Button>
        : <Button component="a" variant="default" fullWidth href={data.start}>Sign in with {data.name}</Button>)}
    </>
  );
}
