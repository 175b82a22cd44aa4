import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconClock, IconHistory, IconLoader2, IconMail, IconMinus, IconPlayerStop, IconRocket } from '../theme/icons';

type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle';
type Entry = [tone: Tone, word: string, icon: typeof IconCircleCheck, spin?: boolean];

// Every state that a page shows: colour, word and icon, so that none depends on colour alone.
const STATES: Record<string, Entry> = {
  new: ['idle', 'New', IconRocket],
  deploying: ['info', 'Deploying', IconLoader2, true],
  running: ['ok', 'Running', IconCircleCheck],
  stopped: ['idle', 'Stopped', IconPlayerStop],
  asleep: ['idle', 'Asleep', IconClock],
  failed: ['bad', 'Failed', IconCircleX],
  suppressed: ['idle', 'Suppressed', IconMinus],
  grouped: ['idle', 'In another message', IconMail],
  deleting: ['warn', 'Deleting', IconLoader2, true],
  building: ['info', 'Building', IconLoader2, true],
  starting: ['info', 'Starting', IconLoader2, true],
  done: ['ok', 'Done', IconCircleCheck],
  canary: ['info', 'Canary', IconRocket],
  live: ['ok', 'Live', IconCircleCheck],
  superseded: ['idle', 'Superseded', IconHistory],
  healthy: ['ok', 'Healthy', IconCircleCheck],
  unhealthy: ['bad', 'Unhealthy', IconCircleX],
  draining: ['warn', 'Draining', IconLoader2, true],
  ok: ['ok', 'OK', IconCircleCheck],
  pending: ['warn', 'Pending', IconClock],
  firing: ['bad', 'Firing', IconAlertTriangle],
  resolved: ['ok', 'Resolved', IconCircleCheck],
  test: ['info', 'Test', IconMail],
  sent: ['ok', 'Sent', IconCircleCheck],
  outbox: ['info', 'In the outbox', IconMail],
  timeout: ['bad', 'Took too long', IconCircleX],
  lost: ['bad', 'Cut off', IconCircleX],
  skipped: ['warn', 'Left out', IconMinus],
  missed: ['warn', 'Missed', IconMinus],
  ready: ['ok', 'Ready', IconCircleCheck],
  down: ['bad', 'Down', IconCircleX],
};

/** A state as icon and word. */
export function StatusTag({ state, testid, word }: { state: string; testid?: string; word?: string }) {
  const [tone, text, Icon, spin] = STATES[state] ?? (['idle', state, IconMinus] as Entry);
  return (
    <span className="status" data-testid={testid} data-state={state}>
      <Icon size={16} stroke={2} className={`tone-${tone}${spin ? ' spin' : ''}`} aria-hidden />
      {word ?? text}
    </span>
  );
}
