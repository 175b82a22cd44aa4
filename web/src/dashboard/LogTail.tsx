import { ActionIcon, Button, Drawer, Select, TextInput, Tooltip } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { LogRecord } from '../api/types';
import { count } from '../format/format';
import { LEVELS, levelRank } from '../parts/LevelTag';
import { RecordDetail } from '../parts/RecordDetail';
import { ids } from '../testids';
import { IconPlayerPause, IconPlayerPlay, IconTrash } from '../theme/icons';
import { LogRows } from './LogRows';
import { LOGS_KEPT } from './logring';
import { useFeed, useLiveEvery } from './useLive';
import { usePastWindow } from './usePastWindow';
import { useMoves } from './view';

/** The records of the time that is looked at. */
export function LogTail() {
  const view = useMoves(useFeed().view);
  return view.end === null ? <LiveTail /> : <PastTail />;
}

/** The latest records. It follows the newest until one scrolls up or pauses. */
function LiveTail() {
  const store = useLiveEvery('logs', 150);
  const { logs } = store;
  const [paused, setPaused] = useState<{ records: LogRecord[]; at: number } | null>(null);
  const [, draw] = useState(0);
  const fresh = paused ? logs.added - paused.at : 0;
  const pause = () => setPaused({ records: logs.records, at: logs.added });
  const clear = () => {
    logs.clear();
    setPaused(null);
    draw((n) => n + 1);
  };
  return (
    <Frame
      records={paused?.records ?? logs.records} says={`latest ${count(LOGS_KEPT)} records`} dropped={logs.dropped} follow={!paused} all={!store.app} onScrollUp={() => !paused && pause()}
      empty="No record to show. New ones appear here as they are written."
    >
      <Button size="xs" variant="default" leftSection={paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />} onClick={() => (paused ? setPaused(null) : pause())} data-testid={ids.logPause} aria-pressed={paused != null}>
        {paused ? `Go on${fresh > 0 ? ` (${count(fresh)} new)` : ''}` : 'Pause'}
      </Button>
      <Tooltip label="Clear the view"><ActionIcon variant="subtle" color="gray" aria-label="Clear the view" onClick={clear}><IconTrash size={16} /></ActionIcon></Tooltip>
    </Frame>
  );
}

/** The newest records of the past that is looked at. */
function PastTail() {
  const { store } = useFeed();
  const { data, isFetching } = usePastWindow();
  const records = data?.records ?? [];
  const empty = !store.app ? 'Choose an app to read what it wrote at that time.' : isFetching ? 'Reading the history…' : 'Nothing was written in this window.';
  return <Frame records={records} says={records.length > 0 ? `the newest ${count(records.length)} records of this window` : ''} dropped={0} follow all={!store.app} empty={empty} />;
}

interface FrameProps { records: LogRecord[]; says: string; dropped: number; follow: boolean; all: boolean; empty: string; onScrollUp?: () => void; children?: ReactNode }

function Frame({ records, says, dropped, follow, all, empty, onScrollUp, children }: FrameProps) {
  const [text, setText] = useState('');
  const [level, setLevel] = useState('');
  const [open, setOpen] = useState<LogRecord | null>(null);
  const shown = records.filter((r) => fits(r, text.toLowerCase(), level));
  return (
    <section className="panel tail" aria-label="Log">
      <header className="panel-head">
        <h2 className="panel-title">Log</h2>
        <span className="label">{says}</span>
        <span className="label" data-testid={ids.logDropped} data-value={dropped}>{dropped > 0 ? `${count(dropped)} more came too fast to show; the console has them` : ''}</span>
        <div className="tail-tools">
          <TextInput size="xs" placeholder="Filter by text" aria-label="Filter by text" value={text} onChange={(e) => setText(e.currentTarget.value)} data-testid={ids.logSearch} spellCheck={false} />
          <Select size="xs" w={130} aria-label="Level" allowDeselect={false} value={level} onChange={(v) => setLevel(v ?? '')} data={[{ value: '', label: 'Any level' }, ...LEVELS.map((l) => ({ value: l, label: l === 'CRITICAL' ? l : `${l} and up` }))]} data-testid={ids.logLevel} />
          {children}
        </div>
      </header>
      <LogRows records={shown} follow={follow} onScrollUp={onScrollUp} onOpen={setOpen} all={all} empty={empty} />
      <Drawer opened={open != null} onClose={() => setOpen(null)} position="right" size="lg" title="Record">{open && <RecordDetail record={open} />}</Drawer>
    </section>
  );
}

function fits(r: LogRecord, text: string, level: string): boolean {
  if (level && levelRank(r.level) < levelRank(level)) return false;
  return !text || `${r.msg ?? ''}\n${r.exc ?? ''}\n${r.url ?? ''}`.toLowerCase().includes(text);
}

