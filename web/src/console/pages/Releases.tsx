import { Button, Table, TagsInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Fragment, useEffect } from 'react';
import { get, post, put, seg } from '../../api/client';
import type { ReleaseChanges, ReleaseReceivers } from '../../api/schema';
import type { App, Release } from '../../api/types';
import { bytes, plural } from '../../format/format';
import { Problem } from '../../parts/Said';
import { Sentence } from '../../parts/Sentence';
import { StatusTag } from '../../parts/StatusTag';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { ids } from '../../testids';
import { IconArrowBackUp } from '../../theme/icons';
import { Waiting } from '../../parts/Waiting';
import { BuildLog } from '../deploy/BuildLog';
import { useBuildLog } from '../deploy/useBuildLog';
import { quoted } from '../logs/curl';
import { go, to } from '../route';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';
import { CanaryActions } from './CanaryActions';
import { changesOf } from './changes';
import { AutoRollback } from './AutoRollback';
import { ReleaseFigures } from './ReleaseFigures';
import { ReleaseOutcome } from './ReleaseOutcome';
import { stateOf, untilServed } from './shown';

const isMoving = (r: Release) => r.state === 'building' || r.state === 'starting';

function useReleases(app: string) {
  return useQuery({
    queryKey: ['app', app, 'releases'],
    queryFn: async ({ signal }) => (await get<{ releases: Release[] | null }>(`/apps/${seg(app)}/releases`, {}, signal)).releases ?? [],
    refetchInterval: (q) => (q.state.data?.some(isMoving) ? 1000 : 5000),
  });
}

export function Releases({ app }: { app: App }) {
  const session = useSession();
  const { data, error, isPending, refetch } = useReleases(app.name);
  useEffect(() => { void refetch(); }, [refetch, app.release, app.canary?.release, app.canary?.share]); // the app is asked for more often
  if (isPending) return <Waiting />;
  if (!data) return <Problem error={error} />;
  if (data.length === 0) return <div className="panel empty"><b>No release yet</b>Drop the app on its overview to make the first.</div>;
  return (
    <>
    <TableBox label="Releases" className="panel">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th className="num">Release</Table.Th><Table.Th>State</Table.Th><Table.Th>Made</Table.Th><Table.Th className="num" title="Until its first requests; of a canary, until it was one">Until served</Table.Th><Table.Th>By</Table.Th><Table.Th>Source</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.map((r) => (
            <Table.Tr key={r.number}>
              <Table.Td className="num"><a className="app-name" href={to(['apps', app.name, 'releases', r.number])}>{r.number}</a></Table.Td>
              <Table.Td><StatusTag state={stateOf(r, app)} word={stateOf(r, app) === 'canary' ? `Canary, ${app.canary?.share} %` : undefined} />{(r.reason || r.rolled_back) && <div className="reason clamp"><Sentence>{r.reason || r.rolled_back}</Sentence></div>}</Table.Td>
              <Table.Td><TimeAgo at={r.created_at} /></Table.Td>
              <Table.Td className="num">{untilServed(r)}</Table.Td>
              <Table.Td>{r.created_by}{r.rollback_of ? <span className="dim"> · rollback to {r.rollback_of}</span> : null}</Table.Td>
              <Table.Td className={r.commit ? undefined : 'mono dim'} title={r.source_digest}>{r.commit ?? r.source_digest.replace(/^sha256:/, '').slice(0, 10)}</Table.Td>
              <Table.Td className="num">{mayWrite(session) && <Action app={app} release={r} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </TableBox>
    {mayWrite(session) && <><Receivers app={app.name} /><AutoRollback app={app.name} /></>}
    </>
  );
}

/** Who is told when a release is live or has failed. */
function Receivers({ app }: { app: string }) {
  const queries = useQueryClient();
  const key = ['app', app, 'release-receivers'];
  const { data } = useQuery({ queryKey: key, queryFn: ({ signal }) => get<ReleaseReceivers>(`/apps/${seg(app)}/release-receivers`, {}, signal), refetchOnWindowFocus: false });
  const save = useMutation({
    mutationFn: (receivers: string[]) => put<ReleaseReceivers>(`/apps/${seg(app)}/release-receivers`, { receivers }),
    onSuccess: (saved) => queries.setQueryData(key, saved),
    onError: (err) => say(err.message, true),
  });
  if (!data) return null;
  return (
    <div className="panel panel-pad gap-top">
      <h2 className="panel-title">Tell of releases</h2>
      <p className="hint">A message each time one is live, has failed or is taken back, to an e-mail address or a webhook: https://… gets JSON, slack:https://… Slack's form.</p>
      <TagsInput aria-label="Receivers" placeholder="https://ci.example.org/hook, then Enter" value={data.receivers ?? []} onChange={(list) => save.mutate(list)} acceptValueOnBlur disabled={save.isPending} data-testid={ids.releaseReceivers} />
    </div>
  );
}

/** What can be done with a release: end its deploy, or go back to it. */
function Action({ app, release }: { app: App; release: Release }) {
  if (isMoving(release)) return <Cancel app={app.name} release={release.number} />;
  const state = stateOf(release, app);
  if (state === 'canary') return <CanaryActions app={app} release={release.number} />;
  return state === 'superseded' ? <Rollback app={app.name} release={release.number} /> : null;
}

function Cancel({ app, release }: { app: string; release: number }) {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => post<Release>(`/apps/${seg(app)}/releases/${release}/cancel`),
    onSuccess: (r) => say(r.state === 'failed' ? `Release ${release} is cancelled; what was live before serves on.` : `Release ${release} went live before it could be cancelled.`),
    onError: (err) => say(err.message, true),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['app', app] }),
  });
  return <Button size="compact-sm" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()} data-testid={ids.cancelDeploy}>Cancel</Button>;
}

function Rollback({ app, release }: { app: string; release: number }) {
  const queries = useQueryClient();
  const back = useMutation({
    mutationFn: () => post<Release>(`/apps/${seg(app)}/rollback`, { release }),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['app', app] });
      go(['apps', app, 'releases', made.number]);
    },
    onError: (err) => say(err.message, true),
  });
  return (
    <Button size="compact-sm" variant="default" leftSection={<IconArrowBackUp size={15} />} loading={back.isPending} onClick={() => back.mutate()}>
      Roll back to {release}
    </Button>
  );
}

/** One release: its build log, live while it runs, and what came of it. */
export function ReleasePage({ app, number }: { app: App; number: number }) {
  const session = useSession();
  const { lines, end, error } = useBuildLog(app.name, number);
  const { data: release } = useQuery({
    queryKey: ['app', app.name, 'release', number],
    queryFn: ({ signal }) => get<Release>(`/apps/${seg(app.name)}/releases/${number}`, {}, signal),
    refetchInterval: (q) => (!q.state.data || isMoving(q.state.data) ? 1000 : 10000),
  });
  const state = release?.state ?? end?.state;
  return (
    <>
      <div className="page-head">
        <h1 className="release-title">Release {number}</h1>
        {state && <StatusTag state={release ? stateOf(release, app) : state} />}
        {release && <span className="dim">made <TimeAgo at={release.created_at} /> by {release.created_by}{release.commit ? `, ${release.commit}` : ''}{release.rollback_of ? `, a rollback to ${release.rollback_of}` : ''}</span>}
        {mayWrite(session) && release && <div className="page-head-end"><Action app={app} release={release} /></div>}
      </div>
      {release?.rolled_back && <div className="panel failed-panel gap-bottom" role="alert"><h2>Release {number} was clearly worse</h2><p><Sentence>{release.rolled_back}</Sentence></p></div>}
      <ReleaseOutcome app={app} release={release} end={end} />
      <BuildLog lines={lines} end={end} made={release?.created_at} />
      <div className="gap-top"><Problem error={error} /></div>
      {release?.start?.command?.length ? <><ReleaseFigures app={app.name} release={release} /><Changes app={app.name} release={release} /><Settings release={release} /></> : null}
    </>
  );
}

/** What is different from the release that was live before. */
function Changes({ app, release }: { app: string; release: Release }) {
  const { data } = useReleases(app);
  const before = data?.find((r) => r.number < release.number && r.live_at);
  const { data: inside } = useQuery({
    queryKey: ['app', app, 'changes', release.number],
    queryFn: ({ signal }) => get<ReleaseChanges>(`/apps/${seg(app)}/releases/${release.number}/changes`, {}, signal),
    retry: false,
    staleTime: Infinity,
    enabled: before != null,
  });
  if (!before) return null;
  const changes = changesOf(before, release);
  return (
    <section className="section">
      <h2>What changed</h2>
      <p className="hint">Against <a href={to(['apps', app, 'releases', before.number])}>release {before.number}</a>, the one that was live before.</p>
      <TableBox label="What changed" className="panel">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>What</Table.Th><Table.Th>Release {before.number}</Table.Th><Table.Th>Release {release.number}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {changes.map(([what, was, is]) => <Table.Tr key={what}><Table.Td>{what}</Table.Td><Table.Td className="diff-was">{was}</Table.Td><Table.Td className="diff-is">{is}</Table.Td></Table.Tr>)}
            {inside && <Inside changes={inside} />}
            {changes.length === 0 && !(inside?.settings && [...inside.settings.added ?? [], ...inside.settings.changed ?? [], ...inside.settings.removed ?? []].length) && <Table.Tr><Table.Td colSpan={3} className="dim">The same source, dependencies and settings.</Table.Td></Table.Tr>}
          </Table.Tbody>
        </Table>
      </TableBox>
    </section>
  );
}

/** Files and settings that differ, as rows below the rest; values of settings are not shown. */
function Inside({ changes: { files, settings } }: { changes: ReleaseChanges }) {
  const names = (list: string[] | null | undefined, sign: string) => (list ?? []).map((n) => `${sign} ${n}`);
  const set = settings ? [...names(settings.added, '+'), ...names(settings.changed, '~'), ...names(settings.removed, '−')] : [];
  const sign: Record<string, string> = { added: '+', changed: '~', removed: '−' };
  const total = files ? files.added + files.changed + files.removed : 0;
  return (
    <>
      {files && total > 0 && (
        <Table.Tr>
          <Table.Td>Files</Table.Td>
          <Table.Td colSpan={2}>
            {files.added} added, {files.changed} changed, {files.removed} removed
            <div className="mono dim">{(files.files ?? []).slice(0, 20).map((f) => <div key={f.path}>{sign[f.what]} {f.path}</div>)}{total > 20 && <div>… and {total - 20} more</div>}</div>
          </Table.Td>
        </Table.Tr>
      )}
      {set.length > 0 && <Table.Tr><Table.Td>Environment</Table.Td><Table.Td colSpan={2} className="mono">{set.map((s) => <div key={s}>{s}</div>)}</Table.Td></Table.Tr>}
    </>
  );
}

function Settings({ release }: { release: Release }) {
  const { start, limits } = release;
  return (
    <section className="section">
      <h2>How it runs</h2>
      <p className="hint"><Sentence>{start.why}</Sentence></p>
      <div className="panel">
        <dl className="facts">
          <div><dt>Probe</dt><dd>GET {start.health}</dd></div>
          <div><dt>CPU per replica</dt><dd>{plural(limits.cpu, 'core')}</dd></div>
          <div><dt>Memory per replica</dt><dd>{bytes(limits.memory)}</dd></div>
          <div><dt>Disk per replica</dt><dd>{bytes(limits.disk)}</dd></div>
        </dl>
        <div className="command">
          <span className="label">Command</span>
          <code>{start.command?.map((arg, i) => <Fragment key={i}><span>{quoted(arg)}</span>{' '}</Fragment>)}</code>
        </div>
      </div>
    </section>
  );
}
