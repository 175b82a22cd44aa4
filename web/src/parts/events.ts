export type Tone = 'info' | 'ok' | 'warn' | 'bad';

/** What the platform does to an app: its word, its tone and the sign that marks it on charts. */
export const EVENTS: Record<string, { word: string; tone: Tone; sign: string }> = {
  deployed: { word: 'Deployed', tone: 'ok', sign: '▲' },
  deploy_failed: { word: 'Deploy failed', tone: 'bad', sign: '✕' },
  rolled_back: { word: 'Rolled back', tone: 'bad', sign: '↩' },
  scaled: { word: 'Scaled', tone: 'info', sign: '◆' },
  restarted: { word: 'Restarted', tone: 'info', sign: '↻' },
  crashed: { word: 'Crashed', tone: 'bad', sign: '✕' },
  oom_killed: { word: 'Out of memory', tone: 'bad', sign: '✕' },
  slowed: { word: 'Slowed down', tone: 'warn', sign: '▼' },
  freed: { word: 'At full speed', tone: 'ok', sign: '▲' },
  cron_failed: { word: 'Cron job failed', tone: 'bad', sign: '✕' },
  cron_missed: { word: 'Cron job missed', tone: 'warn', sign: '−' },
  stopped: { word: 'Stopped', tone: 'warn', sign: '■' },
  alert_firing: { word: 'Alert firing', tone: 'bad', sign: '!' },
  alert_resolved: { word: 'Alert resolved', tone: 'ok', sign: '✓' },
  dropped: { word: 'Records dropped', tone: 'warn', sign: '−' },
};
