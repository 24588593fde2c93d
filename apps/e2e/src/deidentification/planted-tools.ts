/**
 * De-identifiers that others wrote, each as its documentation has it run on one file.
 * Decides the words of each command. Invariant: what cannot be had here is named with its reason.
 * Source: manual pages of dcmodify and gdcmanon, Orthanc Book (anonymization), deid and
 * dicom-anonymizer documentation, PS3.15 Table E.1-1 for the attributes that dcmodify erases.
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIDENTIALITY_PROFILE } from '@aifi/dicom-deidentification';
import { freePorts } from '@aifi/shared-testing';
import { DEID_PYTHON, DEID_SCRIPT, ensureDeid } from '../../../../deploy/services/deid/install.mjs';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import {
  DEIDENTIFY_SCRIPT,
  ensurePydicom,
  PYDICOM_PYTHON,
} from '../../../../deploy/services/pydicom/install.mjs';

export interface Tool {
  readonly name: string;
  readonly how: string;
  /** Makes it ready, or says why it cannot be had here. @default it is there */
  readonly ensure?: () => { ok: true } | { ok: false; reason: string };
  /** The version that is installed, where it is not ours to choose. */
  readonly version?: () => string;
  /** Writes `output`; throws when the tool fails. */
  readonly run: (input: string, output: string, scratch: string) => Promise<void> | void;
}

/** The first number with dots of what a program says of itself. */
const told = (program: string): string =>
  /\d+(\.\d+)+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? '';

const quiet = { stdio: 'pipe', timeout: 120_000 } as const;

/**
 * Every row of the Basic Profile whose action includes removal, at every depth, and all
 * private.
 */
const dcmodify: Tool = {
  name: 'dcmodify 3.6.7',
  version: () => told('dcmodify'),
  how: '-ea for each row of Table E.1-1, -ep',
  run: (input, output) => {
    copyFileSync(input, output);
    const tags = CONFIDENTIALITY_PROFILE.map(([tag]) => tag).filter((tag) =>
      /^(?!000[0-2])[0-9A-F]{8}$/.test(tag),
    );
    const words = tags
      .filter((tag) => tag !== '00080018')
      .flatMap((tag) => ['-ea', `(${tag.slice(0, 4)},${tag.slice(4)})`]);
    execFileSync('dcmodify', ['-nb', '-imt', '-ie', '-ep', ...words, output], quiet);
  },
};

const gdcmanon: Tool = {
  name: 'gdcmanon 3.0.21',
  version: () => told('gdcmanon'),
  how: '-e with a certificate',
  run: (input, output, scratch) => {
    const [key, certificate] = [join(scratch, 'key.pem'), join(scratch, 'cert.pem')];
    const files = ['-keyout', key, '-out', certificate, '-subj', '/CN=comparison', '-days', '1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files], quiet);
    execFileSync('gdcmanon', ['-e', '-c', certificate, '-i', input, '-o', output], quiet);
  },
};

const orthanc: Tool = {
  name: 'Orthanc 1.10.1',
  version: () => told('Orthanc'),
  how: 'POST /instances/{id}/anonymize, no options',
  run: async (input, output, scratch) => {
    const folder = join(scratch, 'orthanc');
    mkdirSync(folder, { recursive: true });
    const [dicomPort, httpPort] = await freePorts(2);
    const ports = { dicomPort: dicomPort!, httpPort: httpPort! };
    const prepared = prepareOrthanc({ folder, aeTitle: 'PLANTED', ...ports, modalities: [] });
    const server = spawn(prepared.command, prepared.arguments, { stdio: 'ignore' });
    const ended = new Promise((resolve) => server.once('exit', resolve));
    try {
      const send = (path: string, body: Buffer | string): Promise<Response> =>
        fetch(`${prepared.restUrl}${path}`, { method: 'POST', body: body as string });
      const stored = await answered(() => send('/instances', readFileSync(input)));
      const { ID } = (await stored.json()) as { ID: string };
      const answer = await send(`/instances/${ID}/anonymize`, '{}');
      if (!answer.ok) throw new Error(`Orthanc answers ${answer.status}`);
      writeFileSync(output, Buffer.from(await answer.arrayBuffer()));
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
  },
};
/** The first answer of a server that is starting. */
async function answered(ask: () => Promise<Response>): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt >= 100) throw error;
      await sleep(200);
    }
  }
}

const pydicom: Tool = {
  name: 'pydicom 3.0',
  ensure: ensurePydicom,
  how: 'script of deploy/services/pydicom: names, dates, UIDs, private, 13 attributes',
  run: (input, output, scratch) => {
    const [from, to] = [join(scratch, 'pydicom-in'), join(scratch, 'pydicom-out')];
    for (const folder of [from, to]) mkdirSync(folder, { recursive: true });
    copyFileSync(input, join(from, 'a.dcm'));
    execFileSync(PYDICOM_PYTHON, ['-I', DEIDENTIFY_SCRIPT, from, to], quiet);
    copyFileSync(join(to, 'a.dcm'), output);
  },
};

const fromPyPi = (name: string, label: string, how: string): Tool => ({
  name: label,
  how,
  ensure: ensureDeid,
  run: (input, output) => {
    execFileSync(DEID_PYTHON, ['-I', DEID_SCRIPT, name, input, output], quiet);
    if (!existsSync(output)) throw new Error('wrote nothing');
  },
});

export const TOOLS: readonly Tool[] = [
  dcmodify,
  gdcmanon,
  orthanc,
  pydicom,
  fromPyPi('deid', 'deid 0.4.13', 'recipe that it ships, private removed'),
  fromPyPi('dicom-anonymizer', 'dicom-anonymizer 2.1.0', 'built-in rules, private removed'),
];
