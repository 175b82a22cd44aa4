import type { ArchiveFile } from '../../api/types';
import { bytes, plural } from '../../format/format';
import { ids } from '../../testids';
import { daysOf, depthOf, type Day } from './days';
import './archive.css';

const WEEKS = 13;
const long = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat('en-GB', { month: 'short' });
const WEEKDAYS = ['Mon', '', 'Wed', '', 'Fri', '', ''];

/** Which days the archive holds, a column a week; a click chooses a day. */
export function Calendar({ files, chosen, onChoose }: { files: ArchiveFile[]; chosen: string; onChoose: (date: string) => void }) {
  const today = new Date();
  const days = daysOf(files, (WEEKS - 1) * 7 + ((today.getDay() + 6) % 7) + 1);
  const most = Math.max(...days.map((d) => d.records));
  return (
    <div className="panel panel-pad calendar">
      <div className="calendar-grid" role="group" aria-label="Days of the archive">
        {WEEKDAYS.map((w, i) => <span key={i} className="label" style={{ gridRow: i + 2, gridColumn: 1 }} aria-hidden>{w}</span>)}
        {days.map((d, i) => {
          const at = { gridRow: (i % 7) + 2, gridColumn: Math.floor(i / 7) + 2 };
          const first = i % 7 === 0 && (i === 0 || new Date(`${d.date}T12:00`).getDate() <= 7);
          return [
            first && <span key={`m${d.date}`} className="label calendar-month" style={{ gridRow: 1, gridColumn: at.gridColumn }} aria-hidden>{month.format(new Date(`${d.date}T12:00`))}</span>,
            <button key={d.date} type="button" className="day" style={at} data-depth={depthOf(d, most)} disabled={d.records === 0} aria-pressed={chosen === d.date} aria-label={words(d)} title={words(d)} onClick={() => onChoose(d.date)} data-testid={ids.calendarDay} />,
          ];
        })}
      </div>
      <p className="hint calendar-says">The last {WEEKS} weeks, stronger where more was recorded. Choose a day to download it.</p>
    </div>
  );
}

function words(d: Day): string {
  const day = long.format(new Date(`${d.date}T12:00`));
  return d.records === 0 ? `${day}: nothing` : `${day}: ${plural(d.records, 'record')} in ${plural(d.files, 'file')}, ${bytes(d.bytes)}`;
}
