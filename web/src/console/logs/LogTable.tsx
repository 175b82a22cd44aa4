import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { LogRecord } from '../../api/types';
import { clock, exact, utc } from '../../format/format';
import { LevelTag } from '../../parts/LevelTag';
import { rowText } from '../../parts/plain';
import { RecordDetail } from '../../parts/RecordDetail';
import { ids } from '../../testids';
import { curlOf } from './curl';

interface Props { records: LogRecord[]; address: string; empty: ReactNode; onEnd?: () => void; onFollow: (req: string) => void }

/** Records as rows; only those in sight are in the page. A click shows all of one. */
export function LogTable({ records, address, empty, onEnd, onFollow }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<string | null>(null);
  const rows = useVirtualizer({
    count: records.length,
    getScrollElement: () => box.current,
    estimateSize: () => 25,
    getItemKey: (i) => records[i]?.id || i,
    overscan: 20,
  });
  const items = rows.getVirtualItems();
  const lastSeen = items[items.length - 1]?.index ?? -1;
  useEffect(() => {
    if (records.length > 0 && lastSeen >= records.length - 20) onEnd?.();
  }, [lastSeen, records.length, onEnd]);
  return (
    <div className="logs" ref={box} tabIndex={-1}>
      {records.length === 0 && empty && <div className="empty">{empty}</div>}
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {items.map((item) => {
          const r = records[item.index]!;
          const is = open === r.id;
          return (
            <div key={item.key} data-index={item.index} ref={rows.measureElement} style={{ position: 'absolute', insetInline: 0, top: 0, transform: `translateY(${item.start}px)` }}>
              <Row record={r} open={is} onClick={() => setOpen(is ? null : r.id)} />
              {is && <RecordDetail record={r} onFollow={onFollow} curl={curlOf(r, address)} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Row({ record: r, open, onClick }: { record: LogRecord; open: boolean; onClick: () => void }) {
  const day = Date.now() - Date.parse(r.ts) > 86400000 ? exact(r.ts).slice(0, 6) + ' ' : '';
  return (
    <button type="button" className="log-row plain" aria-expanded={open} onClick={onClick} data-testid={ids.logRow} data-kind={r.kind}>
      <span className="log-ts" title={utc(r.ts)}>{day}{clock(r.ts)}</span>
      <LevelTag level={r.level} />
      <span className="log-replica" title={r.replica ?? ''}>{shortReplica(r)}</span>
      <span className="log-msg">{firstLine(r)}</span>
    </button>
  );
}

/** The last six letters tell an app's replicas apart. */
function shortReplica(r: LogRecord): string {
  if (r.kind === 'event') return 'event';
  return r.replica ? r.replica.slice(r.replica.lastIndexOf('-') + 1) : '';
}

function firstLine(r: LogRecord): string {
  return rowText(r.msg || r.exc?.trim().split('\n').pop() || '');
}
