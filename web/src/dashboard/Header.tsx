import { ActionIcon, Button, NativeSelect, Select, SegmentedControl, Tooltip } from '@mantine/core';
import { useFullscreenElement } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, type RefObject } from 'react';
import type { Session } from '../api/types';
import { Brand } from '../parts/Brand';
import { ids } from '../testids';
import { IconArrowsMaximize, IconArrowsMinimize } from '../theme/icons';
import { ThemeSwitch } from '../theme/ThemeSwitch';
import { ConnectionBadge } from './ConnectionBadge';
import { consoleAddress, isShared, liveApi } from './session';
import { placeHash, type Place } from './place';
import { useFeed } from './useLive';
import { SPANS, useMoves } from './view';

const spans = SPANS.map((s) => ({ value: String(s.span), label: s.label }));

interface Props { session: Session; place: Place; root: RefObject<HTMLDivElement | null> }

export function Header({ session, place, root }: Props) {
  const { view: v } = useFeed();
  const view = useMoves(v);
  const tenant = place.tenant && place.tenant !== session.tenant ? place.tenant : '';
  const { data } = useQuery({ queryKey: ['live-apps', tenant], queryFn: () => appNames(tenant), refetchInterval: 10000 });
  const { ref, toggle, fullscreen } = useFullscreenElement();
  useEffect(() => ref(root.current), [ref, root]);
  const names = [...new Set([...(place.app ? [place.app] : []), ...(data ?? [])])];
  const console = consoleAddress(`#/${place.app ? `apps/${encodeURIComponent(place.app)}` : ''}${tenant ? `?tenant=${encodeURIComponent(tenant)}` : ''}`);
  return (
    <header className="live-head">
      <Brand href={isShared() ? placeHash(place) : placeHash({ app: '', tenant })} />
      {isShared() ? <><b>{place.app}</b><span className="label">shared with you, to look at</span></> : (
        <Select
          aria-label="App" className="live-pick" searchable allowDeselect={false} value={place.app} limit={200} nothingFoundMessage="No such app"
          data={[{ value: '', label: 'All apps' }, ...names]} onChange={(app) => { location.hash = placeHash({ app: app ?? '', tenant }); }}
          data-testid={ids.appPicker}
        />
      )}
      {tenant && <span className="label">tenant {tenant}</span>}
      <ConnectionBadge />
      <div className="live-head-end">
        <SegmentedControl size="xs" visibleFrom="sm" data={spans} value={String(view.span)} onChange={(s) => view.setSpan(Number(s))} aria-label="Time shown" />
        <NativeSelect size="xs" hiddenFrom="sm" data={spans} value={String(view.span)} onChange={(e) => view.setSpan(Number(e.currentTarget.value))} aria-label="Time shown" />
        {!isShared() && <Button component="a" href={console} variant="default" size="xs">Console</Button>}
        <Tooltip label={fullscreen ? 'Leave full screen' : 'Full screen'}>
          <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => void toggle()} aria-label={fullscreen ? 'Leave full screen' : 'Full screen'}>
            {fullscreen ? <IconArrowsMinimize size={18} /> : <IconArrowsMaximize size={18} />}
          </ActionIcon>
        </Tooltip>
        <ThemeSwitch />
      </div>
    </header>
  );
}

async function appNames(tenant: string): Promise<string[]> {
  const answer = await fetch(liveApi('/api/apps', tenant ? { tenant } : {}));
  if (!answer.ok) throw new Error(`The dashboard answered with status ${answer.status}.`);
  return ((await answer.json()) as { apps: string[] | null }).apps ?? [];
}
