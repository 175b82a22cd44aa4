import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import type { Branch, Pipeline, Receiver } from '../../api/schema';
import { ids } from '../../testids';
import { duration, parseDuration } from '../../format/format';
import { useState } from 'react';
import { branchesOf, drop, keeps, LEVELS, receiversOf, SAYS, setBranch, setReceiver, stageOf, turn, withStage, type Service, type Thing } from './model';

interface Props { pipeline: Pipeline; thing: Thing; change: ((fn: (p: Pipeline) => Pipeline) => void) | null; done: () => void }

/** What the picked box says, to be changed. */
export function Inspector({ pipeline, thing, change, done }: Props) {
  const away = (
    <Button variant="default" size="compact-sm" color="red" onClick={() => { change?.((p) => drop(p, thing)); done(); }} disabled={!change}>Remove</Button>
  );
  switch (thing.kind) {
    case 'service': return <ServiceForm pipeline={pipeline} service={thing.service} change={change} />;
    case 'branch': {
      const branch = branchesOf(pipeline, thing.service)[thing.index];
      return branch ? <BranchForm service={thing.service} branch={branch} set={change && ((b) => change((p) => setBranch(p, thing.service, thing.index, b)))}>{away}</BranchForm> : null;
    }
    case 'receiver': {
      const receiver = receiversOf(pipeline)[thing.index];
      return receiver ? <ReceiverForm key={thing.index} receiver={receiver} set={change && ((r) => change((p) => setReceiver(p, thing.index, r)))}>{away}</ReceiverForm> : null;
    }
  }
  return <p className="hint inspector-says">{PARTS[thing.name]}</p>;
}

const PARTS: Record<string, string> = {
  replicas: 'What the app does and says: a record for each request, each line that it logs or prints, and its figures each second.',
  agent: 'One on each host: takes the records, names their app, and keeps them on disk while the stream is away.',
  stream: 'Holds every record until each service has taken it. Nothing is set up before it: what a service does not take here is not lost to the others.',
  autoscaler: 'Follows the load of the app. Its policy is on the page Scaling.',
};

function ServiceForm({ pipeline, service, change }: { pipeline: Pipeline; service: Service; change: Props['change'] }) {
  const stage = stageOf(pipeline, service);
  return (
    <div className="inspector">
      <div className="inspector-head"><b>{service}</b><p className="hint">{SAYS[service]}. {branchesOf(pipeline, service).length ? 'It takes what one of its branches lets pass.' : 'It takes every record of the app.'}</p></div>
      <Switch label={`The app gives records to ${service}`} checked={!stage.off} onChange={(e) => change?.((p) => turn(p, service, e.target.checked))} disabled={!change} data-testid={ids.pipelineOn} />
      {keeps(service) && (
        <NumberInput label="Kept for, days" description="Empty: as long as the platform keeps it" min={1} max={7300} allowDecimal={false} value={stage.retention_days ?? ''} disabled={!change}
          onChange={(v) => change?.((p) => withStage(p, service, { ...stage, retention_days: Number(v) || 0 }))} />
      )}
    </div>
  );
}

// What a level means for requests, which an app does not choose: 4xx is a WARNING, 5xx an ERROR, the rest INFO.
const LEVEL_SAYS: Record<string, string> = {
  DEBUG: 'Everything has a level of at least DEBUG: this one keeps nothing back.',
  INFO: 'Only DEBUG lines are kept back; requests are INFO or above.',
  WARNING: 'Requests answered below 400 and lines of DEBUG and INFO are kept back.',
  ERROR: 'Requests answered below 500 and lines below ERROR are kept back.',
  CRITICAL: 'Requests are never CRITICAL: only such lines pass.',
};

function BranchForm({ service, branch, set, children }: { service: Service; branch: Branch; set: ((b: Branch) => void) | null; children: React.ReactNode }) {
  const put = (change: Partial<Branch>) => set?.({ ...branch, ...change });
  return (
    <div className="inspector">
      <div className="inspector-head"><b>A branch before {service}</b><p className="hint">Requests and log lines pass that meet all of this. Samples and events come with the service.{branch.level ? ` ${LEVEL_SAYS[branch.level] ?? ''}` : ''}</p></div>
      <Select label="Level" placeholder="any" data={LEVELS.map((l) => ({ value: l, label: l === 'CRITICAL' ? l : `${l} and above` }))} value={branch.level ?? null} onChange={(v) => put({ level: v ?? '' })} clearable disabled={!set} data-testid={ids.pipelineLevel} />
      <TextInput label="Route" placeholder="any; /admin* for each that begins so" value={branch.route ?? ''} onChange={(e) => put({ route: e.target.value })} spellCheck={false} className="mono-input" disabled={!set} />
      <TextInput label="Condition" placeholder={'dur > 500ms or msg contains "pay"'} value={branch.when ?? ''} onChange={(e) => put({ when: e.target.value })} spellCheck={false} className="mono-input" autoComplete="off" disabled={!set} data-testid={ids.pipelineWhen} />
      <NumberInput label="Sample, percent" placeholder="all" min={0.01} max={99} decimalScale={2} value={branch.sample ? +(branch.sample * 100).toPrecision(6) : ''} onChange={(v) => put({ sample: v === '' ? 0 : Number(v) / 100 })} disabled={!set} />
      <div>{children}</div>
    </div>
  );
}

function ReceiverForm({ receiver, set, children }: { receiver: Receiver; set: ((r: Receiver) => void) | null; children: React.ReactNode }) {
  const [hold, setHold] = useState(receiver.for ? duration(receiver.for).replace(' ', '') : '');
  return (
    <div className="inspector">
      <div className="inspector-head"><b>A receiver of alerts</b><p className="hint">The same as a rule on the page Alerts, where its last hour is shown and a test can be sent.</p></div>
      <TextInput label="Tell" placeholder="you@example.org or https://…" value={receiver.to} onChange={(e) => set?.({ ...receiver, to: e.target.value })} autoComplete="email" disabled={!set} data-testid={ids.pipelineTo} />
      <TextInput label="When" value={receiver.when} onChange={(e) => set?.({ ...receiver, when: e.target.value })} spellCheck={false} className="mono-input" autoComplete="off" disabled={!set} />
      <TextInput label="For" placeholder="at once" value={hold} disabled={!set} error={hold && Number.isNaN(parseDuration(hold)) ? 'Like 30s, 5m or 1h' : null}
        onChange={(e) => { setHold(e.target.value); const s = parseDuration(e.target.value || '0'); if (!Number.isNaN(s)) set?.({ ...receiver, for: s }); }} />
      <div>{children}</div>
    </div>
  );
}
