import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const fox: MantineColorsTuple = [
  '#FFF4E9', '#FFE6D0', '#FFCBA0', '#FFB06F', '#FF9C49', '#FF922B', '#F77E1B', '#F06A12', '#E8590C', '#B4430A',
];

// Warm greys: gray carries the light pages, dark the dark ones.
const gray: MantineColorsTuple = [
  '#FAF8F5', '#F3F0EB', '#E9E4DD', '#DCD5CC', '#C6BDB2', '#948A7F', '#6B6259', '#574F48', '#3D3630', '#241F1B',
];
const dark: MantineColorsTuple = [
  '#EDE8E2', '#CFC7BE', '#AAA097', '#7A7067', '#3D3731', '#2E2925', '#241F1C', '#191614', '#141210', '#0E0C0B',
];

const green: MantineColorsTuple = [
  '#EBFBEE', '#D3F9D8', '#B2F2BB', '#8CE99A', '#69DB7C', '#51CF66', '#40C057', '#37B24D', '#2F9E44', '#2B8A3E',
];
const red: MantineColorsTuple = [
  '#FFF5F5', '#FFE3E3', '#FFC9C9', '#FFA8A8', '#FF8787', '#FF6B6B', '#FA5252', '#F03E3E', '#C92A2A', '#A61E1E',
];

export const theme = createTheme({
  colors: { fox, gray, dark, green, red },
  primaryColor: 'fox',
  primaryShade: { light: 8, dark: 5 },
  black: '#241F1B',
  // Near-black on fox orange reads at 5 : 1; white would stay at 3.6 : 1.
  autoContrast: true,
  luminanceThreshold: 0.2,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace',
  defaultRadius: 'md',
  radius: { md: '6px' },
  cursorType: 'pointer',
  headings: { fontWeight: '650' },
  components: {
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true } },
    Table: { defaultProps: { verticalSpacing: 8, horizontalSpacing: 12 } },
    Modal: { defaultProps: { centered: true } },
    Anchor: { defaultProps: { underline: 'hover' } },
    // Nearly every field is required: a mark on each would say nothing.
    InputWrapper: { defaultProps: { withAsterisk: false } },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#FAF8F5',
    '--mantine-color-dimmed': '#6B6259',
    '--mantine-color-anchor': '#B4430A',
    '--mantine-color-placeholder': '#7D736A',
    '--mantine-color-error': '#C92A2A',
    '--k-surface': '#FFFFFF',
    '--k-sunken': '#F3F0EB',
    '--k-code': 'rgba(87, 79, 72, 0.1)',
    '--k-border': '#E4DED6',
    '--k-accent': '#E8590C',
    '--k-accent-text': '#B4430A',
    '--k-accent-wash': '#FFF4E9',
    '--k-ok': '#2F9E44',
    '--k-warn': '#E67700',
    '--k-warn-text': '#A14F00',
    '--k-bad': '#C92A2A',
    '--k-info': '#1971C2',
    '--k-info-text': '#1864AB',
    '--k-bad-wash': '#FFF1F0',
    '--k-warn-wash': '#FFF6E5',
  },
  dark: {
    '--mantine-color-body': '#191614',
    '--mantine-color-dimmed': '#AAA097',
    '--mantine-color-anchor': '#FFA94D',
    '--mantine-color-placeholder': '#8D8379',
    '--mantine-color-error': '#FF8787',
    '--k-surface': '#221E1B',
    '--k-sunken': '#141210',
    '--k-code': 'rgba(237, 232, 226, 0.1)',
    '--k-border': '#38322D',
    '--k-accent': '#FF922B',
    '--k-accent-text': '#FFA94D',
    '--k-accent-wash': '#2E2218',
    '--k-ok': '#51CF66',
    '--k-warn': '#FFA94D',
    '--k-warn-text': '#FFA94D',
    '--k-bad': '#FF8787',
    '--k-info': '#74C0FC',
    '--k-info-text': '#74C0FC',
    '--k-bad-wash': '#331E1C',
    '--k-warn-wash': '#332713',
  },
});
