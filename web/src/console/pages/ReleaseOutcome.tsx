import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { get, seg } from '../../api/client';
import type { App, BuildEnd, LogRecord, Release } from '../../api/types';
import { clock } from '../../format/format';
import { plain } from '../../parts/plain';
import { Sentence } from '../../parts/Sentence';
import { LevelTag } from '../../parts/LevelTag';
import { IconActivityHeartbeat, IconArchive, IconBell, IconExternalLink, IconTerminal2 } from '../../theme/icons';
import { ids } from '../../testids';
import { to, useRoute } from '../route';
import { appAddress, dashboardAddress, useSession } from '../session';

/** What came of a release: the address as a big link, or why it failed. */
export function ReleaseOutcome({ app, release, end }: { app: App; release?: Release; end: BuildEnd | null }) {
  const state = end?.state ?? release?.state;
  if (state === 'failed') return <Failed app={app.name} reason={end?.reason || release?.reason || ''} release={release} />;
  // Once superseded, the address leads to another release: then it is not this page's news.
  if (state !== 'live' || release?.state === 'superseded') return null;
  const address = appAddress(end?.address || app.address);
  return (
    <>
      <div className="panel address-panel">
        <div className="min0">
          <div className="label">{app.name} is live at</div>
          <a className="address" href={address} target="_blank" rel="noopener noreferrer" data-testid={ids.appAddress}>{address}</a>
        </div>
        <div className="page-head-end">
          <Button component="a" href={address} target="_blank" rel="noopener noreferrer" rightSection={<IconExternalLink size={17} />}>Open the app</Button>
        </div>
      </div>
      <Next app={app.name} />
      <h2 className="build-heading">Build log</h2>
    </>
  );
}

function Next({ app }: { app: string }) {
  const session = useSession();
  const { query } = useRoute();
  return (
    <nav className="next gap-top" aria-label="What to do next">
      <NextLink href={dashboardAddress(session, app, query.get('tenant') ?? '')} outside icon={<IconActivityHeartbeat size={18} />} title="Watch it live">Requests, latency, CPU and logs as they happen.</NextLink>
      <NextLink href={to(['apps', app, 'alerts'])} icon={<IconBell size={18} />} title="Set an alert">A mail when a condition holds.</NextLink>
      <NextLink href={to(['apps', app, 'archive'])} icon={<IconArchive size={18} />} title="Take the archive">All records as JSON.</NextLink>
      <div className="panel panel-pad">
        <b className="next-title"><IconTerminal2 size={18} /> Send it traffic</b>
        <span className="mono">kurama reqsim --app {app}</span>
      </div>
    </nav>
  );
}

function NextLink({ href, outside, icon, title, children }: { href: string; outside?: boolean; icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <a className="panel" href={href} {...(outside ? { target: '_blank', rel: 'noopener' } : {})}>
      <b>{icon}{title}</b>
      <span>{children}</span>
    </a>
  );
}

function Failed({ app, reason, release }: { app: string; reason: string; release?: Release }) {
  const from = release?.created_at;
  const { data } = useQuery({
    queryKey: ['app', app, 'last-lines', release?.number],
    enabled: !!release,
    queryFn: async ({ signal }) => {
      const { records } = await get<{ records: LogRecord[] | null }>(`/apps/${seg(app)}/logs`, { from, kind: 'log', limit: 200 }, signal);
      return (records ?? []).filter((r) => r.release === release?.number).slice(0, 20).reverse();
    },
  });
  return (
    <div className="panel failed-panel" data-testid={ids.deployFailed} role="alert">
      <h2>Release {release?.number} failed</h2>
      <p><Sentence>{reason || 'The build log below says where.'}</Sentence></p>
      {data && data.length > 0 && (
        <>
          <div className="label gap-top">The last lines of the app</div>
          <div className="mono last-lines" tabIndex={0} role="log" aria-label="The last lines of the app">
            {data.map((r) => <div key={r.id}><span className="dim">{clock(r.ts, false)}</span> <LevelTag level={r.level} /> {plain(r.msg ?? '')}{r.exc ? `\n${plain(r.exc)}` : ''}</div>)}
          </div>
        </>
      )}
    </div>
  );
}
