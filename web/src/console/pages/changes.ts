import type { Release } from '../../api/types';
import { bytes, plural } from '../../format/format';
import { quoted } from '../logs/curl';

const digest = (d: string) => d.replace(/^sha256:/, '').slice(0, 12) || 'none';

// What a release is made of, as people read it.
const PARTS: [what: string, of: (r: Release) => string][] = [
  ['Source', (r) => digest(r.source_digest)],
  ['Dependencies', (r) => digest(r.layer)],
  ['Command', (r) => (r.start.command ?? []).map(quoted).join(' ')],
  ['Probe', (r) => `GET ${r.start.health}`],
  ['CPU per replica', (r) => plural(r.limits.cpu, 'core')],
  ['Memory per replica', (r) => bytes(r.limits.memory)],
  ['Disk per replica', (r) => bytes(r.limits.disk)],
  ['Processes per replica', (r) => String(r.limits.pids)],
];

/** The parts that differ between two releases, with what they were and are. */
export function changesOf(before: Release, after: Release): [what: string, was: string, is: string][] {
  return PARTS.map(([what, of]): [string, string, string] => [what, of(before), of(after)]).filter(([, was, is]) => was !== is);
}
