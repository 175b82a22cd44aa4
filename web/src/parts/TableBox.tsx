import { useEffect, useRef, useState, type ReactNode } from 'react';

/** What holds a table: where the table is wider than the page it scrolls, and then the keyboard reaches it. */
export function TableBox({ children, className = '', label }: { children: ReactNode; className?: string; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const el = box.current!;
    const size = new ResizeObserver(() => setScrolls(el.scrollWidth > el.clientWidth));
    size.observe(el);
    if (el.firstElementChild) size.observe(el.firstElementChild);
    return () => size.disconnect();
  }, []);
  return <div ref={box} className={`table-box ${className}`} {...(scrolls ? { tabIndex: 0, role: 'region', 'aria-label': label } : {})}>{children}</div>;
}
