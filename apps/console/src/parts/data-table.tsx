/**
 * DataTable: rows with a caption, column headers and one header per row.
 * Decides the semantics once for all pages; a wide table scrolls in its own region, which the
 * keyboard reaches. Source: WCAG 2.2, 1.3.1 and 2.1.1; WAI tables tutorial.
 */
import { Table, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';

export interface Column<T> {
  readonly key: string;
  readonly header: string;
  readonly cell: (row: T) => ReactNode;
  /** Figures stand right, under each other. */
  readonly isNumber?: boolean;
  /** The column that names the row; exactly one. */
  readonly isRowHeader?: boolean;
  /** The header is only for screen readers (a column of buttons). */
  readonly isHeaderHidden?: boolean;
}
interface DataTableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly empty: ReactNode;
  /** Narrower than this, the table scrolls. */
  readonly minWidth?: number;
}

export function DataTable<T>({
  caption,
  columns,
  rows,
  rowKey,
  empty,
  minWidth = 560,
}: DataTableProps<T>) {
  if (rows.length === 0) return <p className="aifi-scroll aifi-empty">{empty}</p>;
  return (
    <div className="aifi-scroll" role="region" aria-label={caption} tabIndex={0}>
      <Table {...{ miw: minWidth, verticalSpacing: 'xs', horizontalSpacing: 'sm' }}>
        <caption className="aifi-hidden">{caption}</caption>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ key, header, isNumber, isHeaderHidden }) => (
              <Table.Th key={key} scope="col" className={isNumber ? 'aifi-number' : undefined}>
                {isHeaderHidden ? <VisuallyHidden>{header}</VisuallyHidden> : header}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={rowKey(row)}>
              {columns.map((column) => (
                <Cell key={column.key} column={column} row={row} />
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Cell<T>({ column, row }: { readonly column: Column<T>; readonly row: T }) {
  const { cell, isNumber, isRowHeader } = column;
  const className = isNumber ? 'aifi-number' : undefined;
  if (isRowHeader) {
    return (
      <Table.Th scope="row" className={className}>
        {cell(row)}
      </Table.Th>
    );
  }
  return <Table.Td className={className}>{cell(row)}</Table.Td>;
}
