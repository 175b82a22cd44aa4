// Draws src/theme/fox.svg: a fox's head before nine fanned tails, one colour.
import { writeFileSync } from 'node:fs';
const f = (n) => n.toFixed(2).replace(/\.?0+$/, '');
const cx = 16, cy = 21.5;
let tails = '';
for (let i = 0; i < 9; i++) {
  const a = (-84 + i * 21) * Math.PI / 180;
  const L = 19.2 - Math.abs(i - 4) * 1.12, w = 3.1;
  const p = (x, y) => `${f(cx + x * Math.cos(a) - y * Math.sin(a))} ${f(cy + x * Math.sin(a) + y * Math.cos(a))}`;
  tails += `M${p(0, 0)}C${p(-w * .6, -L * .45)} ${p(-w, -L * .86)} ${p(0, -L)}C${p(w, -L * .86)} ${p(w * .6, -L * .45)} ${p(0, 0)}Z`;
}
const head = 'M8.2 12.2L13.2 15.6Q16 14.9 18.8 15.6L23.8 12.2Q25 17.6 23.9 21.2Q21.4 26.4 16 30.6Q10.6 26.4 8.1 21.2Q7 17.6 8.2 12.2Z';
const eyes = 'M11.4 20.3L14.3 22.2L12.5 22.7ZM20.6 20.3L17.7 22.2L19.5 22.7Z';
const nose = 'M14.7 27.3H17.3L16 28.7Z';
export const paths = { tails, head, eyes, nose };
writeFileSync(new URL('../src/theme/fox.svg', import.meta.url),
`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="#E8590C"><mask id="m"><path fill="#fff" d="M0 0h32v32H0z"/><path d="${head}" fill="#000" stroke="#000" stroke-width="2.4" stroke-linejoin="round"/></mask><path mask="url(#m)" d="${tails}"/><path fill-rule="evenodd" d="${head}${eyes}${nose}"/></svg>
`);
writeFileSync(new URL('../src/theme/fox.ts', import.meta.url),
`// Paths of the mark on a 32 × 32 grid; fox.svg, the favicon, is drawn from the same.
export const TAILS =
  '${tails}';
export const HEAD = '${head}';
export const FACE = '${eyes}${nose}';
`);
