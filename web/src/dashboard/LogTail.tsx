import { ActionIcon, Button, Drawer, Select, TextInput, Tooltip } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { LogRecord } from '../api/types';
import { clock, count } from '../format/format';
import { LEVELS, levelRank, LevelTag } from '../parts/LevelTag';
import { rowText } from '../parts/plain';
import { RecordDetail } from '../parts/RecordDetail';
import { ids } from '../testids';
import { IconPlayerPause, IconPlayerPlay, IconTrash } from '../theme/icons';
import { LOGS_KEPT } from './logring';
import { useLiveEvery } from './useLive';

const ROW = 22; // px; all rows are of one height, so that only those in sight are drawn
const MARGIN = 10; // rows drawn beyond the edge

/** The latest records. It follows the newest until one scrolls up or pauses. */
export function LogTail() {
  const store = useLiveEvery('logs', 150);
  const { logs } = store;
  const [text, setText] = useState('');
  const [level, setLevel] = useState('');
  const [paused, setPaused] = useState<{ records: LogRecord[]; at: number } | null>(null);
  const [open, setOpen] = useState<LogRecord | null>(null);
  const shown = (paused?.records ?? logs.records).filter((r) => fits(r, text.toLowerCase(), level));
  const fresh = paused ? logs.added - paused.at : 0;
  const pause = () => setPaused({ records: logs.records, at: logs.added });
  return (
    <section className="panel tail" aria-label="Log">
      <header className="panel-head">
        <h2 className="panel-title">Log</h2>
        <span className="label">latest {count(LOGS_KEPT)} records</span>
        <span className="label" data-testid={ids.logDropped} data-value={logs.dropped}>{logs.dropped > 0 ? `${count(logs.dropped)} more came too fast to show; the console has them` : ''}</span>
        <div className="tail-tools">
          <TextInput size="xs" placeholder="Filter by text" aria-label="Filter by text" value={text} onChange={(e) => setText(e.currentTarget.value)} data-testid={ids.logSearch} spellCheck={false} />
          <Select size="xs" w={130} aria-label="Level" allowDeselect={false} value={level} onChange={(v) => setLevel(v ?? '')} data={[{ value: '', label: 'Any level' }, ...LEVELS.map((l) => ({ value: l, label: l === 'CRITICAL' ? l : `${l} and up` }))]} data-testid={ids.logLevel} />
          <Button size="xs" variant="default" leftSection={paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />} onClick={() => (paused ? setPaused(null) : pause())} data-testid={ids.logPause} aria-pressed={paused != null}>
            {paused ? `Go on${fresh > 0 ? ` (${count(fresh)} new)` : ''}` : 'Pause'}
          </Button>
          <Tooltip label="Clear the view">
            <ActionIcon variant="subtle" color="gray" aria-label="Clear the view" onClick={() => { logs.clear(); setPaused(null); setText((t) => t); }}><IconTrash size={16} /></ActionIcon>
          </Tooltip>
        </div>
      </header>
      <Rows records={shown} follow={!paused} onScrollUp={() => !paused && pause()} onOpen={setOpen} all={!store.app} />
      <Drawer opened={open != null} onClose={() => setOpen(null)} position="right" size="lg" title="Record">{open && <RecordDetail record={open} />}</Drawer>
    </section>
  );
}

interface RowsProps { records: LogRecord[]; follow: boolean; onScrollUp: () => void; onOpen: (r: LogRecord) => void; all: boolean }

function Rows({ records, follow, onScrollUp, onOpen, all }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 320 });
  useLayoutEffect(() => {
    const el = box.current!;
    if (follow) el.scrollTop = el.scrollHeight;
    setView((v) => (v.top === el.scrollTop && v.height === el.clientHeight ? v : { top: el.scrollTop, height: el.clientHeight }));
  }, [records, follow]);
  useEffect(() => {
    const size = new ResizeObserver(() => setView((v) => ({ ...v, height: box.current!.clientHeight })));
    size.observe(box.current!);
    return () => size.disconnect();
  }, []);
  const from = Math.max(0, Math.floor(view.top / ROW) - MARGIN);
  const to = Math.min(records.length, Math.ceil((view.top + view.height) / ROW) + MARGIN);
  return (
    <div
      className="tail-rows" ref={box} tabIndex={0} role="log" aria-label="Latest records" aria-live="off" data-testid={ids.logTail}
      onScroll={(e) => setView({ top: e.currentTarget.scrollTop, height: e.currentTarget.clientHeight })}
      onWheel={(e) => e.deltaY < 0 && e.currentTarget.scrollHeight > e.currentTarget.clientHeight && onScrollUp()}
      onTouchMove={onScrollUp}
    >
      {records.length === 0 && <p className="quiet">No record to show. New ones appear here as they are written.</p>}
      <div style={{ height: records.length * ROW, position: 'relative' }}>
        {records.slice(from, to).map((r, i) => (
          <button key={r.id || from + i} type="button" className="plain tail-row" style={{ top: (from + i) * ROW }} onClick={() => onOpen(r)} data-testid={ids.logRow} data-kind={r.kind}>
            <span className="dim">{clock(r.ts)}</span>
            <LevelTag level={r.level} />
            <span className="dim tail-replica ellipsis">{all ? r.app : r.replica?.slice(r.replica.lastIndexOf('-') + 1)}</span>
            <span className="tail-msg">{firstLine(r)}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function fits(r: LogRecord, text: string, level: string): boolean {
  if (level && levelRank(r.level) < levelRank(level)) return false;
  return !text || `${r.msg ?? ''}\n${r.exc ?? ''}\n${r.url ?? ''}`.toLowerCase().includes(text);
}

function firstLine(r: LogRecord): string {
  return rowText(r.msg || r.exc?.trim().split('\n').pop() || '');
}
