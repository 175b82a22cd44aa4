import { AppShell, Burger, Button, Drawer, Group, Menu, Select, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { get, rememberSession, session as calls } from '../api/client';
import type { App, Tenant } from '../api/types';
import { Brand } from '../parts/Brand';
import { PasswordDialog } from './access/PasswordDialog';
import { IconActivityHeartbeat, IconChevronDown, IconKey, IconLogout } from '../theme/icons';
import { ThemeSwitch } from '../theme/ThemeSwitch';
import { ids } from '../testids';
import { go, to, useRoute } from './route';
import { tick } from './pages/useTicks';
import { dashboardAddress, mayManage, useSession } from './session';

/** Header, navigation and the page below. */
export function Frame({ children }: { children: ReactNode }) {
  const session = useSession();
  const { parts, query } = useRoute();
  const [open, { toggle, close }] = useDisclosure();
  const app = parts[0] === 'apps' ? parts[1] : '';
  const queries = useQueryClient();
  const watched = () => {
    const known = app && queries.getQueryData<App>(['app', app]);
    if (known) tick(known, 'watch');
  };
  return (
    <AppShell header={{ height: 56 }} padding={0}>
      <a href="#content" className="skip" onClick={(e) => { e.preventDefault(); document.getElementById('content')?.focus(); }}>Skip to the content</a>
      <AppShell.Header className="head">
        <Group h="100%" px="md" gap="lg" wrap="nowrap" className="head-in">
          <Burger hiddenFrom="sm" size="sm" opened={open} onClick={toggle} aria-label="Menu" />
          <Brand href={to([])} />
          <Group component="nav" gap={4} visibleFrom="sm" aria-label="Main"><Links /></Group>
          <Group gap={6} ml="auto" wrap="nowrap">
            {session.role === 'operator' && <div className="head-tenant"><TenantPick /></div>}
            <Button
              component="a" href={dashboardAddress(session, app, query.get('tenant') ?? '')} target="_blank" rel="noopener" onClick={watched}
              variant="default" size="sm" leftSection={<IconActivityHeartbeat size={17} />} visibleFrom="xs"
            >
              Live
            </Button>
            <ThemeSwitch />
            <Person />
          </Group>
        </Group>
      </AppShell.Header>
      <Drawer opened={open} onClose={close} size="xs" title="Kurama" hiddenFrom="sm">
        <Stack gap="xs" onClick={close} component="nav" aria-label="Main"><Links /></Stack>
        {session.role === 'operator' && <Stack mt="md"><TenantPick /></Stack>}
        <Button mt="md" fullWidth component="a" href={dashboardAddress(session, app, query.get('tenant') ?? '')} onClick={watched} variant="default" leftSection={<IconActivityHeartbeat size={17} />}>Live dashboard</Button>
      </Drawer>
      <AppShell.Main id="content" tabIndex={-1} className="main">{children}</AppShell.Main>
    </AppShell>
  );
}

function Links() {
  const session = useSession();
  const { parts } = useRoute();
  const here = parts[0] ?? 'apps';
  const links: [string, string][] = [['apps', 'Apps']];
  if (mayManage(session)) links.push(['access', 'Access']);
  if (session.role === 'operator') links.push(['status', 'Status']);
  return links.map(([page, name]) => (
    <a key={page} href={to(page === 'apps' ? [] : [page])} className="nav" aria-current={here === page ? 'page' : undefined}>{name}</a>
  ));
}

function TenantPick() {
  const session = useSession();
  const { query } = useRoute();
  const { data } = useTenants();
  const here = query.get('tenant') || session.tenant;
  return (
    <Select
      aria-label="Tenant" size="sm" w="100%" searchable allowDeselect={false} value={here} checkIconPosition="right"
      data={[...new Set([here, ...(data ?? []).map((t) => t.name)])]}
      onChange={(name) => name && go([], { tenant: name })}
      onClick={(e) => e.stopPropagation()}
    />
  );
}

export function useTenants() {
  return useQuery({ queryKey: ['tenants'], queryFn: async () => (await get<{ tenants: Tenant[] | null }>('/tenants')).tenants ?? [] });
}

function Person() {
  const session = useSession();
  const queries = useQueryClient();
  const leave = async () => {
    try {
      await calls.signOut();
    } finally {
      rememberSession(null);
      queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' });
      queries.setQueryData(['session'], null);
    }
  };
  const [changing, password] = useDisclosure();
  return (
    <>
      <PasswordDialog opened={changing} onClose={password.close} />
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Button variant="subtle" color="gray" size="sm" px={8} rightSection={<IconChevronDown size={14} />} className="head-person">{session.user}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{session.role} of {session.tenant}</Menu.Label>
          <Menu.Item leftSection={<IconKey size={16} />} onClick={password.open}>Change the password…</Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={leave} data-testid={ids.signOut}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
