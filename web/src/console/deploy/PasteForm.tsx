import { Button, Group, Text } from '@mantine/core';
import { useState, type FormEvent, type KeyboardEvent } from 'react';
import { bytes, plural } from '../../format/format';
import { ids } from '../../testids';
import { nextId, type Bundle } from './collect';

const START = `from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "Hello from my own code\\n"
`;

interface Props { text: string | null; onText: (text: string) => void; onDone: (bundle: Bundle) => void; onCancel: () => void }

/** One file of Python, written or pasted here. */
export function PasteForm({ text, onText, onDone, onCancel }: Props) {
  const code = text ?? START;
  const [leaving, setLeaving] = useState(false); // after Esc, Tab leaves the field as everywhere else
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const file = new File([code], 'app.py', { type: 'text/x-python' });
    onDone({ id: nextId(), form: 'archive', type: 'text/x-python', file, name: 'my-app', bytes: file.size });
  };
  const keys = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    if (e.key === 'Escape') return setLeaving(true);
    if (e.key !== 'Tab' || e.shiftKey || leaving) return setLeaving(false);
    e.preventDefault();
    const el = e.currentTarget;
    el.setRangeText('    ', el.selectionStart, el.selectionEnd, 'end');
    onText(el.value);
  };
  return (
    <form className="panel deploy-form" onSubmit={submit}>
      <Group gap="xs" mb="xs" align="baseline">
        <label htmlFor="paste" className="panel-title mono">app.py</label>
        <Text size="sm" c="dimmed">{plural(code.split('\n').length, 'line')}, {bytes(new Blob([code]).size)}</Text>
      </Group>
      <textarea
        id="paste" className="code-field mono" rows={18} value={code} onChange={(e) => onText(e.currentTarget.value)} onKeyDown={keys} autoFocus
        spellCheck={false} autoCapitalize="none" autoComplete="off" wrap="off" aria-describedby="paste-hint" data-testid={ids.pasteCode}
      />
      <Text size="sm" c="dimmed" mt={6} id="paste-hint">
        {/\bFlask\s*\(/.test(code) ? 'Flask and gunicorn are there. For other packages, drop a folder with a requirements.txt. Esc, then Tab leaves the field.' : 'No Flask app is in sight. Kurama looks for one at the top level, such as app = Flask(__name__).'}
      </Text>
      <Group gap="xs" mt="md">
        <Button type="submit" disabled={code.trim() === ''} data-testid={ids.pasteNext}>Go on</Button>
        <Button variant="subtle" color="gray" onClick={onCancel}>Cancel</Button>
      </Group>
    </form>
  );
}
