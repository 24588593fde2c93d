/**
 * Deidentifier: one tool that is measured, as it is called by somebody who uses it.
 * Decides what each is asked to do, and that the copy which it is compared with moves the same
 * bytes. Invariant: how a tool was used, and what it waits for, is said beside its figures.
 * Source: manual pages of gdcmanon and dcmodify; PS3.15 Table E.1-1 for the attributes named.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError, processEntry } from '@aifi/shared-kernel';
import { loadKeyRing } from '@aifi/shared-site-keys';
import { DEIDENTIFY_SCRIPT, PYDICOM_PYTHON } from '../../../../deploy/services/pydicom/install.mjs';
import { measured, type Cost } from './measured-process.js';

export interface DeidentifierFacts {
  readonly name: string;
  readonly version: string;
  readonly how: string;
  /** What it waits for before it is done. */
  readonly durability: string;
}
export interface Deidentifier {
  readonly facts: DeidentifierFacts;
  /** Writes all files of `input`, a flat folder, below `output`, which is empty. */
  run(input: string, output: string): Promise<Cost>;
  stop(): Promise<void>;
}

const NOT_SYNCED = 'written, no fsync';
type CommandOf = (input: string, output: string) => readonly [string, ...string[]];

function program(facts: DeidentifierFacts, commandOf: CommandOf): Deidentifier {
  return {
    facts,
    run: (input, output) => measured(facts.name, commandOf(input, output)),
    stop: () => Promise.resolve(),
  };
}

function versionOf(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}

export const DURABLE = 'fdatasync of each file, fsync of each folder at the end';

/** Keys of the bench alone. */
export async function benchKeys(folder: string): Promise<string> {
  const key = join(folder, 'keys', 'site-keys.json');
  mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  await loadKeyRing({ path: key, mayCreate: true });
  return key;
}

/**
 * Our command, as it is built, and its engine without the pixel gate: each a process that has to
 * start.
 */
export function ourTools(folder: string, key: string): readonly [Deidentifier, Deidentifier] {
  const command = join(import.meta.dirname, '../../../../apps/aifictl/bin/aifictl.mjs');
  const engine = processEntry(new URL('..', import.meta.url).href, 'engine-main');
  const facts = { version: 'this workspace', durability: DURABLE };
  let report = 0;
  const commandOf: CommandOf = (input, output) => {
    report += 1;
    const [file, out] = [join(folder, 'keys', `report-${report}.json`), join(output, 'out')];
    const options = ['--in', input, '--out', out, '--key', key, '--json', file];
    return [process.execPath, command, 'pseudonymise', ...options];
  };
  return [
    program(
      { ...facts, name: 'aifictl pseudonymise', how: 'the command with its pixel gate and report' },
      commandOf,
    ),
    program(
      { ...facts, name: 'engine without pixel gate', how: 'header and writer only' },
      (input, output) => [process.execPath, engine, input, output, key],
    ),
  ];
}

/** What reading, writing and waiting for the disk costs: the start of its process included. */
export function copy(width: number): Deidentifier {
  const entry = processEntry(new URL('..', import.meta.url).href, 'copy-main');
  return program(
    {
      name: width === 1 ? 'read + write + fsync' : `read + write + fsync, ${width} at a time`,
      version: `Node ${process.version}`,
      how: 'copies the bytes, its start included',
      durability: DURABLE,
    },
    (input, output) => [process.execPath, entry, input, output, String(width)],
  );
}

export function gdcmanon(folder: string): Deidentifier {
  const [key, certificate] = [join(folder, 'gdcm-key.pem'), join(folder, 'gdcm-cert.pem')];
  const subject = ['-subj', '/CN=bench', '-days', '1'];
  const files = ['-keyout', key, '-out', certificate];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject];
  if (spawnSync('openssl', words, { stdio: 'ignore' }).status !== 0) {
    throw new AifiError('PEER_UNAVAILABLE', 'openssl makes no certificate for gdcmanon');
  }
  return program(
    {
      name: 'gdcmanon',
      version: versionOf('gdcmanon', ['--version'], /gdcm [\d.]+/),
      how: '-e with a certificate, whole folder',
      durability: NOT_SYNCED,
    },
    (input, output) => ['gdcmanon', '-e', '-c', certificate, '-r', '-i', input, '-o', output],
  );
}

const EMPTIED = [...['0010,0010', '0010,0020', '0010,0030', '0008,0050', '0008,0090', '0020,0010']];
const ERASED = [
  ...['0008,0080', '0008,0081', '0008,1010', '0008,1048', '0008,1050', '0008,1070', '0010,1000'],
  ...['0010,1040', '0010,2154', '0010,4000', '0008,1030', '0008,103e', '0018,1000', '0040,0275'],
  ...['0008,0022', '0008,0021', '0008,0023', '0010,0021', '0032,1032', '0008,1032'],
];
/** In place, on a copy; new UIDs would differ from file to file, so that they stay. */
export function dcmodify(): Deidentifier {
  const emptied = EMPTIED.map((tag) => `-i "(${tag})="`);
  const erased = ERASED.map((tag) => `-ea "(${tag})"`);
  const options = ['-nb', '-imt', '-ep', ...emptied, ...erased].join(' ');
  const script = `cp "$1"/*.dcm "$2" && dcmodify ${options} "$2"/*.dcm`;
  return program(
    {
      name: 'dcmodify',
      version: versionOf('dcmodify', ['--version'], /v[\d.]+/),
      how: `on a copy; ${EMPTIED.length} emptied, ${ERASED.length} and all private erased`,
      durability: NOT_SYNCED,
    },
    (input, output) => ['sh', '-c', script, 'sh', input, output],
  );
}

export function pydicom(): Deidentifier {
  const words = ['-c', 'import pydicom; print(pydicom.__version__)'];
  return program(
    {
      name: 'pydicom',
      version: versionOf(PYDICOM_PYTHON, words, /[\d.]+/),
      how: 'script of deploy/services/pydicom: names, dates, UIDs, private, 13 attributes',
      durability: NOT_SYNCED,
    },
    (input, output) => [PYDICOM_PYTHON, '-I', DEIDENTIFY_SCRIPT, input, output],
  );
}

/** What cannot be had, and why: never passed over in silence. */
export const UNOBTAINABLE: readonly string[] = [
  'dcm4che deidentify: its artefacts are on no registry that we use',
];
