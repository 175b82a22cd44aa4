// Series colours from Okabe and Ito's set, safe for colour-blind eyes. A series has the same colour on every page.
// Each is [light, dark]: the dark ones are lifted until they read on dark ground.
type Pair = readonly [light: string, dark: string];

export const SERIES = {
  cpu: ['#0072B2', '#4FA8DC'],
  mem: ['#B8860B', '#E9B44C'],
  disk: ['#009E73', '#2FC79B'],
  swap: ['#8E5C9E', '#CC8FDB'],
  p50: ['#DDA0C2', '#9A5F82'],
  p95: ['#CC79A7', '#CC79A7'],
  p99: ['#8F4069', '#F0B6D4'],
  s2: ['#009E73', '#2BB58B'],
  s3: ['#56B4E9', '#56B4E9'],
  s4: ['#E69F00', '#E69F00'],
  s5: ['#D55E00', '#F0702A'],
  replicas: ['#0072B2', '#4FA8DC'],
  inflight: ['#56B4E9', '#56B4E9'],
  queued: ['#D55E00', '#F0702A'],
  host: ['#7D736A', '#A79D93'],
} as const satisfies Record<string, Pair>;

export type SeriesName = keyof typeof SERIES;

export function seriesColor(name: SeriesName, dark: boolean): string {
  return SERIES[name][dark ? 1 : 0];
}

/** A shade of one series for its i-th replica: the hue says which figure, the depth which replica. */
export function replicaColor(name: SeriesName, i: number, dark: boolean): string {
  const mix = [0, 35, 60, 20, 50, 75][i % 6] ?? 0;
  const towards = i % 2 === 0 ? (dark ? 'white' : 'black') : (dark ? 'black' : 'white');
  return blend(seriesColor(name, dark), towards, mix * 0.7);
}

function blend(hex: string, towards: 'white' | 'black', percent: number): string {
  const to = towards === 'white' ? 255 : 0;
  const part = (at: number) => {
    const v = parseInt(hex.slice(at, at + 2), 16);
    return Math.round(v + ((to - v) * percent) / 100);
  };
  return `rgb(${part(1)}, ${part(3)}, ${part(5)})`;
}
