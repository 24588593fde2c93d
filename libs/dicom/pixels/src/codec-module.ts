/**
 * Codec module: one frame's codestream to samples, by the WebAssembly of dcmjs-codecs.
 * Decides how that module is called and what counts as decoded: its JPEG decoder tells a cut or
 * damaged stream by a message only and fills the rest with grey. The module's own JavaScript is
 * left out: it prints the codec's words, and keeps an instance that a failure has left half done.
 * Invariants: a codestream's header was judged before it comes here; after any failure the instance
 * is thrown away; no word of the codec is passed on.
 * Source: dcmjs-codecs 0.0.8 (IJG JPEG 8, 12 and 16 bits, CharLS, OpenJPEG, OpenJPH), its exports.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { AifiError } from '@aifi/shared-kernel';

export type CodecName = 'jpeg' | 'jpeg-ls' | 'jpeg-2000' | 'ht-jpeg-2000';

/** What the codestream's own header says. */
export interface CodecFrame {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  /** Of the codestream. */
  readonly precision: number;
  /** Only JPEG 2000 tells it. */
  readonly signed: boolean;
}

type Call = (...args: number[]) => number;
interface Instance {
  readonly memory: WebAssembly.Memory;
  readonly call: (name: string, ...args: number[]) => number;
  /** True once the codec has told of damage. */
  isDamaged: boolean;
}

const DECODERS: Readonly<Record<CodecName, string>> = {
  jpeg: 'DecodeJpeg',
  'jpeg-ls': 'DecodeJpegLs',
  'jpeg-2000': 'DecodeJpeg2000',
  'ht-jpeg-2000': 'DecodeHtJpeg2000',
};
/** Places in the module's list of photometric interpretations: no colour is converted by it. */
const [MONOCHROME2, RGB] = [1, 3];
/** Messages of the IJG decoder after which samples are made up. */
const DAMAGE = /Corrupt JPEG data: (premature|bad|found)|Premature end|Inconsistent progression/;
/** A module that has grown beyond this is given back: its memory never shrinks. @unit bytes */
const KEPT_MEMORY_BYTES_MAX = 2 ** 29;

let compiled: Promise<WebAssembly.Module> | undefined;
let instance: Promise<Instance> | undefined;

/**
 * Samples of a frame, interleaved, little endian, 8 or 16 bits each as the precision needs. Throws
 * DICOM_MALFORMED for what does not decode whole.
 */
export async function decodeCodestream(
  codec: CodecName,
  codestream: Uint8Array,
  frame: CodecFrame,
): Promise<Uint8Array> {
  instance ??= instantiate();
  const module = await instance;
  let out: Uint8Array | undefined;
  try {
    out = decodeWith(module, DECODERS[codec], codestream, frame);
  } catch (error) {
    instance = undefined;
    throw new AifiError('DICOM_MALFORMED', 'a codestream does not decode', { cause: error });
  }
  if (out === undefined || module.memory.buffer.byteLength > KEPT_MEMORY_BYTES_MAX) {
    instance = undefined;
  }
  if (out === undefined) throw new AifiError('DICOM_MALFORMED', 'a codestream is damaged');
  return out;
}

function decodeWith(
  module: Instance,
  decoder: string,
  codestream: Uint8Array,
  frame: CodecFrame,
): Uint8Array | undefined {
  const { call, memory } = module;
  module.isDamaged = false;
  const context = call('CreateCodecsContext');
  const bits = frame.precision > 8 ? 16 : 8;
  call('SetColumns', context, frame.columns);
  call('SetRows', context, frame.rows);
  call('SetBitsAllocated', context, bits);
  call('SetBitsStored', context, frame.precision);
  call('SetSamplesPerPixel', context, frame.samplesPerPixel);
  call('SetPixelRepresentation', context, frame.signed ? 1 : 0);
  call('SetPlanarConfiguration', context, 0);
  call('SetPhotometricInterpretation', context, frame.samplesPerPixel === 1 ? MONOCHROME2 : RGB);
  call('SetEncodedBufferSize', context, codestream.length);
  const place = call('GetEncodedBuffer', context);
  new Uint8Array(memory.buffer).set(codestream, place);
  const parameters = call('CreateDecoderParameters');
  call('SetConvertColorspaceToRgb', parameters, 0);
  call(decoder, context, parameters);
  const at = call('GetDecodedBuffer', context);
  const size = call('GetDecodedBufferSize', context);
  const expected = (frame.rows * frame.columns * frame.samplesPerPixel * bits) / 8;
  const isWhole =
    !module.isDamaged && size === expected && call('GetBitsAllocated', context) === bits;
  // A copy: the module's memory is its own, and moves when it grows.
  const out = isWhole ? Uint8Array.from(new Uint8Array(memory.buffer, at, size)) : undefined;
  call('ReleaseDecoderParameters', parameters);
  call('ReleaseCodecsContext', context);
  return out;
}

async function instantiate(): Promise<Instance> {
  compiled ??= compile();
  const { exports } = await WebAssembly.instantiate(
    await compiled,
    importsOf(() => module),
  );
  const memory = exports['memory'] as WebAssembly.Memory;
  const call: Instance['call'] = (name, ...args) => (exports[name] as Call)(...args);
  const module: Instance = { memory, call, isDamaged: false };
  return module;
}

async function compile(): Promise<WebAssembly.Module> {
  const { resolve } = createRequire(import.meta.url);
  return WebAssembly.compile(
    await readFile(resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm')),
  );
}

/** What the module asks for: no files, no environment, no clock. */
function importsOf(module: () => Instance): WebAssembly.Imports {
  const view = (): DataView => new DataView(module().memory.buffer);
  const text = (at: number, length: number): string =>
    Buffer.from(module().memory.buffer, at, length).toString('latin1');
  const none = (): number => 0;
  return {
    wasi_snapshot_preview1: {
      environ_get: none,
      environ_sizes_get: (count: number, size: number) => {
        view().setUint32(count, 0, true);
        view().setUint32(size, 0, true);
        return 0;
      },
      proc_exit: () => {
        throw new AifiError('DICOM_MALFORMED', 'the codec has given up');
      },
      clock_time_get: (_id: number, _precision: bigint, at: number) => {
        view().setBigUint64(at, 0n, true);
        return 0;
      },
      fd_write: (_file: number, vectors: number, count: number, written: number) => {
        let size = 0;
        for (let i = 0; i < count; i += 1) size += view().getUint32(vectors + 8 * i + 4, true);
        view().setUint32(written, size, true);
        return 0;
      },
      fd_seek: none,
      fd_close: none,
    },
    env: {
      emscripten_notify_memory_growth: none,
      onCodecsTrace: none,
      onCodecsInfo: (at: number, length: number) => {
        if (DAMAGE.test(text(at, length))) module().isDamaged = true;
      },
      onCodecsException: () => {
        throw new AifiError('DICOM_MALFORMED', 'the codec has given up');
      },
    },
  };
}
