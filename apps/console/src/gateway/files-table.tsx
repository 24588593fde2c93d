/** FilesTable: files of a study on the gateway's disk, by step. Decides nothing. */
import type { FilesTrace } from '@aifi/contracts-rest';
import { useLanguage } from '../frame/language.js';
import { DataTable, type Column } from '../parts/data-table.js';

type Row = FilesTrace & { readonly owner: string };

export function FilesTable({ rows }: { readonly rows: readonly Row[] }) {
  const { words, formats } = useLanguage();
  const { study, studies } = words.gateway;
  const columns: readonly Column<Row>[] = [
    {
      ...{ key: 'folder', header: study.folder, isRowHeader: true },
      cell: ({ folder }) => words.terms.folders[folder],
    },
    { key: 'owner', header: studies.products, cell: ({ owner }) => owner },
    {
      ...{ key: 'rows', header: study.rows, isNumber: true },
      cell: (one) => formats.number(one.rows),
    },
    {
      ...{ key: 'files', header: study.present, isNumber: true },
      cell: ({ files }) => formats.number(files),
    },
    {
      ...{ key: 'size', header: study.size, isNumber: true },
      cell: ({ bytes }) => formats.size(bytes),
    },
  ];
  return (
    <DataTable
      caption={study.filesCaption}
      columns={columns}
      rows={rows}
      rowKey={({ folder, owner }) => `${folder} ${owner}`}
      empty={words.frame.nothing}
      minWidth={460}
    />
  );
}
