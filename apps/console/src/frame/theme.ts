/**
 * Look of the pages: one calm colour, system fonts, small radii.
 * Decides shades with enough contrast in both schemes (WCAG 2.2, 1.4.3: 4.5 to 1 for text).
 * Invariant: colours of states are in app.css, beside their dark counterparts.
 */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const SEA: MantineColorsTuple = [
  '#eaf5f8',
  '#d5e8ed',
  '#a8d0da',
  '#77b6c6',
  '#4f9fb3',
  '#3690a8',
  '#1b7f98',
  '#0f6a81',
  '#0b566a',
  '#06414f',
];
const SYSTEM_FONTS =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';

export const theme = createTheme({
  primaryColor: 'sea',
  colors: { sea: SEA },
  primaryShade: { light: 7, dark: 6 },
  fontFamily: SYSTEM_FONTS,
  fontFamilyMonospace: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
  headings: { fontFamily: SYSTEM_FONTS, fontWeight: '600' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
});
