import { Button, Group, Text, UnstyledButton } from '@mantine/core';
import { useRef, useState } from 'react';
import { Problem } from '../../parts/Said';
import { FoxMark } from '../../theme/FoxMark';
import { IconUpload } from '../../theme/icons';
import { ids } from '../../testids';
import { collect, collectInput, type Bundle } from './collect';
import { DeployForm } from './DeployForm';
import { useDrop } from './useDrop';
import { PasteForm } from './PasteForm';
import { SAMPLES, sampleBundle } from './samples';

/** The place to drop an app. `app` fixes its name: then a drop is a new release of it. */
export function DropArea({ big, app, samples }: { big?: boolean; app?: string; samples?: boolean }) {
  const [bundle, setBundle] = useState<Bundle | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [pasting, setPasting] = useState(false);
  const [text, setText] = useState<string | null>(null); // kept while one goes back and forth
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
  const over = useDrop((transfer) => void take(() => collect(transfer)));
  if (bundle) return <DeployForm key={bundle.id} bundle={bundle} app={app} onCancel={() => setBundle(null)} />;
  if (pasting) return <PasteForm text={text} onText={setText} onDone={setBundle} onCancel={() => setPasting(false)} />;

  return (
    <div>
      <div className={big ? 'drop drop-big' : 'drop'} data-over={over || undefined} data-testid={ids.dropZone}>
        <div className="drop-in">
          {big ? <span className="drop-mark"><FoxMark size={72} /></span> : <IconUpload size={22} className="tone-idle" />}
          <div className="drop-words">
            <Text fw={650} size={big ? 'xl' : 'md'}>{over ? 'Let go to deploy it' : app ? `Drop a new release of ${app}` : 'Drop your Flask app here'}</Text>
            <Text c="dimmed" size="sm">A .zip, a folder, a .tar.gz or a single .py file</Text>
          </div>
          <Group gap="xs" className="drop-choose">
            <Button variant={big ? 'filled' : 'default'} onClick={() => files.current?.click()}>Choose a file</Button>
            <Button variant="default" onClick={() => folder.current?.click()}>Choose a folder</Button>
            <Button variant={big ? 'default' : 'subtle'} color="gray" onClick={() => setPasting(true)} data-testid={ids.pasteOpen}>Paste code</Button>
          </Group>
        </div>
      </div>
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
