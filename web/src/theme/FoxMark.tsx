import { useId } from 'react';
import { FACE, HEAD, TAILS } from './fox';

/** The mark: a fox's head before nine fanned tails, in the colour of the text around it. */
export function FoxMark({ size = 28, title }: { size?: number; title?: string }) {
  const mask = useId();
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} fill="currentColor" role={title ? 'img' : undefined} aria-hidden={title ? undefined : true}>
      {title && <title>{title}</title>}
      <mask id={mask}>
        <path fill="#fff" d="M0 0h32v32H0z" />
        <path d={HEAD} fill="#000" stroke="#000" strokeWidth="2.4" strokeLinejoin="round" />
      </mask>
      <path mask={`url(#${mask})`} d={TAILS} />
      <path fillRule="evenodd" d={HEAD + FACE} />
    </svg>
  );
}
