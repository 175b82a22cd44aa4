import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { LogRecord } from '../api/types';
import { clock } from '../format/format';
import { LevelTag } from '../parts/LevelTag';
import { rowText } from '../parts/plain';
import { ids } from '../testids';

const ROW = 22; // px; all rows are of one height, so that only those in sight are drawn
const MARGIN = 10; // rows drawn beyond the edge

interface Props { records: LogRecord[]; follow: boolean; onScrollUp?: () => void; onOpen: (r: LogRecord) => void; all: boolean; empty: string }

/** Records as rows, the newest last. */
export function LogRows({ records, follow, onScrollUp, onOpen, all, empty }: Props) {
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
      onWheel={(e) => e.deltaY < 0 && e.currentTarget.scrollHeight > e.currentTarget.clientHeight && onScrollUp?.()}
      onTouchMove={onScrollUp}
    >
      {records.length === 0 && <p className="quiet">{empty}</p>}
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

function firstLine(r: LogRecord): string {
  return rowText(r.msg || r.exc?.trim().split('\n').pop() || '');
}
