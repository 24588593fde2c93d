/** Facts: names and values as a description list. Decides nothing. */
import type { ReactNode } from 'react';

export type FactRow = readonly [name: string, value: ReactNode];

/** Rows whose value is null or undefined are left out. */
export function Facts({ rows }: { readonly rows: readonly (FactRow | undefined)[] }) {
  return (
    <dl className="aifi-facts">
      {rows.map((row) =>
        row === undefined || row[1] === null || row[1] === undefined ? null : (
          <FactLine key={row[0]} name={row[0]} value={row[1]} />
        ),
      )}
    </dl>
  );
}

function FactLine({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
