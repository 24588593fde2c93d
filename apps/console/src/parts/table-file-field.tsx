/**
 * TableFileField: a CSV file that is chosen, packed and looked at before it is put in force.
 * Decides nothing of its content. Invariant: a file that is too long is said to be so here.
 */
import { Input } from '@mantine/core';
import { useId, useState } from 'react';
import { packTableFile } from '../format/table-file.js';

interface TableFileFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly tooLong: string;
  /** The packed file; undefined: none is chosen any more. */
  readonly onFile: (file: string | undefined) => void;
}
export function TableFileField({ label, hint, tooLong, onFile }: TableFileFieldProps) {
  const id = useId();
  const [isTooLong, setTooLong] = useState(false);
  const choose = async (file: File | undefined): Promise<void> => {
    const packed = file && (await packTableFile(file));
    setTooLong(file !== undefined && packed === undefined);
    onFile(packed);
  };
  return (
    <Input.Wrapper id={id} label={label} description={hint} error={isTooLong ? tooLong : undefined}>
      <div>
        <input
          {...{ id, type: 'file', accept: '.csv,.txt,text/csv' }}
          onChange={(event) => void choose(event.currentTarget.files?.[0])}
        />
      </div>
    </Input.Wrapper>
  );
}
