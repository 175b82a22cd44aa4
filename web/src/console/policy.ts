import type { Policy } from '../api/types';
import { duration, ms, plural } from '../format/format';

/** What a policy does, said in sentences. */
export function policySentence(p: Policy): string {
  if (p.name === 'off') return 'The autoscaler is off: the app keeps the number of replicas that you set by hand.';
  if (p.max < p.min) return `At most ${p.max} is below at least ${p.min}: raise the one or lower the other.`;
  return (
    `Keeps ${p.min === p.max ? plural(p.min, 'replica') : `between ${p.min} and ${plural(p.max, 'replica')}`}. ` +
    `Adds some when the 95th percentile of the load over ${duration(p.load_window)} is above ${p.load_up} %, ` +
    `or that of the response time over ${duration(p.time_window)} above ${ms(p.time_up)}. ` +
    `Takes some away when the load is below ${p.load_down} %. ` +
    `Waits ${duration(p.cooldown)} between two decisions.`
  );
}
