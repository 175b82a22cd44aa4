import { Notifications } from '@mantine/notifications';
import '@mantine/notifications/styles.layer.css';
import { createRoot } from 'react-dom/client';
import { Root } from '../theme/Root';
import { Console } from './Console';
import './console.css';
import { followLinks } from './route';

followLinks();
createRoot(document.getElementById('root')!).render(
  <Root>
    <Notifications position="bottom-right" />
    <Console />
  </Root>,
);
