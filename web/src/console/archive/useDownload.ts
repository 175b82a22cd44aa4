import { useRef, useState } from 'react';
import { sentence } from '../../api/client';
import { saveFile } from '../logs/save';

/** How a download stands. */
export interface Progress { bytes: number; total?: number; state: 'running' | 'done' | 'failed'; says?: string }

const TOLD = 200; // ms between two steps of the progress

/**
 * Loads a file while telling how far it is. The size of some formats is not known before: they are made as they are sent.
 * The browser keeps the parts on disk where they are many; a stop leaves nothing behind.
 */
export function useDownload() {
  const [progress, setProgress] = useState<Progress | null>(null);
  const running = useRef<AbortController | null>(null);
  const start = async (address: string, name: string) => {
    const stop = (running.current = new AbortController());
    let bytes = 0;
    let told = 0;
    setProgress({ bytes, state: 'running' });
    try {
      const answer = await fetch(address, { signal: stop.signal });
      if (!answer.ok) throw new Error(sentence(answer.status, await answer.text()).message);
      const total = Number(answer.headers.get('Content-Length')) || undefined;
      const parts: BlobPart[] = [];
      const reader = answer.body!.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        parts.push(new Blob([value]));
        bytes += value.length;
        if (Date.now() - told > TOLD) {
          told = Date.now();
          setProgress({ bytes, total, state: 'running' });
        }
      }
      saveFile(name, parts, answer.headers.get('Content-Type') ?? 'application/octet-stream');
      setProgress({ bytes, state: 'done' });
    } catch (err) {
      setProgress(stop.signal.aborted ? null : { bytes, state: 'failed', says: err instanceof Error ? err.message : String(err) });
    }
  };
  return { progress, start, stop: () => running.current?.abort() };
}
