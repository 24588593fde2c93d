/** Mark: the sign of the pages, as in the window's icon. Decides nothing. */
export function Mark() {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#0f5f73" />
      <path
        {...{ d: 'M6 17h5l3-8 4 14 3-6h5', fill: 'none', stroke: '#fff', strokeWidth: 2.6 }}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
