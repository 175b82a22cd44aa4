import type { LogRecord } from '../api/types';

export const LOGS_KEPT = 1000;

/** The latest records, oldest first. After a reconnect the snapshot's are not taken twice. */
export class LogRing {
  records: LogRecord[] = [];
  dropped = 0; // records that the server had and did not send, as it told
  added = 0; // records ever taken in
  private known: Set<string> | null = null;

  beginSnapshot(): void {
    this.known = new Set(this.records.map((r) => r.id));
  }

  push(records: LogRecord[], dropped: number): void {
    const known = this.known;
    this.known = null;
    const fresh = known ? records.filter((r) => !known.has(r.id)) : records;
    this.added += fresh.length;
    this.dropped += dropped;
    this.records = this.records.concat(fresh);
    if (this.records.length > LOGS_KEPT) this.records = this.records.slice(-LOGS_KEPT);
  }

  clear(): void {
    this.records = [];
    this.dropped = 0;
  }
}
