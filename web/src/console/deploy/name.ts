const PATTERN = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;
const PLAIN = new Set(['app', 'main', 'wsgi', 'src', 'source', 'archive', 'upload']);

/** A name for the app from a file's or folder's; one that says nothing becomes my-app. */
export function guessName(file: string): string {
  const stem = file
    .toLowerCase()
    .replace(/\.(zip|tar\.gz|tgz|py)$/, '')
    .replace(/[-_ ](main|master|v?\d+(\.\d+)*|\(\d+\))$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return stem === '' || PLAIN.has(stem) ? 'my-app' : stem;
}

/** Why name cannot be an app's, or null where it can. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'An app needs a name: it becomes part of its address.';
  if (PATTERN.test(name)) return null;
  return "Use 1 to 40 of a-z, 0-9 and '-', starting with a letter and not ending with '-'.";
}
