/**
 * Icons: a few drawn lines, in the colour of the text beside them.
 * Decides their shapes. Invariant: hidden from screen readers;
 * a word always stands with it.
 */
const SHAPES = {
  check: 'M3 8.5 6.5 12 13 4.5',
  busy: 'M8 3v5l3 2M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13',
  warn: 'M8 2 15 14H1L8 2ZM8 6.5v3.2M8 11.6v.6',
  cross: 'M4 4l8 8M12 4l-8 8',
  dot: 'M8 6.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  sun: [
    'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M8 1v1.5M8 13.5V15M1 8h1.5',
    'M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  ].join(''),
  moon: 'M13.5 9.5A6 6 0 1 1 6.5 2.5a5 5 0 0 0 7 7Z',
  screen: 'M1.5 2.5h13v9h-13zM5.5 14.5h5M8 11.5v3',
  refresh: 'M13 3v3.5H9.5M13 6.5A5.5 5.5 0 1 0 13.5 9',
  person: 'M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6M2.5 14.5c.5-3 2.6-4.5 5.5-4.5s5 1.5 5.5 4.5',
  lock: 'M3.5 7h9v7h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  chevron: 'M6 3.5 10.5 8 6 12.5',
} as const;
export type IconName = keyof typeof SHAPES;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      {...{ width: size, height: size, viewBox: '0 0 16 16', fill: 'none' }}
      {...{ stroke: 'currentColor', strokeWidth: 1.6, strokeLinecap: 'round' }}
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}
