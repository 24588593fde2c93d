/** The codec ships no types; only what `jpeg2000.ts` calls is declared. */
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  interface FrameInfo {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
    readonly isSigned: boolean;
  }
  export class J2KDecoder {
    /** Room in the codec's memory for that many bytes of codestream. */
    getEncodedBuffer(sizeBytes: number): Uint8Array;
    /** Tells no failure: what it cannot decode leaves an empty buffer and a frame of 0 × 0. */
    decode(): void;
    /** A view of the codec's memory, gone after the next call. */
    getDecodedBuffer(): Uint8ClampedArray;
    getFrameInfo(): FrameInfo;
    delete(): void;
  }
  interface OpenJpeg {
    readonly J2KDecoder: typeof J2KDecoder;
  }
  interface OpenJpegOptions {
    readonly print: (line: string) => void;
    readonly printErr: (line: string) => void;
  }
  export default function openJpeg(options: OpenJpegOptions): Promise<OpenJpeg>;
}
