import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { get, seg } from '../../api/client';
import type { App, BuildEnd, LogRecord, Release } from '../../api/types';
import { clock } from '../../format/format';
import { plain } from '../../parts/plain';
import { Sentence } from '../../parts/Sentence';
import { LevelTag } from '../../parts/LevelTag';
import { IconExternalLink } from '../../theme/icons';
import { ids } from '../../testids';
import { appAddress } from '../session';
import { Checklist } from './Checklist';

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
      <Checklist app={app} />
      <h2 className="build-heading">Build log</h2>
    </>
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
