import type { BuildEnd, BuildLine } from '../../api/types';

export interface Step {
  step: string;
  title: string;
  state: 'done' | 'running' | 'failed';
  seconds: number | null; // from the end of the step before to its own last line; null while it runs
  lines: BuildLine[];
}

const TITLES: Record<string, string> = {
  upload: 'Receive',
  unpack: 'Unpack',
  detect: 'Find out how to start it',
  dependencies: 'Install dependencies',
  source: 'Store the source',
  database: 'Make the database',
  start: 'Start replicas',
  health: 'Wait for the probe',
  switch: 'Switch traffic over',
  drain: 'Let the old replicas finish',
  done: 'Live',
  rollback: 'Taken back',
  failed: 'Failed',
};

/** Groups a build log into steps with their durations. A step tells what it has done; the end closes the last one. */
export function stepsOf(lines: BuildLine[], end: BuildEnd | null, made?: string): Step[] {
  const steps: Step[] = [];
  for (const line of lines) {
    let last = steps[steps.length - 1];
    if (!last || (line.step && line.step !== last.step)) {
      last = { step: line.step, title: TITLES[line.step] ?? (line.step || 'Build'), state: 'running', seconds: null, lines: [] };
      steps.push(last);
    }
    last.lines.push(line);
  }
  let before = Date.parse(made ?? lines[0]?.at ?? '');
  return steps.map((s, i) => {
    const state = stateOf(s.step, i, steps, end);
    const at = Date.parse(s.lines.at(-1)!.at);
    const seconds = state === 'running' || s.step === 'done' || s.step === 'failed' ? null : Math.max(0, at - before) / 1000;
    before = at;
    return { ...s, state, seconds };
  });
}

function stateOf(step: string, i: number, steps: Step[], end: BuildEnd | null): Step['state'] {
  if (step === 'failed') return 'failed';
  if (step === 'done') return 'done';
  const next = steps[i + 1];
  if (next) return next.step === 'failed' ? 'failed' : 'done';
  if (!end) return 'running';
  return end.state === 'failed' ? 'failed' : 'done';
}
