import { guessName } from './name';

/** One file of a dropped folder; path is relative to that folder. */
export interface Part { path: string; file: File }

/** What was dropped, ready to be sent. */
export type Bundle = { id: number } & (
  | { form: 'archive'; type: 'application/zip' | 'application/gzip' | 'text/x-python'; file: File; name: string; bytes: number }
  | { form: 'folder'; parts: Part[]; folder: string; name: string; bytes: number; left: string[] }
);

let made = 0;

/** Tells one choice from the next, be it of the same file. */
export const nextId = () => ++made;

// Never part of an app: histories, caches and environments that the build makes itself.
const LEFT_OUT = new Set(['.git', '.hg', '.svn', '__pycache__', '.venv', 'venv', 'node_modules', '.mypy_cache', '.pytest_cache', '.DS_Store', '.idea', '.vscode']);
const MAX_FILES = 5000;

/** Reads a drop or a choice of files. Throws an Error whose message is a sentence. */
export async function collect(transfer: DataTransfer): Promise<Bundle> {
  // Entries must be taken before the first await: the list is emptied after the event.
  const entries = [...transfer.items].map((i) => i.webkitGetAsEntry?.()).filter((e) => e != null);
  const files = [...transfer.files];
  if (!entries.some((e) => e.isDirectory)) return fromFiles(files.map((file) => ({ path: file.name, file })));
  const walk: Walk = { parts: [], left: new Set() };
  for (const e of entries) await visit(e, e.name, walk);
  return fromFiles(walk.parts, [...walk.left]);
}

/** Reads what a file input holds; folders chosen there bring their paths along. */
export function collectInput(list: FileList): Bundle {
  const all = [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  const unwanted = (path: string) => path.split('/').find((s) => LEFT_OUT.has(s));
  const left = new Set(all.map((p) => unwanted(p.path)).filter((s) => s !== undefined));
  return fromFiles(all.filter((p) => unwanted(p.path) === undefined), [...left]);
}

export function fromFiles(parts: Part[], left: string[] = []): Bundle {
  if (parts.length === 0) throw new Error('Nothing to deploy was in there. Drop a .zip, a folder, a .tar.gz or one .py file.');
  const [only] = parts;
  if (parts.length === 1 && only && !only.path.includes('/')) return single(only.file);
  if (parts.length > MAX_FILES) {
    throw new Error(`The folder holds more than ${MAX_FILES.toLocaleString('en-US')} files. Leave out what the app does not need, or drop it as a zip.`);
  }
  const tops = new Set(parts.map((p) => (p.path.includes('/') ? p.path.split('/')[0]! : '')));
  const folder = tops.size === 1 ? [...tops][0]! : '';
  const inside = folder ? parts.map((p) => ({ ...p, path: p.path.slice(folder.length + 1) })) : parts;
  const bytes = inside.reduce((sum, p) => sum + p.file.size, 0);
  return { id: nextId(), form: 'folder', parts: inside, folder: folder || 'files', name: guessName(folder || 'my-app'), bytes, left };
}

function single(file: File): Bundle {
  const lower = file.name.toLowerCase();
  const as = (type: 'application/zip' | 'application/gzip' | 'text/x-python'): Bundle => ({ id: nextId(), form: 'archive', type, file, name: guessName(file.name), bytes: file.size });
  if (lower.endsWith('.zip')) return as('application/zip');
  if (lower.endsWith('.tar.gz') || lower.endsWith('.tgz')) return as('application/gzip');
  if (lower.endsWith('.py')) return as('text/x-python');
  throw new Error(`${file.name} is none of the forms that Kurama takes. Drop a .zip, a folder, a .tar.gz or one .py file.`);
}

interface Walk { parts: Part[]; left: Set<string> }

async function visit(entry: FileSystemEntry, path: string, walk: Walk): Promise<void> {
  if (LEFT_OUT.has(entry.name)) {
    walk.left.add(entry.name);
    return;
  }
  if (entry.isFile) {
    const file = await new Promise<File>((ok, no) => (entry as FileSystemFileEntry).file(ok, no));
    walk.parts.push({ path, file });
    return;
  }
  if (walk.parts.length > MAX_FILES) return; // fromFiles says so
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives about a hundred entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((ok, no) => reader.readEntries(ok, no));
    if (some.length === 0) return;
    for (const e of some) await visit(e, `${path}/${e.name}`, walk);
  }
}
