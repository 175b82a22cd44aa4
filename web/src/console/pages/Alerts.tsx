import { ActionIcon, Button, Group, Modal, Table, Text, TextInput, Tooltip, UnstyledButton } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { apiPath, del, get, post, seg } from '../../api/client';
import type { AlertRule, Notification } from '../../api/types';
import { duration, parseDuration } from '../../format/format';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { ids } from '../../testids';
import { IconDownload, IconSend, IconTrash } from '../../theme/icons';
import { useRoute } from '../route';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';
import { AlertPreview } from './AlertPreview';
import { Silences } from './Silences';

const EXAMPLES: [condition: string, says: string][] = [
  ['cpu > 90', "a replica's CPU is above 90 % of its limit"],
  ['mem > 85', 'memory is above 85 % of its limit'],
  ['p95 > 500 ms', '5 of 100 requests take longer than 500 ms'],
  ['error_rate > 5', 'more than 5 % of the answers are 5xx'],
  ['rate > 100', 'more than 100 requests per second'],
  ['level >= ERROR', 'a record of level ERROR or above arrives'],
  ['replicas < 1', 'no replica is ready'],
  ['count(level >= ERROR, "5m") >= 10', 'ten errors come within 5 minutes'],
  ['new_exception()', 'an exception of a kind that the app never had before'],
  ['oom()', 'a replica was killed for memory'],
];

export default function Alerts({ app }: { app: string }) {
  const session = useSession();
  const rules = useQuery({
    queryKey: ['app', app, 'alerts'],
    queryFn: async ({ signal }) => {
      return (await get<{ alerts: AlertRule[] | null }>(`/apps/${seg(app)}/alerts`, {}, signal)).alerts ?? [];
    },
    refetchInterval: 3000,
  });
  return (
    <>
      {mayWrite(session) && <AddRule app={app} />}
      <section className="section">
        <h2>Rules</h2>
        <div className="gap-top"><Problem error={rules.error} /></div>
        {rules.data && (rules.data.length === 0
          ? <p className="hint">No rule yet. The one you add above sends a mail when its condition has held for the time you give, and another when it is over.</p>
          : <Rules app={app} rules={rules.data} />)}
      </section>
      <Silences app={app} rules={rules.data ?? []} />
      <Notifications app={app} />
    </>
  );
}

function AddRule({ app }: { app: string }) {
  const queries = useQueryClient();
  const { query } = useRoute();
  const [condition, setCondition] = useState(query.get('condition') ?? '');
  const [wait, setWait] = useState('1m');
  const [to, setTo] = useState('');
  const [again, setAgain] = useState('');
  const [keep, setKeep] = useState('');
  const seconds = parseDuration(wait);
  const add = useMutation({
    mutationFn: () => post<AlertRule>(`/apps/${seg(app)}/alerts`, { condition: condition.trim(), for: seconds, receiver: to.trim(), keep_firing: parseDuration(keep || '0'), repeat: parseDuration(again || '0') }),
    onSuccess: () => {
      setCondition('');
      void queries.invalidateQueries({ queryKey: ['app', app, 'alerts'] });
      say('The rule is in force.');
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (![seconds, parseDuration(again || '0'), parseDuration(keep || '0')].some(Number.isNaN)) add.mutate();
  };
  const example = EXAMPLES.find(([c]) => c === condition);
  return (
    <form onSubmit={submit} className="panel panel-pad">
      <div className="alert-form">
        <TextInput label="When" placeholder="cpu > 90" required value={condition} onChange={(e) => setCondition(e.currentTarget.value)} data-testid={ids.alertCondition} spellCheck={false} className="mono-input" autoComplete="off" />
        <TextInput label="For" required value={wait} onChange={(e) => setWait(e.currentTarget.value)} error={Number.isNaN(seconds) ? 'Like 30s, 5m or 1h' : null} data-testid={ids.alertFor} />
        <TextInput label="Tell" placeholder="you@example.org or https://…" required value={to} onChange={(e) => setTo(e.currentTarget.value)} data-testid={ids.alertTo} autoComplete="email" />
        <Button type="submit" loading={add.isPending} data-testid={ids.alertAdd}>Add rule</Button>
      </div>
      <div className="chips gap-top">
        <Text size="sm" c="dimmed">For example:</Text>
        {EXAMPLES.map(([c, says]) => (
          <Tooltip key={c} label={says}><UnstyledButton className="chip" onClick={() => setCondition(c)}>{c}</UnstyledButton></Tooltip>
        ))}
      </div>
      {example && <Text size="sm" c="dimmed" mt={8}>Fires when {example[1]}{seconds > 0 ? ` for ${duration(seconds)}` : ''}.</Text>}
      <details className="more-fields">
        <summary>Reminders and flapping</summary>
        <div className="access-form">
          <TextInput label="Remind each" description="while it fires" placeholder="never" value={again} onChange={(e) => setAgain(e.currentTarget.value)} error={Number.isNaN(parseDuration(again || '0')) ? 'Like 30m or 4h' : null} />
          <TextInput label="Go on firing for" description="after the condition has ended" placeholder="0s" value={keep} onChange={(e) => setKeep(e.currentTarget.value)} error={Number.isNaN(parseDuration(keep || '0')) ? 'Like 30s or 5m' : null} />
        </div>
      </details>
      <AlertPreview app={app} condition={condition} seconds={seconds} />
      {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
    </form>
  );
}

function Rules({ app, rules }: { app: string; rules: AlertRule[] }) {
  const session = useSession();
  const queries = useQueryClient();
  const after = { onSettled: () => void queries.invalidateQueries({ queryKey: ['app', app] }), onError: (err: Error) => say(err.message, true) };
  const remove = useMutation({ mutationFn: (id: string) => del(`/apps/${seg(app)}/alerts/${seg(id)}`), ...after });
  const test = useMutation({
    mutationFn: (id: string) => post<{ message?: string } | undefined>(`/apps/${seg(app)}/alerts/${seg(id)}/test`),
    onSuccess: (said) => say(said?.message || 'A test message is on its way. It appears below.'),
    ...after,
  });
  return (
    <TableBox label="Rules" className="panel gap-top">
      <Table>
        <Table.Thead>
          <Table.Tr><Table.Th>State</Table.Th><Table.Th>Condition</Table.Th><Table.Th>For</Table.Th><Table.Th>Last value</Table.Th><Table.Th>Tells</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rules.map((r) => (
            <Table.Tr key={r.id} data-testid={ids.alertRow} data-rule={r.id}>
              <Table.Td><StatusTag state={r.state} testid={ids.alertState} />{r.since && r.state !== 'ok' && <div className="label">since <TimeAgo at={r.since} /></div>}</Table.Td>
              <Table.Td className="mono">{r.condition}</Table.Td>
              <Table.Td className="nowrap">{duration(r.for)}{r.repeat ? <div className="label">again each {duration(r.repeat)}</div> : null}{r.keep_firing ? <div className="label">goes on for {duration(r.keep_firing)}</div> : null}</Table.Td>
              <Table.Td className="nowrap">{r.value || '–'}</Table.Td>
              <Table.Td>{r.receiver}</Table.Td>
              <Table.Td className="num">
                {mayWrite(session) && (
                  <Group gap={4} justify="flex-end" wrap="nowrap">
                    <Button size="compact-sm" variant="default" leftSection={<IconSend size={14} />} loading={test.isPending && test.variables === r.id} onClick={() => test.mutate(r.id)} data-testid={ids.alertTest}>Test</Button>
                    <ActionIcon variant="subtle" color="gray" aria-label={`Delete the rule ${r.condition}`} onClick={() => remove.mutate(r.id)}><IconTrash size={17} /></ActionIcon>
                  </Group>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </TableBox>
  );
}

function Notifications({ app }: { app: string }) {
  const [shown, show] = useState<Notification | null>(null);
  const { data, error } = useQuery({
    queryKey: ['app', app, 'notifications'],
    queryFn: async ({ signal }) => (await get<{ notifications: Notification[] | null }>(`/apps/${seg(app)}/notifications`, {}, signal)).notifications ?? [],
    refetchInterval: 3000,
  });
  const outbox = data?.some((n) => n.state === 'outbox');
  return (
    <section className="section">
      <h2>Messages</h2>
      {outbox && <p className="hint">No mail server is configured, so messages stay in the outbox: read them here, or set <span className="mono">smtp</span> in <span className="mono">kuramaconfig.yaml</span> to have them sent.</p>}
      <Problem error={error} />
      {data && (data.length === 0 ? <p className="hint">None was sent yet. Try a rule's Test.</p> : (
        <TableBox label="Messages" className="panel gap-top">
          <Table highlightOnHover>
            <Table.Thead><Table.Tr><Table.Th>About</Table.Th><Table.Th>Subject</Table.Th><Table.Th>To</Table.Th><Table.Th>Delivery</Table.Th><Table.Th>Time</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {data.slice(0, 100).map((n) => (
                <Table.Tr key={n.id} data-testid={ids.notificationRow} data-kind={n.kind}>
                  <Table.Td><StatusTag state={n.kind} /></Table.Td>
                  <Table.Td className="subject"><UnstyledButton className="app-name" onClick={() => show(n)}>{n.subject}</UnstyledButton></Table.Td>
                  <Table.Td>{n.recipient}</Table.Td>
                  <Table.Td><StatusTag state={n.state} />{n.error && <div className="reason">{n.error}</div>}</Table.Td>
                  <Table.Td><TimeAgo at={n.sent_at || n.created_at} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      ))}
      <Modal opened={shown != null} onClose={() => show(null)} title={shown?.subject} size="lg">
        {shown && (
          <div data-testid={ids.message}>
            <Text size="sm" c="dimmed" mb="xs">To {shown.recipient}</Text>
            <pre className="mail mono">{shown.body_text}</pre>
            <Button mt="md" variant="default" component="a" href={apiPath(`/outbox/${seg(shown.id)}`)} download leftSection={<IconDownload size={16} />}>Whole mail (.eml)</Button>
          </div>
        )}
      </Modal>
    </section>
  );
}
