import { createRoot } from 'react-dom/client';
import { Root } from '../theme/Root';
import { Dashboard } from './Dashboard';
import './dashboard.css';

createRoot(document.getElementById('root')!).render(<Root><Dashboard /></Root>);
