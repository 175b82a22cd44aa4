// What an app writes may hold anything. Rows and details show it as text that stays in its place: colour codes of
// terminals are left out, other control characters and marks that turn the direction of text are made visible.
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;
const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]/g;

/** Text as it can be shown, line breaks kept. */
export function plain(text: string): string {
  return text.replace(ANSI, '').replace(/\r\n/g, '\n').replace(CONTROL, picture).replace(TURNING, '\ufffd');
}

function picture(c: string): string {
  const code = c.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
}

const ROW = 600; // characters of a row; the rest is in the record

/** The first line of text for a row, with a mark where more follows. */
export function rowText(text: string): string {
  const end = text.indexOf('\n');
  const line = plain((end < 0 ? text : text.slice(0, end)).slice(0, ROW + 1));
  return line.length > ROW || end >= 0 ? `${line.slice(0, ROW)} …` : line;
}
