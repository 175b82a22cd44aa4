import { UnstyledButton } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { exact, ms } from '../../format/format';
import { IconChevronRight, IconCircleCheck, IconCircleX, IconLoader2 } from '../../theme/icons';
import { ids } from '../../testids';
import type { BuildEnd, BuildLine } from '../../api/types';
import { plain } from '../../parts/plain';
import { Sentence } from '../../parts/Sentence';
import { stepsOf, type Step } from './steps';

/** The steps of a build, each with its lines; the running and the failed one are open. */
export function BuildLog({ lines, end, made }: { lines: BuildLine[]; end: BuildEnd | null; made?: string }) {
  const steps = stepsOf(lines, end, made);
  return (
    <ol className="panel build" data-testid={ids.buildLog} aria-label="Build log" data-ended={end ? end.state : ''}>
      {steps.map((s, i) => <StepRow key={i} step={s} />)}
      {steps.length === 0 && !end && <li className="build-head dim"><IconLoader2 size={18} className="spin" aria-hidden /> Waiting for the build to begin</li>}
      {steps.length === 0 && end && <li className="build-head dim">No build log was kept.</li>}
    </ol>
  );
}

const ICON = { done: IconCircleCheck, running: IconLoader2, failed: IconCircleX };
const TONE = { done: 'tone-ok', running: 'tone-info spin', failed: 'tone-bad' };
const WORD = { done: 'done', running: 'running', failed: 'failed' };

function StepRow({ step }: { step: Step }) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? (step.state !== 'done' || step.step === 'done');
  const Icon = ICON[step.state];
  const last = step.lines[step.lines.length - 1];
  return (
    <li data-testid={ids.buildStep} data-step={step.step} data-state={step.state}>
      <UnstyledButton className="build-head" onClick={() => setChosen(!open)} aria-expanded={open}>
        <Icon size={18} className={TONE[step.state]} aria-hidden />
        <span className="build-title">{step.title}<span className="visually-hidden">, {WORD[step.state]}</span></span>
        {!open && <span className="build-last ellipsis dim"><Sentence>{last?.line}</Sentence></span>}
        <span className="build-time dim">{step.seconds == null ? '' : ms(step.seconds * 1000)}</span>
        <IconChevronRight size={16} className={open ? 'chevron open dim' : 'chevron dim'} aria-hidden />
      </UnstyledButton>
      {open && <Lines lines={step.lines} follow={step.state === 'running'} />}
    </li>
  );
}

const SHOWN = 2000; // lines of one step; a noisy install must not freeze the page

function Lines({ lines, follow }: { lines: BuildLine[]; follow: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.length, follow]);
  const left = lines.length - SHOWN;
  return (
    <div className="build-lines mono" ref={box} tabIndex={0} role="log">
      {left > 0 && <div className="dim">{left} earlier lines are not shown</div>}
      {lines.slice(-SHOWN).map((l) => <div key={l.n} title={exact(l.at)}>{plain(l.line)}</div>)}
    </div>
  );
}
