/** Reads lines of the form NAME=value, as in a .env file; [] where text is none. */
export function parseDotenv(text: string): [string, string][] {
  const found: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const m = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (m) found.push([m[1]!, m[2]!.replace(/^(["'])(.*)\1$/, '$2')]);
  }
  return found;
}

/** Why a variable cannot be, or null. */
export function variableProblem(name: string, value: string): string | null {
  if (name === '') return value === '' ? null : 'A value needs a name.';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'Use letters, digits and _, not starting with a digit.';
  if (name === 'PORT' || name.startsWith('KURAMA_')) return `${name} is set by Kurama.`;
  return null;
}
