import { useEffect, useRef, useState } from 'react';

/** Takes files and folders that are dropped anywhere on the page; true while some are held over it. */
export function useDrop(take: (transfer: DataTransfer) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    let depth = 0; // each element that is entered is left again
    const held = (e: DragEvent) => e.dataTransfer?.types.includes('Files') ?? false;
    const on: Record<string, (e: DragEvent) => void> = {
      dragenter: () => setOver(++depth > 0),
      dragover: (e) => { e.dataTransfer!.dropEffect = 'copy'; },
      dragleave: () => setOver(--depth > 0),
      drop: (e) => {
        depth = 0;
        setOver(false);
        latest.current(e.dataTransfer!);
      },
    };
    const handle = (e: DragEvent) => {
      if (!held(e)) return;
      e.preventDefault(); // or the browser would open the file in place of the page
      on[e.type]!(e);
    };
    const types = Object.keys(on) as ('drop')[];
    types.forEach((t) => window.addEventListener(t, handle));
    return () => types.forEach((t) => window.removeEventListener(t, handle));
  }, []);
  return over;
}
