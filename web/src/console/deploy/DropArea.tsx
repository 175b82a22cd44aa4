import { Button, Group, Text, UnstyledButton } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { useRef, useState } from 'react';
import { Problem } from '../../parts/Said';
import { FoxMark } from '../../theme/FoxMark';
import { IconUpload } from '../../theme/icons';
import { ids } from '../../testids';
import { collect, collectInput, type Bundle } from './collect';
import { DeployForm } from './DeployForm';
import { SAMPLES, sampleBundle } from './samples';

/** The place to drop an app. `app` fixes its name: then a drop is a new release of it. */
export function DropArea({ big, app, samples }: { big?: boolean; app?: string; samples?: boolean }) {
  const [bundle, setBundle] = useState<Bundle | null>(null);
  const [error, setError] = useState<unknown>(null);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);

  const take = async (from: () => Bundle | Promise<Bundle>) => {
    setError(null);
    try {
      setBundle(await from());
    } catch (err) {
      setError(err);
    }
  };
  if (bundle) return <DeployForm bundle={bundle} app={app} onCancel={() => setBundle(null)} />;

  // Mantine's drop zone gives the look and the states; reading the drop is ours, for folders with their paths.
  const fromDrop = async (event: unknown): Promise<File[]> => {
    const transfer = (event as DragEvent).dataTransfer;
    if ((event as DragEvent).type === 'drop' && transfer) await take(() => collect(transfer));
    return [];
  };
  return (
    <div>
      <Dropzone
        onDrop={() => undefined} getFilesFromEvent={fromDrop} activateOnClick={false} activateOnKeyboard={false} tabIndex={-1}
        className={big ? 'drop drop-big' : 'drop'} data-testid={ids.dropZone}
        inputProps={{ tabIndex: -1, 'aria-hidden': true, disabled: true }}
      >
        <div className="drop-in">
          {big ? <span className="drop-mark"><FoxMark size={72} /></span> : <IconUpload size={22} className="tone-idle" />}
          <div className="drop-words">
            <Text fw={650} size={big ? 'xl' : 'md'}>{app ? `Drop a new release of ${app}` : 'Drop your Flask app here'}</Text>
            <Text c="dimmed" size="sm">A .zip, a folder, a .tar.gz or a single .py file</Text>
          </div>
          <Group gap="xs" className="drop-choose">
            <Button variant={big ? 'filled' : 'default'} onClick={() => files.current?.click()}>Choose a file</Button>
            <Button variant="default" onClick={() => folder.current?.click()}>Choose a folder</Button>
          </Group>
        </div>
      </Dropzone>
      <input
        ref={files} type="file" hidden accept=".zip,.tar.gz,.tgz,.gz,.py" aria-label="File to deploy" data-testid={ids.fileInput}
        onChange={(e) => { const list = e.currentTarget.files; if (list?.length) void take(() => collectInput(list)); }}
      />
      <input
        ref={folder} type="file" hidden multiple aria-label="Folder to deploy" data-testid={ids.folderInput} {...{ webkitdirectory: '' }}
        onChange={(e) => { const list = e.currentTarget.files; if (list?.length) void take(() => collectInput(list)); }}
      />
      {error ? <div className="gap-top"><Problem error={error} /></div> : null}
      {samples && (
        <div className="samples">
          <Text size="sm" c="dimmed">Nothing at hand? Start from a sample:</Text>
          <div className="samples-row">
            {SAMPLES.map((s) => (
              <UnstyledButton key={s.name} className="panel sample" onClick={() => void take(() => sampleBundle(s))} data-testid={`sample-${s.name}`}>
                <Text fw={600}>{s.title}</Text>
                <Text size="sm" c="dimmed">{s.says}</Text>
              </UnstyledButton>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}
