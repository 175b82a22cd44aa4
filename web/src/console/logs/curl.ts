import type { LogRecord } from '../../api/types';

/** A request record as a command that asks the same again; what was sent as its body is not kept. */
export function curlOf(record: LogRecord, address: string): string | null {
  if (!record.method || !record.url) return null;
  const method = record.method === 'GET' ? '' : record.method === 'HEAD' ? '-I ' : `-X ${quoted(record.method)} `;
  return `curl -i ${method}${quoted(address.replace(/\/$/, '') + record.url)}`;
}

/** An argument as a shell needs it. */
export function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
