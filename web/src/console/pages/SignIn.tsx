import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { rememberSession, session } from '../../api/client';
import { Problem } from '../../parts/Said';
import { FoxMark } from '../../theme/FoxMark';
import { ThemeSwitch } from '../../theme/ThemeSwitch';
import { ids } from '../../testids';
import { ProviderButton } from './ProviderButton';

export function SignIn({ next }: { next: string }) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const enter = useMutation({
    mutationFn: () => session.signIn(name.trim(), password),
    onSuccess: (s) => {
      rememberSession(s);
      queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' });
      queries.setQueryData(['session'], s);
      if (isOurs(next)) window.location.assign(next);
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    enter.mutate();
  };
  return (
    <main className="sign-in">
      <form onSubmit={submit} className="panel sign-in-form">
        <Stack gap="md">
          <div className="sign-in-mark"><FoxMark size={64} /></div>
          <div>
            <Title order={1} size={22} ta="center">Sign in to Kurama</Title>
            <Text size="sm" c="dimmed" ta="center" mt={4}>Drop a Flask app, get an address, watch it live.</Text>
          </div>
          <TextInput label="Name" autoComplete="username" autoFocus required value={name} onChange={(e) => setName(e.currentTarget.value)} data-testid={ids.signInName} />
          <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} data-testid={ids.signInPassword} />
          <Problem error={enter.error} />
          <Button type="submit" loading={enter.isPending} fullWidth data-testid={ids.signInButton}>Sign in</Button>
          <ProviderButton />
          <Text size="xs" c="dimmed">
            The first administrator's name and password were printed when Kurama started, and are kept in <span className="mono">admin.password</span> in its data folder.
          </Text>
        </Stack>
      </form>
      <div className="sign-in-theme"><ThemeSwitch /></div>
    </main>
  );
}

/** Only addresses on this host: a sign-in form must not lead elsewhere. */
function isOurs(address: string): boolean {
  try {
    const url = new URL(address);
    return /^https?:$/.test(url.protocol) && url.hostname === location.hostname;
  } catch {
    return false;
  }
}
