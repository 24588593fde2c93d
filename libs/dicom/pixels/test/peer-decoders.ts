/**
 * Peer decoders: what DCMTK, GDCM and pydicom make of the pixels of a file.
 * Decides how three decoders that none of us wrote are asked in one way: DCMTK and GDCM write
 * native files, pydicom reads these and the file itself, and tells a digest of every frame.
 * Invariant: no digest here comes from our own decoder.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  readPart10Header,
  UNDEFINED_LENGTH,
} from '@aifi/dicom-core';
import { hasPeers } from '@aifi/shared-testing';
import {
  ensureHighdicom,
  HIGHDICOM_PYTHON,
} from '../../../../deploy/services/highdicom/install.mjs';
import type { CleanedPixels } from '../src/cleaned-pixels.js';
import type { FrameSamples } from '../src/frame-samples.js';

const run = promisify(execFile);
const COMMANDS = 'dcmconv dcmcjpeg dcmcjpls dcmcrle dcmdjpeg dcmdjpls dcmdrle gdcmconv'.split(' ');
const SHARED = resolve(import.meta.dirname, '../../../../../shared/data/dicom');
/** The path of a shared file; a path that is whole stays. */
export const shared = (path: string): string => resolve(SHARED, path);

/** False skips a suite; where they are required (CI) a missing peer throws. */
export function hasDecoders(isRequired: boolean): boolean {
  if (!hasPeers(...COMMANDS)) return false;
  const highdicom = ensureHighdicom();
  if (!highdicom.ok && isRequired) throw new Error(highdicom.reason);
  return highdicom.ok;
}

/** Files with an image header, damaged ones of `malformed` left out; empty without that folder. */
export async function sharedImages(): Promise<string[]> {
  if (!existsSync(SHARED)) return [];
  const entries = readdirSync(SHARED, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(SHARED, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('malformed'))
    .sort();
  const images: string[] = [];
  for (const path of paths) {
    const header = await readPart10Header(shared(path)).catch(() => undefined);
    if (header?.dataset.has('Rows')) images.push(path);
  }
  return images;
}

export interface PeerAnswer {
  readonly photometric?: string;
  /** SHA-256 of every frame's samples as 32 bits. */
  readonly frames?: readonly string[];
  readonly error?: string;
}
export type PeerAnswers = Readonly<Partial<Record<'pydicom' | 'dcmtk' | 'gdcm', PeerAnswer>>>;

/** Our samples as the peers' digests are made. */
export function digestOf(samples: FrameSamples): string {
  const words = new Uint8Array(Int32Array.from(samples).buffer);
  return createHash('sha256').update(words).digest('hex');
}

/** What each peer decodes, by path. A peer that gives no file for one has no answer for it. */
export async function peerAnswers(
  paths: readonly string[],
  folder: string,
): Promise<Map<string, PeerAnswers>> {
  const left = [...paths.entries()];
  const files = new Map<string, Partial<Record<keyof PeerAnswers, string>>>();
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [index, path] = next;
      const [dcmtk, gdcm] = ['dcmtk', 'gdcm'].map((peer) => join(folder, `${index}-${peer}.dcm`));
      await decodedByDcmtk(path, dcmtk!);
      await run('gdcmconv', ['--raw', path, gdcm!]).catch(() => undefined);
      const isThere = (file: string): boolean => existsSync(file);
      files.set(path, {
        pydicom: path,
        ...(isThere(dcmtk!) && { dcmtk: dcmtk! }),
        ...(isThere(gdcm!) && { gdcm: gdcm! }),
      });
    }
  };
  await Promise.all([work(), work()]);
  const told = await digests([...files.values()].flatMap((file) => Object.values(file)));
  const answers = [...files].map(([path, of]): [string, PeerAnswers] => [
    path,
    Object.fromEntries(Object.entries(of).map(([peer, file]) => [peer, told.get(file)!])),
  ]);
  return new Map(answers);
}

/** DCMTK has a command for each family; colour stays as it is. It has none for JPEG 2000. */
async function decodedByDcmtk(path: string, out: string): Promise<void> {
  const { meta } = await readPart10Header(path);
  const syntax = meta.transferSyntaxUid.replace('1.2.840.10008.1.2', '');
  const command = /^\.4\.[567]/.test(syntax)
    ? ['dcmdjpeg', '+cn']
    : /^\.4\.8/.test(syntax)
      ? ['dcmdjpls']
      : syntax === '.5'
        ? ['dcmdrle']
        : syntax.startsWith('.4')
          ? undefined
          : ['dcmconv', '+te'];
  if (!command) return;
  await run(command[0]!, [...command.slice(1), path, out]).catch(() => undefined);
}

async function digests(paths: readonly string[]): Promise<Map<string, PeerAnswer>> {
  const script = join(import.meta.dirname, 'frame-digests.py');
  const python = spawn(HIGHDICOM_PYTHON, ['-I', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  python.stdin.end(`${paths.join('\n')}\n`);
  let text = '';
  for await (const chunk of python.stdout) text += String(chunk);
  const answers = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PeerAnswer);
  return new Map(paths.map((path, i) => [path, answers[i] ?? { error: 'no answer' }]));
}

/** The file at `path` with its pixels replaced, as a writer of cleaned files does it. */
export async function writeCleaned(
  path: string,
  cleaned: CleanedPixels,
  out: string,
): Promise<void> {
  const { meta, dataset } = await readPart10Header(path);
  for (const tag of cleaned.removed ?? []) dataset.delete(tag);
  for (const element of cleaned.attributes) dataset.put(element);
  // Pixel data ends the header; what a sender put behind it is none of this.
  for (const { tag } of [...dataset]) if (tag >= 0x7fe00000) dataset.delete(tag);
  const { transferSyntaxUid, vr, length } = cleaned;
  const encoding = encodingOf(transferSyntaxUid);
  const parts: Uint8Array[] = [
    encodeFileMeta({ ...meta, transferSyntaxUid }),
    encodeDataset(dataset, encoding),
    elementHeader(0x7fe00010, vr, length ?? UNDEFINED_LENGTH, encoding),
  ];
  for await (const chunk of cleaned.chunks()) parts.push(chunk);
  writeFileSync(out, Buffer.concat(parts));
}

export const bytesOf = (path: string): Buffer => readFileSync(path);
