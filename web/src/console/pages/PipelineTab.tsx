import { Button, Group } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { get, put, seg } from '../../api/client';
import type { Pipeline, PipelineFlow, PipelineView } from '../../api/schema';
import type { App } from '../../api/types';
import { plural } from '../../format/format';
import { Note, Problem } from '../../parts/Said';
import { Waiting } from '../../parts/Waiting';
import { Canvas, Tools, type Tool } from '../pipeline/Canvas';
import { draw } from '../pipeline/draw';
import { Inspector } from '../pipeline/Inspector';
import { addBranch, branchesOf, idOf, MAX_BRANCHES, receiversOf, setReceiver, thingOf, type Service } from '../pipeline/model';
import { ids } from '../../testids';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';

const path = (app: string) => `/apps/${seg(app)}/pipeline`;

/** What becomes of an app's records, drawn as it runs and set up by drawing. */
export default function PipelineTab({ app }: { app: App }) {
  const { data, error } = useQuery({ queryKey: ['app', app.name, 'pipeline'], queryFn: ({ signal }) => get<PipelineView>(path(app.name), {}, signal), refetchOnWindowFocus: false });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return <Editor key={data.yaml} app={app} view={data} />;
}

/** The last two looks at what comes through. */
function useFlow(app: string): [PipelineFlow | null, PipelineFlow | null] {
  const [looks, setLooks] = useState<[PipelineFlow | null, PipelineFlow | null]>([null, null]);
  const { data } = useQuery({ queryKey: ['app', app, 'flow'], queryFn: ({ signal }) => get<PipelineFlow>(`${path(app)}/flow`, {}, signal), refetchInterval: 2000 });
  useEffect(() => {
    if (data) setLooks(([, last]) => [last, data]);
  }, [data]);
  return looks;
}

function Editor({ app, view }: { app: App; view: PipelineView }) {
  const queries = useQueryClient();
  const write = mayWrite(useSession());
  const [draft, setDraft] = useState<Pipeline>(view.pipeline);
  const [picked, setPicked] = useState('');
  const [before, now] = useFlow(app.name);
  const same = JSON.stringify(draft) === JSON.stringify(view.pipeline);
  const body = useMemo(() => forSaving(draft, view.pipeline), [draft, view.pipeline]);
  const checked = useCheck(app.name, body, same);
  const policy = `${app.ready} of ${app.desired} ready`;
  const phone = useMediaQuery('(max-width: 700px)', false, { getInitialValueInEffect: false });
  const drawing = useMemo(() => draw(draft, before, now, plural(app.ready, 'replica'), policy, phone), [draft, before, now, app.ready, policy, phone]);
  const save = useMutation({
    mutationFn: () => put<PipelineView>(path(app.name), body),
    onSuccess: (next) => {
      queries.setQueryData(['app', app.name, 'pipeline'], next);
      void queries.invalidateQueries({ queryKey: ['app', app.name, 'alerts'] });
      say('Saved. What is drawn runs within two seconds.');
    },
  });
  const thing = thingOf(picked);
  const onto: Service = thing && 'service' in thing ? thing.service : 'persist';
  const use = (tool: Tool, on: Service) => {
    if (!write) return;
    if (tool === 'receiver') {
      setPicked(idOf({ kind: 'receiver', index: receiversOf(draft).length }));
      setDraft((p) => setReceiver(p, receiversOf(p).length, { to: '', when: 'count(level >= ERROR, "5m") >= 1' }));
      return;
    }
    const index = branchesOf(draft, on).length;
    if (index >= MAX_BRANCHES) return say(`${MAX_BRANCHES} branches are the most before a service.`, true);
    setPicked(idOf({ kind: 'branch', service: on, index }));
    setDraft((p) => addBranch(p, on, tool === 'sample' ? { sample: 0.1 } : { level: 'WARNING' }));
  };
  const change = write ? (fn: (p: Pipeline) => Pipeline) => setDraft(fn) : null;
  return (
    <>
      <p className="hint">
        Every record of {app.name} goes from its replicas to the stream, and from there to each service. What is drawn is what runs{write ? (phone ? ': tap a box to change it' : ': drag a filter onto an arrow, pull an arrow from the stream to a service to turn it on, select one and press Delete to take it away') : ''}.
      </p>
      {view.declared && <Note>The `kurama.yaml` of the live release sets this pipeline. What you change here holds until the next deploy.</Note>}
      {write && <Tools onto={onto} use={use} phone={phone} />}
      <Canvas drawing={drawing} picked={picked} pick={setPicked} change={change} use={use} phone={phone} />
      <section className="panel panel-pad gap-top" aria-label="What is selected" aria-live="polite">
        {thing ? <Inspector key={picked} pipeline={draft} thing={thing} change={change} done={() => setPicked('')} /> : <Legend />}
      </section>
      <div className="gap-top"><Problem error={save.error ?? checked.error} testid={ids.pipelineProblem} /></div>
      {write && (
        <Group mt="sm">
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={same || checked.error != null} data-testid={ids.pipelineSave}>Save and run</Button>
          <Button variant="default" onClick={() => { setDraft(view.pipeline); setPicked(''); save.reset(); }} disabled={same}>Discard</Button>
        </Group>
      )}
      <details className="more-fields">
        <summary>As it stands in kurama.yaml</summary>
        <pre className="mono panel panel-pad gap-top" tabIndex={0} data-testid={ids.pipelineYaml}>{checked.yaml ?? view.yaml}</pre>
      </details>
    </>
  );
}

function Legend() {
  return <p className="hint inspector-says">Select a box to see and change what it does. The figures on the arrows are records per second of this app, over the last two seconds; what waits or failed is told in the boxes, for all apps.</p>;
}

/** Receivers are sent only where they were changed: somebody may have added an alert meanwhile. */
function forSaving(draft: Pipeline, stored: Pipeline): Pipeline {
  const { receivers, ...rest } = draft;
  return JSON.stringify(receivers) === JSON.stringify(stored.receivers) ? rest : { ...rest, receivers };
}

/** Asks the API whether the draft could be, a moment after the last change. */
function useCheck(app: string, body: Pipeline, same: boolean): { error: Error | null; yaml: string | null } {
  const [said, setSaid] = useState<{ error: Error | null; yaml: string | null }>({ error: null, yaml: null });
  const round = useRef(0);
  useEffect(() => {
    const mine = ++round.current;
    if (same) return setSaid({ error: null, yaml: null });
    const timer = setTimeout(() => {
      put<PipelineView>(path(app), body, { dry_run: 'true' }).then(
        (v) => mine === round.current && setSaid({ error: null, yaml: v.yaml }),
        (error: Error) => mine === round.current && setSaid({ error, yaml: null }),
      );
    }, 400);
    return () => clearTimeout(timer);
  }, [app, body, same]);
  return said;
}
