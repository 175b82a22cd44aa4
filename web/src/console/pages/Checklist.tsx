import { ActionIcon, Button, CopyButton, Tooltip } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { get, post, seg } from '../../api/client';
import type { AlertRule, App, Notification, Profile } from '../../api/types';
import { plural } from '../../format/format';
import { ids } from '../../testids';
import { IconCircleCheck, IconCircleDashed, IconCopy, IconX } from '../../theme/icons';
import { to, useRoute } from '../route';
import { appAddress, dashboardAddress, mayWrite, useSession } from '../session';
import { say } from '../useAppActions';
import { tick, useTicks } from './useTicks';

/** What a new app's owner does next, each with its own tick; gone once all are done or it was put away. */
export function Checklist({ app }: { app: App }) {
  const session = useSession();
  const { query } = useRoute();
  const ticks = useTicks(app);
  const seen = useProgress(app.name, !ticks.has('away'));
  if (app.release === 0 || ticks.has('away') || !seen) return null;
  const steps = [
    { id: 'live', done: true, title: 'Put it online', says: <Go outside href={appAddress(app.address)}>Release {app.release} answers</Go> },
    { id: 'traffic', done: seen.requests >= ENOUGH, title: 'Send it traffic', says: seen.requests >= ENOUGH ? `${plural(seen.requests, 'request')} in 24 h` : <Traffic app={app} paths={seen.paths} write={mayWrite(session)} had={seen.requests} /> },
    { id: 'watch', done: ticks.has('watch'), title: 'Watch it live', says: <Go outside href={dashboardAddress(session, app.name, query.get('tenant') ?? '')} onGo={() => tick(app, 'watch')}>Open the dashboard</Go> },
    { id: 'alert', done: seen.rules > 0 && seen.mails > 0, title: 'Get a test mail', says: <Go href={to(['apps', app.name, 'alerts'], seen.rules === 0 ? { condition: 'p95 > 500 ms' } : {})}>{seen.rules === 0 ? 'Set an alert' : seen.mails === 0 ? 'Press Test beside your rule' : 'See the rules and messages'}</Go> },
    { id: 'archive', done: ticks.has('archive'), title: 'Look into the archive', says: <Go href={to(['apps', app.name, 'archive'])}>Every record, to take away</Go> },
  ];
  const left = steps.filter((s) => !s.done).length;
  if (left === 0) return null;
  return (
    <section className="panel checklist" aria-label="Next steps" data-testid={ids.checklist} data-left={left}>
      <header>
        <h2 className="panel-title">Next steps</h2>
        <span className="label">{steps.length - left} of {steps.length} done</span>
        <Tooltip label="Put away"><ActionIcon variant="subtle" color="gray" ml="auto" aria-label="Put the next steps away" onClick={() => tick(app, 'away')}><IconX size={16} /></ActionIcon></Tooltip>
      </header>
      <ol>{steps.map((s) => <Step key={s.id} {...s} />)}</ol>
    </section>
  );
}

const ENOUGH = 20; // requests; the probes of a first look are fewer

function Step({ id, done, title, says }: { id: string; done: boolean; title: string; says: ReactNode }) {
  const Icon = done ? IconCircleCheck : IconCircleDashed;
  return (
    <li data-testid={`checklist-${id}`} data-done={done}>
      <Icon size={20} className={done ? 'tone-ok' : 'tone-idle'} aria-hidden />
      <div><b>{title}<span className="visually-hidden">{done ? ', done' : ', to do'}</span></b><div className="checklist-says">{says}</div></div>
    </li>
  );
}

function Go({ href, outside, onGo, children }: { href: string; outside?: boolean; onGo?: () => void; children: ReactNode }) {
  return <a className="in-text" href={href} onClick={onGo} {...(outside ? { target: '_blank', rel: 'noopener noreferrer' } : {})}>{children}</a>;
}

function Traffic({ app, paths, write, had }: { app: App; paths: string[]; write: boolean; had: number }) {
  const [sent, setSent] = useState(false);
  const send = useMutation({
    mutationFn: () => post(`/apps/${seg(app.name)}/loadtests`, { rate: 10, seconds: 60, paths }),
    onSuccess: () => {
      setSent(true);
      say(`${app.name} is sent 10 requests a second for a minute.`);
    },
    onError: (err) => say(err.message, true),
  });
  const command = `kurama reqsim --app ${app.name}${app.tenant === 'default' ? '' : ` --tenant ${app.tenant}`}`;
  return (
    <>
      {write && <Button size="compact-sm" variant="default" disabled={sent} loading={send.isPending} onClick={() => send.mutate()} data-testid={ids.trafficSend}>{sent ? 'On its way' : 'A minute of requests'}</Button>}
      <span className="nowrap"><code className="said-code">{command}</code>
        <CopyButton value={command}>{({ copied, copy }) => <ActionIcon size="sm" variant="subtle" color="gray" aria-label={copied ? 'Copied' : `Copy ${command}`} onClick={copy}><IconCopy size={13} /></ActionIcon>}</CopyButton>
      </span>
      {had > 0 && <span>{had} of {ENOUGH} requests so far</span>}
    </>
  );
}

/** What the platform knows of the steps: requests of the last day, rules and messages. */
function useProgress(app: string, enabled: boolean) {
  const { data } = useQuery({
    queryKey: ['app', app, 'progress'],
    enabled,
    refetchInterval: 4000,
    queryFn: async ({ signal }) => {
      const [profile, rules, mails] = await Promise.all([
        get<Profile>(`/apps/${seg(app)}/profile`, { window: '24h' }, signal),
        get<{ alerts: AlertRule[] | null }>(`/apps/${seg(app)}/alerts`, {}, signal),
        get<{ notifications: Notification[] | null }>(`/apps/${seg(app)}/notifications`, {}, signal),
      ]);
      const routes = profile.routes ?? [];
      return {
        requests: routes.reduce((sum, r) => sum + r.requests, 0),
        // Rules without a variable can be asked as they are.
        paths: ['/', ...routes.filter((r) => r.method === 'GET' && /^\/[^<]+$/.test(r.route)).map((r) => r.route)].slice(0, 10),
        rules: rules.alerts?.length ?? 0,
        mails: mails.notifications?.length ?? 0,
      };
    },
  });
  return data;
}
