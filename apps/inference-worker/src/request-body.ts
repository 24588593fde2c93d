/**
 * Request body: objects in the framing of the worker contract, for the tests of this app.
 * Decides nothing; it is the smallest client there is. The hub has its own, streaming one.
 * Source: Open Inference Protocol, binary tensor data extension.
 */
interface InferHeader {
  readonly id: string;
  readonly parameters: { readonly model_digest: string };
  readonly inputs: readonly object[];
}
export interface RequestBody {
  readonly bytes: Buffer;
  /** @unit bytes */
  readonly headerLength: number;
  readonly json: InferHeader;
}

export function bodyOf(
  id: string,
  modelDigest: string,
  objects: readonly Uint8Array[],
): RequestBody {
  const binary = Buffer.concat(
    objects.flatMap((object) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(object.length);
      return [length, object];
    }),
  );
  const json = {
    id,
    parameters: { model_digest: modelDigest },
    inputs: [
      {
        name: 'dicom',
        datatype: 'BYTES',
        shape: [objects.length],
        parameters: { binary_data_size: binary.length },
      },
    ],
  };
  const header = Buffer.from(JSON.stringify(json));
  return { bytes: Buffer.concat([header, binary]), headerLength: header.length, json };
}
