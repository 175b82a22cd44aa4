import { Button, TextInput } from '@mantine/core';
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { StackView } from '../../api/schema';
import { count, ms, percent } from '../../format/format';
import { plain } from '../../parts/plain';
import { ids } from '../../testids';
import './flame.css';
import { boxAt, boxesOf, found, kind, matcher, place, step, type Box } from './layout';

const ROW = 22; // px

/** Stacks as boxes: as wide as the time spent in them, callees below their callers. */
export function FlameGraph({ view }: { view: StackView }) {
  const root = useMemo(() => boxesOf(view), [view]);
  const [zoomed, setZoomed] = useState(''); // paths: while it is sampled, an answer with more comes every few seconds
  const [at, setAt] = useState('');
  const [text, setText] = useState('');
  const graph = useRef<HTMLDivElement>(null);
  const zoom = boxAt(root, zoomed);
  const current = at ? boxAt(root, at) : zoom;
  const rows = useMemo(() => place(zoom), [zoom]);
  const matches = matcher(text);
  const go = (to: Box) => { setAt(to.path); graph.current?.querySelector<HTMLElement>(`[data-node="${to.id}"]`)?.focus(); };
  const key = (e: KeyboardEvent) => {
    const to = step(current, e.key, rows);
    if (to) go(to);
    else if (e.key === 'Escape' && zoom.parent) setZoomed(zoom.parent.path);
    else return;
    e.preventDefault();
  };
  return (
    <div data-testid={ids.flame}>
      <div className="flame-head">
        <TextInput size="xs" placeholder="Search functions and files" aria-label="Search functions and files" value={text} onChange={(e) => setText(e.currentTarget.value)} />
        {text.trim() && <span className="label" role="status">{percent((100 * found(root, text)) / Math.max(root.ms, 1e-9))} of the time is below what matches</span>}
        {zoom !== root && <Button size="compact-xs" variant="default" onClick={() => setZoomed('')}>Zoom out</Button>}
        <span className="label flame-keys">Click or Enter zooms in, Esc out, arrows walk.</span>
      </div>
      <div className="flame" ref={graph} onKeyDown={key} role="group" aria-label="Flame graph" style={{ height: ROW * (1 + Math.max(...rows.map((r) => r.row))) }}>
        {rows.map(({ box, left, width, row }) => (
          <button key={box.path} type="button" data-node={box.id} tabIndex={box === current ? 0 : -1} className={`flame-box flame-${kind(box)}${matches(box) ? ' flame-match' : ''}${text.trim() && !matches(box) ? ' flame-other' : ''}`}
            style={{ left: `${left}%`, width: `${width}%`, top: row * ROW }} aria-label={`${plain(box.name)}: ${ms(box.ms)}, ${percent((100 * box.ms) / Math.max(root.ms, 1e-9))}`}
            onClick={() => { setZoomed(box.path); setAt(box.path); }} onFocus={() => setAt(box.path)} onMouseEnter={() => setAt(box.path)}>
            {width > 1.5 && plain(box.name)}
          </button>
        ))}
      </div>
      <p className="flame-at mono" aria-live="polite">
        <b>{plain(current.name)}</b> {ms(current.ms)} ({percent((100 * current.ms) / Math.max(root.ms, 1e-9))}), itself {ms(current.own)}, {count(current.samples)} samples
      </p>
    </div>
  );
}
