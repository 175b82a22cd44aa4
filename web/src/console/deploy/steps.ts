import type { BuildEnd, BuildLine } from '../../api/types';

export interface Step {
  step: string;
  title: string;
  state: 'done' | 'running' | 'failed';
  seconds: number | null; // null while it runs
  lines: BuildLine[];
}

const TITLES: Record<string, string> = {
  upload: 'Receive',
  unpack: 'Unpack',
  detect: 'Find out how to start it',
  dependencies: 'Install dependencies',
  source: 'Store the source',
  start: 'Start replicas',
  health: 'Wait for the probe',
  switch: 'Switch traffic over',
  drain: 'Let the old replicas finish',
  done: 'Live',
  failed: 'Failed',
};

/** Groups a build log into steps with their durations. The end closes the last one. */
export function stepsOf(lines: BuildLine[], end: BuildEnd | null): Step[] {
  const steps: Step[] = [];
  for (const line of lines) {
    let last = steps[steps.length - 1];
    if (!last || (line.step && line.step !== last.step)) {
      const at = Date.parse(line.at);
      if (last) last.seconds = (at - Date.parse(last.lines[0]!.at)) / 1000;
      last = { step: line.step, title: TITLES[line.step] ?? (line.step || 'Build'), state: 'running', seconds: null, lines: [] };
      steps.push(last);
    }
    last.lines.push(line);
  }
  return steps.map((s, i) => ({ ...s, state: stateOf(s.step, i, steps, end) }));
}

function stateOf(step: string, i: number, steps: Step[], end: BuildEnd | null): Step['state'] {
  if (step === 'failed') return 'failed';
  if (step === 'done') return 'done';
  const next = steps[i + 1];
  if (next) return next.step === 'failed' ? 'failed' : 'done';
  if (!end) return 'running';
  return end.state === 'failed' ? 'failed' : 'done';
}
