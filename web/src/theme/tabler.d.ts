declare module '@tabler/icons-react/dist/esm/icons/*.mjs' {
  import type { ForwardRefExoticComponent, RefAttributes, SVGProps } from 'react';
  type Props = Omit<SVGProps<SVGSVGElement>, 'ref' | 'stroke'> & { size?: number | string; stroke?: number | string };
  const Icon: ForwardRefExoticComponent<Props & RefAttributes<SVGSVGElement>>;
  export default Icon;
}
