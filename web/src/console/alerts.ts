import type { CoursePoint } from '../api/schema';

/** A figure of a condition that the last hour's course knows, with its bound. */
export interface Compared { figure: string; operator: string; bound: number; of: (p: CoursePoint) => number | null; unit: 'percent' | 'ms' | 'count' }

const FIGURES: Record<string, [of: (p: CoursePoint) => number | null, unit: Compared['unit']]> = {
  cpu: [(p) => p.cpu, 'percent'],
  mem: [(p) => p.mem, 'percent'],
  disk: [(p) => p.disk, 'percent'],
  swap: [(p) => p.swap, 'percent'],
  p50: [(p) => p.p50, 'ms'],
  p95: [(p) => p.p95, 'ms'],
  p99: [(p) => p.p99, 'ms'],
  rate: [(p) => p.rate, 'count'],
  replicas: [(p) => p.replicas, 'count'],
  inflight: [(p) => p.inflight, 'count'],
  error_rate: [(p) => (p.rate > 0 ? (100 * p.errors) / p.rate : null), 'percent'],
};

const COMPARISON = /\b([a-z_]\w*)\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)?)\s*(ms|min|s|m)?(?![\w.])/gi;
const MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000 };

/** The comparisons of a condition whose figures can be drawn, each once. */
export function comparedIn(condition: string): Compared[] {
  const found = new Map<string, Compared>();
  for (const [, name, operator, number, unit] of condition.matchAll(COMPARISON)) {
    const figure = FIGURES[name!.toLowerCase()];
    if (!figure || found.has(name!.toLowerCase())) continue;
    const bound = Number(number) * (figure[1] === 'ms' && unit ? (MS[unit.toLowerCase()] ?? 1) : 1);
    found.set(name!.toLowerCase(), { figure: name!.toLowerCase(), operator: operator!, bound, of: figure[0], unit: figure[1] });
  }
  return [...found.values()];
}

/** Whether a condition is one comparison and nothing more: then it can be said when it held. */
export function isSimple(condition: string): boolean {
  const rest = condition.replace(/\bfor\s+[\w\s]+$/i, '').replace(COMPARISON, '').replace(/[%\s]|\/s/g, '');
  return rest === '' && comparedIn(condition).length === 1;
}

/** Whether a comparison holds; what is not known makes none true. */
export function holds(c: Compared, v: number | null | undefined): boolean {
  if (v == null) return false;
  switch (c.operator) {
    case '>': return v > c.bound;
    case '>=': return v >= c.bound;
    case '<': return v < c.bound;
    case '<=': return v <= c.bound;
    case '==': return v === c.bound;
    default: return v !== c.bound;
  }
}

/** How often a comparison held for as long as is asked, and in how many steps in all. */
export function heldIn(c: Compared, values: (number | null | undefined)[], need: number): { times: number; steps: number } {
  let run = 0;
  let times = 0;
  let steps = 0;
  for (const v of values) {
    run = holds(c, v) ? run + 1 : 0;
    if (run > 0) steps++;
    if (run === need) times++;
  }
  return { times, steps };
}
