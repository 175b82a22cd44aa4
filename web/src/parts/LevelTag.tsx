import type { Level } from '../api/types';

const TONE: Record<string, string> = { DEBUG: 'idle', INFO: 'info', WARNING: 'warn', ERROR: 'bad', CRITICAL: 'bad' };

export const LEVELS: Level[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

export function levelRank(level: string | null | undefined): number {
  return level ? LEVELS.indexOf(level as Level) : -1;
}

export function LevelTag({ level }: { level: string | null }) {
  return <span className={`level tone-${TONE[level ?? ''] ?? 'idle'}`}>{level ?? '–'}</span>;
}
