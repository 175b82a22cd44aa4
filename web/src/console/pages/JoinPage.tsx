import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { post, rememberSession } from '../../api/client';
import type { InvitationPreview } from '../../api/schema';
import type { Session } from '../../api/types';
import { Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { FoxMark } from '../../theme/FoxMark';
import { ids } from '../../testids';
import { go, to } from '../route';
import { ProviderButton } from './ProviderButton';

const MAY: Record<string, string> = {
  viewer: 'look at its apps',
  developer: 'deploy and look after its apps',
  owner: 'deploy its apps and manage who else may',
  operator: 'look after the whole platform',
};

/** Where an invitation's link leads: it says what it is for and takes a name and a password. */
export function JoinPage({ secret }: { secret: string }) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const invitation = useQuery({ queryKey: ['invitation', secret], queryFn: () => post<InvitationPreview>('/invitation', { secret }), retry: false, staleTime: Infinity });
  const accept = useMutation({
    mutationFn: () => post<Session>('/invitation/accept', { secret, name: name.trim(), password }),
    onSuccess: (s) => {
      rememberSession(s);
      queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' });
      queries.setQueryData(['session'], s);
      go([]);
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    accept.mutate();
  };
  const { data } = invitation;
  return (
    <main className="sign-in">
      <form onSubmit={submit} className="panel sign-in-form">
        <Stack gap="md">
          <div className="sign-in-mark"><FoxMark size={64} /></div>
          {invitation.isPending && <Waiting />}
          {invitation.error && (
            <>
              <Title order={1} size={22} ta="center">This invitation does not open</Title>
              <Problem error={invitation.error} />
              <Text size="sm" c="dimmed" ta="center">Ask whoever sent it for another, or <a href={to([])}>sign in</a> if you have an account.</Text>
            </>
          )}
          {data && (
            <>
              <div>
                <Title order={1} size={22} ta="center">Join {data.tenant}</Title>
                <Text size="sm" c="dimmed" ta="center" mt={4}>{data.invited_by} invites you to {MAY[data.role] ?? `be its ${data.role}`}. The invitation ends <TimeAgo at={data.expires_at} />.</Text>
              </div>
              <TextInput label="Name to sign in with" autoComplete="username" autoFocus required value={name} onChange={(e) => setName(e.currentTarget.value)} data-testid={ids.signInName} />
              <PasswordInput label="Password" autoComplete="new-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} data-testid={ids.signInPassword} />
              <Problem error={accept.error} />
              <Button type="submit" loading={accept.isPending} fullWidth data-testid={ids.signInButton}>Join</Button>
              <ProviderButton invitation={secret} />
            </>
          )}
        </Stack>
      </form>
    </main>
  );
}
