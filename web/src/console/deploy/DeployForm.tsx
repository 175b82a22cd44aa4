import { Button, Group, Progress, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { requestTenant } from '../../api/client';
import { bytes, plural } from '../../format/format';
import { Problem } from '../../parts/Said';
import { IconFileCode, IconFileZip, IconFolder } from '../../theme/icons';
import { ids } from '../../testids';
import { go } from '../route';
import { useApps, useSession } from '../session';
import type { Bundle } from './collect';
import { nameProblem } from './name';
import { upload } from './upload';

/** Names the app, sends it, and goes on to the release's page with its build log. */
export function DeployForm({ bundle, app, onCancel }: { bundle: Bundle; app?: string; onCancel: () => void }) {
  const session = useSession();
  const queries = useQueryClient();
  const apps = useApps();
  const [name, setName] = useState(app ?? bundle.name);
  const [sent, setSent] = useState(0);
  const send = useMutation({
    mutationFn: () => upload(name, bundle, setSent),
    onSuccess: (release) => {
      void queries.invalidateQueries({ queryKey: ['apps'] });
      void queries.invalidateQueries({ queryKey: ['app', name] });
      go(['apps', name, 'releases', release.number]);
    },
  });
  const problem = nameProblem(name);
  const known = apps.data?.some((a) => a.name === name);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!problem) send.mutate();
  };
  return (
    <form className="panel deploy-form" onSubmit={submit}>
      <Stack gap="md">
        <Group gap="sm" wrap="nowrap">
          <BundleIcon bundle={bundle} />
          <div className="min0">
            <Text fw={600} className="ellipsis">{bundle.form === 'folder' ? bundle.folder : bundle.file.name}</Text>
            <Text size="sm" c="dimmed">{describe(bundle)}</Text>
          </div>
        </Group>
        {!app && (
          <TextInput
            label="App name" value={name} onChange={(e) => setName(e.currentTarget.value)} error={problem} autoFocus disabled={send.isPending}
            description={problem ? null : known ? `${name} exists: this becomes its next release.` : `Its address will be http://${name || 'app'}.${host(session, requestTenant())}`}
            maw={460} data-testid={ids.appName} spellCheck={false} autoCapitalize="none" autoComplete="off"
          />
        )}
        {send.isPending && (
          <div data-testid={ids.uploadProgress}>
            <Progress value={sent * 100} aria-label="Upload progress" />
            <Text size="sm" c="dimmed" mt={4}>{sent < 1 ? `${Math.floor(sent * 100)} % of ${bytes(bundle.bytes)} sent` : 'Sent. Kurama is checking it…'}</Text>
          </div>
        )}
        <Problem error={send.error} />
        <Group gap="xs">
          <Button type="submit" loading={send.isPending} disabled={problem != null} data-testid={ids.deployButton} autoFocus={!!app}>Deploy</Button>
          <Button variant="subtle" color="gray" onClick={onCancel} disabled={send.isPending}>Cancel</Button>
        </Group>
      </Stack>
    </form>
  );
}

function host(s: { tenant: string; domain: string; router_port: number }, of: string): string {
  const name = of || s.tenant;
  const tenant = name === 'default' ? '' : `${name}.`;
  return `${tenant}${s.domain}${s.router_port === 80 ? '' : `:${s.router_port}`}`;
}

function describe(b: Bundle): string {
  if (b.form === 'archive') return bytes(b.bytes);
  const left = b.left.length > 0 ? `; left out: ${b.left.sort().join(', ')}` : '';
  return `${plural(b.parts.length, 'file')}, ${bytes(b.bytes)}${left}`;
}

function BundleIcon({ bundle }: { bundle: Bundle }) {
  const Icon = bundle.form === 'folder' ? IconFolder : bundle.type === 'text/x-python' ? IconFileCode : IconFileZip;
  return <Icon size={32} stroke={1.4} className="tone-idle" aria-hidden />;
}
