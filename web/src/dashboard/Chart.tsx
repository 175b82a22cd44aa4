import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { ChartView, type ChartSpec } from './ChartView';
import { useFeed } from './useLive';
import { useMoves } from './view';
import { windowWords } from './words';

/** A chart over the time that is looked at. Live, it scrolls with the clock; it can be dragged into the past. */
export function Chart({ spec }: { spec: ChartSpec }) {
  const feed = useFeed();
  const view = useMoves(feed.view);
  const dark = useComputedColorScheme('light') === 'dark';
  const box = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLDListElement>(null);
  const at = useRef<HTMLSpanElement>(null);
  const none = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const parts = { box: box.current!, legend: legend.current!, at: at.current!, none: none.current! };
    const chart = new ChartView(parts, feed, spec, dark);
    return () => chart.destroy();
  }, [feed, spec, dark]);
  const says = `${spec.unit}, ${windowWords(view)}`;
  return (
    <figure className="panel chart" data-testid={`chart-${spec.id}`}>
      <figcaption>
        <h2 className="panel-title">{spec.title}</h2>
        <span className="label">{says}</span>
        <span ref={at} className="chart-at label ellipsis" />
      </figcaption>
      <div ref={box} className="chart-box" role="img" aria-label={`${spec.title}, ${says}`}><p ref={none} className="chart-none quiet" hidden>{spec.none}</p></div>
      <dl ref={legend} className="legend" />
    </figure>
  );
}
