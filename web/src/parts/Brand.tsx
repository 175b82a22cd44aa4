import { FoxMark } from '../theme/FoxMark';
import './brand.css';

/** Mark and name, as a link to the start of the page. */
export function Brand({ href, label = 'Kurama' }: { href: string; label?: string }) {
  return (
    <a href={href} className="brand" aria-label={`${label}, start page`}>
      <span className="brand-mark"><FoxMark size={30} /></span>
      <span className="brand-name">{label}</span>
    </a>
  );
}
