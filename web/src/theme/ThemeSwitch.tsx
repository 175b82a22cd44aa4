import { ActionIcon, Tooltip, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from './icons';

const NEXT: Record<MantineColorScheme, MantineColorScheme> = { auto: 'light', light: 'dark', dark: 'auto' };
const SAYS: Record<MantineColorScheme, string> = { auto: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' };
const ICON = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon };

export function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = ICON[colorScheme];
  return (
    <Tooltip label={SAYS[colorScheme]}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={SAYS[colorScheme]} onClick={() => setColorScheme(NEXT[colorScheme])}>
        <Icon size={18} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  );
}
