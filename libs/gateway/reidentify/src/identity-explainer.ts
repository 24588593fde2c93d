/**
 * IdentityExplainer: is the identity that the PACS shows one that the hospital has spoken of?
 * Decides by the study's history, after all identity events are in it: an older identity means
 * that the PACS has not merged yet, a newer one that the result was made before the merge. Either
 * way the object is re-identified with what the PACS shows. Invariants: an identity that nobody
 * spoke of is never taken over; for one identity the bytes are the same each time.
 * Source: reliability specification C5, C7; results specification 4.1.2.
 */
import { dirname, join } from 'node:path';
import type { StudyMatch } from '@aifi/dicom-dimse';
import {
  changedIdentity,
  identityElements,
  patientOf,
  spokenIdentities,
  type Identity,
  type IdentityEventLog,
  type Vault,
} from '@aifi/gateway-vault';
import {
  AifiError,
  nodeFileSystem,
  originalUid,
  sha256Hex,
  writeDurableFile,
  type Clock,
  type FileSystem,
  type OriginalUid,
  type Sha256,
} from '@aifi/shared-kernel';
import { withIdentity } from './reidentify-object.js';

export interface ExplainerDependencies {
  readonly vault: Pick<
    Vault,
    'identityHistory' | 'identityVersion' | 'appendIdentity' | 'studiesOfPatient'
  >;
  readonly events: IdentityEventLog;
  readonly clock: Clock;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
}
export interface RewrittenFile {
  readonly path: string;
  readonly sha256: Sha256;
}

export class IdentityExplainer {
  constructor(private readonly dependencies: ExplainerDependencies) {}

  /** The object with the identity that the PACS shows; undefined when nothing explains that. */
  async explain(
    object: { readonly studyUid: string; readonly path: string },
    shown: StudyMatch,
  ): Promise<RewrittenFile | undefined> {
    const { vault, events, clock, files } = this.dependencies;
    const studyUid = originalUid(object.studyUid);
    const known = await spokenIdentities({ vault, events }, studyUid, clock.nowMs());
    const spoken = bestOf(known, shown);
    if (!spoken) return undefined;
    const identity = asShown(spoken, shown);
    await this.#keep(studyUid, identity);
    return reissue(object.path, identity, files);
  }

  /** Changes with every entry in the history of a study. */
  identityVersion(studyUid: string): number {
    return this.dependencies.vault.identityVersion(originalUid(studyUid));
  }

  /** What the PACS made of an identity, such as another spelling, is part of the history. */
  async #keep(studyUid: OriginalUid, identity: Identity): Promise<void> {
    const history = this.dependencies.vault.identityHistory(studyUid);
    if (history.some((entry) => entry.identity.elements === identity.elements)) return;
    const atMs = this.dependencies.clock.nowMs();
    await this.dependencies.vault.appendIdentity({ studyUid, identity, source: 'pacs', atMs });
  }
}

/**
 * Writes the object anew with this identity, beside the old file. A name of its own for each
 * content: a crash before the row changes leaves the old file as it was.
 */
export async function reissue(
  path: string,
  identity: Identity,
  files: FileSystem = nodeFileSystem,
): Promise<RewrittenFile> {
  const anew = withIdentity(await files.read(path), identityElements(identity));
  if (!anew.ok) throw new AifiError('INTERNAL', 'a result of ours does not take an identity');
  const [name = ''] = path.split('/').at(-1)!.split('.');
  const file = join(dirname(path), `${name}.${sha256Hex(anew.value).slice(0, 16)}.dcm`);
  const { sha256 } = await writeDurableFile(file, anew.value, files);
  return { path: file, sha256 };
}

/** The first identity that is the one shown; among these one of the same name goes first. */
function bestOf(known: readonly Identity[], shown: StudyMatch): Identity | undefined {
  const fitting = known.filter((identity) => fits(identity, shown));
  const isNamed = ({ fields }: Identity): boolean =>
    shown.patientName !== '' && sameText(fields.PatientName, shown.patientName);
  return fitting.find(isNamed) ?? fitting[0];
}

function fits(identity: Identity, shown: StudyMatch): boolean {
  const { fields } = identity;
  const { id, issuer } = patientOf(identity);
  const accessions = shown.accessionNumber.split('\\').filter((each) => each.trim() !== '');
  return (
    sameText(id, shown.patientId) &&
    agrees(issuer, shown.issuerOfPatientId) &&
    agrees(fields.PatientBirthDate, shown.patientBirthDate) &&
    (accessions.length === 0 || accessions.some((each) => agrees(fields.AccessionNumber, each)))
  );
}

/** The PACS's own values, where it returns them. The number stays as the hospital wrote it. */
function asShown(identity: Identity, shown: StudyMatch): Identity {
  const { patientName, patientBirthDate, patientSex, accessionNumber } = shown;
  const said = (value: string): string | undefined => (value.trim() === '' ? undefined : value);
  const { fields } = identity;
  const hasAccession = fields.AccessionNumber !== '' || accessionNumber.includes('\\');
  const isOtherName = !sameText(fields.PatientName, patientName);
  return changedIdentity(identity, {
    name: isOtherName ? said(patientName) : undefined,
    birthDate: /^\d{8}$/.test(patientBirthDate) ? patientBirthDate : undefined,
    sex: /^[FMO]$/.test(patientSex) ? (patientSex as 'F' | 'M' | 'O') : undefined,
    accessionNumber: hasAccession ? undefined : said(accessionNumber),
  });
}

function agrees(ours: string, theirs: string): boolean {
  return ours.trim() === '' || theirs.trim() === '' || sameText(ours, theirs);
}
function sameText(a: string, b: string): boolean {
  return tidy(a) === tidy(b);
}
const tidy = (text: string): string => text.normalize('NFC').trim().replace(/\s+/g, ' ');
