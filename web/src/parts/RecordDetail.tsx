import { Button, CopyButton, Group } from '@mantine/core';
import type { LogRecord } from '../api/types';
import { bytes, exact, ms, percent, utc } from '../format/format';
import { IconCheck, IconCopy, IconGitBranch, IconTerminal2 } from '../theme/icons';
import { ids } from '../testids';
import { plain } from './plain';
import './record.css';

/** All fields of a record. Whatever an app wrote is shown as text. */
export function RecordDetail({ record, onFollow, curl }: { record: LogRecord; onFollow?: (req: string) => void; curl?: string | null }) {
  const where = [record.app, record.release ? `release ${record.release}` : '', record.replica].filter(Boolean).join(' · ');
  const fields: [string, string | null | undefined][] = [
    ['ts', `${exact(record.ts)} (${utc(record.ts)})`],
    ['id', record.id],
    ['kind', record.kind],
    ['level', record.level],
    ['from', where],
    ['url', [record.method, record.url].filter(Boolean).join(' ')],
    ['route', record.route],
    ['status', record.status?.toString()],
    ['dur', record.dur == null ? null : ms(record.dur)],
    ['queue', record.queue == null ? null : ms(record.queue)],
    ['cpu_ms', record.cpu_ms == null ? null : ms(record.cpu_ms)],
    ['db_ms', record.db_ms == null ? null : ms(record.db_ms)],
    ['bytes', record.bytes == null ? null : bytes(record.bytes)],
    ['req', record.req],
    ['cpu', percent(record.cpu)],
    ['mem', percent(record.mem)],
    ['disk', percent(record.disk)],
    ['swap', percent(record.swap)],
  ];
  return (
    <div className="record" data-testid={ids.logDetail}>
      {record.msg && <pre className="record-msg">{plain(record.msg)}</pre>}
      {record.exc && <pre className="record-exc">{plain(record.exc)}</pre>}
      <dl>
        {fields.map(([k, v]) => (v ? <div key={k}><dt>{k}</dt><dd>{plain(v)}</dd></div> : null))}
      </dl>
      {record.extra && <pre className="record-extra">{plain(JSON.stringify(record.extra, null, 2))}</pre>}
      <Group gap="xs">
        <CopyButton value={JSON.stringify(record)}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />} onClick={copy}>
              {copied ? 'Copied' : 'Copy as JSON'}
            </Button>
          )}
        </CopyButton>
        {curl && (
          <CopyButton value={curl}>
            {({ copied, copy }) => (
              <Button size="compact-xs" variant="default" leftSection={copied ? <IconCheck size={14} /> : <IconTerminal2 size={14} />} onClick={copy} title={curl}>
                {copied ? 'Copied' : 'Copy as curl'}
              </Button>
            )}
          </CopyButton>
        )}
        {record.req && onFollow && (
          <Button size="compact-xs" variant="default" leftSection={<IconGitBranch size={14} />} onClick={() => onFollow(record.req!)}>
            Only this request
          </Button>
        )}
      </Group>
    </div>
  );
}
