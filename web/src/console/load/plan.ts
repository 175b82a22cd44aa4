import type { LoadTestRequestBody } from '../../api/schema';

/** What the form holds: a load test told by a few numbers, or by a scenario. */
export interface Plan { by: 'form' | 'scenario'; rate: number; peak: number; minutes: number; shape: string; paths: string; ensure: string; scenario: string }

export const SHAPES: { value: string; label: string; peaks?: boolean }[] = [
  { value: 'constant', label: 'constant' },
  { value: 'ramp', label: 'ramp, from the rate to the peak', peaks: true },
  { value: 'spike', label: 'spike to the peak in the middle', peaks: true },
  { value: 'sine', label: 'sine, up to the peak and back', peaks: true },
  { value: 'poisson', label: 'poisson, as independent people come' },
];

export const peaks = (shape: string) => SHAPES.some((s) => s.value === shape && s.peaks);

const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter(Boolean);

/** The plan as the API takes it. */
export function bodyOf(p: Plan): Partial<LoadTestRequestBody> {
  if (p.by === 'scenario') return { scenario: p.scenario };
  return {
    rate: p.rate, seconds: Math.round(p.minutes * 60), shape: p.shape as LoadTestRequestBody['shape'], paths: lines(p.paths), ensure: lines(p.ensure),
    ...(peaks(p.shape) ? { peak: p.peak } : {}),
  };
}

export const START: Plan = { by: 'form', rate: 10, peak: 50, minutes: 1, shape: 'constant', paths: '/', ensure: 'error_rate < 1%', scenario: `# docs/reqsim.md has all that may stand here.
warm_up: 5s                      # sent, and left out of the report
phases:
  - {name: calm, rate: 5, for: 20s}
  - {name: climb, shape: ramp, rate: 5, peak: 40, for: 30s}
  - {name: people, shape: poisson, rate: 20, for: 30s}
requests:
  - {get: /, weight: 4}
  - weight: 1                    # one of five visits has two steps
    steps:
      - {get: /, think: 500ms-2s}
      - {name: again, get: '/?n={{n}}'}
ensure:
  - p95 < 200ms
  - error_rate < 1%
` };

/** The file that a report is saved as. */
export const REPORTS = ['html', 'json', 'csv', 'txt'] as const;
