import type { Policy, PolicyInfo, PolicyNumber } from '../api/types';
import { duration, ms, plural } from '../format/format';

/** What a policy does, said in sentences; info describes the one that is chosen. */
export function policySentence(p: Policy, info?: PolicyInfo): string {
  if (p.name === 'off') return 'The autoscaler is off: the app keeps the number of replicas that you set by hand.';
  if (p.max < p.min) return `At most ${p.max} is below at least ${p.min}: raise the one or lower the other.`;
  const keeps = `Keeps ${p.min === p.max ? plural(p.min, 'replica') : `between ${p.min} and ${plural(p.max, 'replica')}`}. `;
  if (p.name !== 'kurama') return keeps + (info ? `${info.what} The rules are those of ${info.source}.` : '');
  return (
    keeps +
    `Adds some when the 95th percentile of the load over ${duration(p.load_window)} is above ${p.load_up} %, ` +
    `or that of the response time over ${duration(p.time_window)} above ${ms(p.time_up)}. ` +
    `Takes some away when the load is below ${p.load_down} %. ` +
    `Waits ${duration(p.cooldown)} between two decisions.`
  );
}

type Own = 'step' | 'target' | 'hpa' | 'swift';
const stands = (n: PolicyNumber) => n.policy === '' || n.policy === 'kurama';

/** The value of a number: kurama's stand alone, those of the others below their policy. */
export function numberOf(p: Policy, n: PolicyNumber): number {
  return stands(n) ? (p[n.name as 'cooldown'] ?? n.default) : (p[n.policy as Own]?.[n.name] ?? n.default);
}

export function withNumber(p: Policy, n: PolicyNumber, value: number): Policy {
  return stands(n) ? { ...p, [n.name]: value } : { ...p, [n.policy]: { ...p[n.policy as Own], [n.name]: value } };
}

/** A number's label: its unit is behind its value, what it is about before it. */
export function numberLabel(n: PolicyNumber): string {
  const name = n.name.replaceAll('_', ' ');
  return name.charAt(0).toUpperCase() + name.slice(1);
}
