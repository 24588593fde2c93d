/**
 * PatientSource: who the patient of a study is, for people who may see it.
 * Decides where that is read: the vault's current identity; for a study without linkage (not
 * eligible, or not yet) the header of the newest received file, on demand. Invariants: identity
 * from a file is kept in memory only, for a bounded number of studies; what does not read is
 * unknown.
 * Source: security specification 5 (identified data on the gateway); PS3.5 6.2 (PN).
 */
import { readPart10Header } from '@aifi/dicom-core';
import type { PatientView } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { identityElements, identityOf, type Identity, type Vault } from '@aifi/gateway-vault';
import { isUid, originalUid } from '@aifi/shared-kernel';

/** Two pages of the longest list. */
const STUDIES_MAX = 400;

export interface StudyPatient {
  readonly patient: PatientView;
  /** As the modality wrote it: free text, which may name the patient. */
  readonly studyDescription: string | null;
}
interface NewestFile {
  readonly instance_id: number;
  readonly path: string;
}
interface Cached {
  readonly instanceId: number;
  readonly found: Promise<StudyPatient | undefined>;
}

export class PatientSource {
  /** In the order of use, the oldest first. */
  readonly #cache = new Map<string, Cached>();

  constructor(
    private readonly database: GatewayDatabase,
    private readonly vault: Pick<Vault, 'currentIdentity'>,
  ) {}

  /** Undefined: nobody knows, or no longer. */
  async of(studyUid: string): Promise<StudyPatient | undefined> {
    if (!isUid(studyUid)) return undefined;
    const identity = this.vault.currentIdentity(originalUid(studyUid));
    return identity ? studyPatientOf(identity) : this.#ofNewestFile(studyUid);
  }

  /** The number only; null: unknown. */
  async numberOf(studyUid: string): Promise<string | null> {
    return (await this.of(studyUid))?.patient.patientId ?? null;
  }

  #ofNewestFile(studyUid: string): Promise<StudyPatient | undefined> {
    const file = this.database.read((sql) =>
      sql.get<NewestFile>(
        `SELECT instance_id, path FROM instance WHERE instance_id =
           (SELECT MAX(instance_id) FROM instance JOIN study USING (study_id)
            WHERE study_uid = ? AND removed_ms IS NULL)`,
        studyUid,
      ),
    );
    if (!file) return Promise.resolve(undefined);
    const cached = this.#cache.get(studyUid);
    this.#cache.delete(studyUid);
    const isCurrent = cached?.instanceId === file.instance_id;
    const found = isCurrent ? cached.found : readFile(file.path);
    this.#cache.set(studyUid, { instanceId: file.instance_id, found });
    const oldest = this.#cache.keys().next().value;
    if (this.#cache.size > STUDIES_MAX && oldest !== undefined) this.#cache.delete(oldest);
    return found;
  }
}

async function readFile(path: string): Promise<StudyPatient | undefined> {
  try {
    return studyPatientOf(identityOf((await readPart10Header(path)).dataset));
  } catch {
    // The file is gone, or its text does not decode: other stages report that.
    return undefined;
  }
}

function studyPatientOf(identity: Identity): StudyPatient {
  const { fields } = identity;
  const patient = {
    patientId: fields.PatientID || null,
    issuer: fields.IssuerOfPatientID || null,
    name: readableName(fields.PatientName),
    birthDate: fields.PatientBirthDate || null,
    sex: fields.PatientSex || null,
    accessionNumber: fields.AccessionNumber || null,
  };
  return { patient, studyDescription: descriptionOf(identity) };
}

function descriptionOf(identity: Identity): string | null {
  try {
    return identityElements(identity).string('StudyDescription') ?? null;
  } catch {
    return null;
  }
}

/** `Jansen^Piet^A^^=...` as "Jansen, Piet A": the first group that has text, family name first. */
export function readableName(personName: string): string | null {
  const groups = personName.split('=').map((group) => {
    const [family, given, middle, prefix, suffix] = group.split('^').map((part) => part.trim());
    const rest = [prefix, given, middle].filter(Boolean).join(' ');
    return [family, rest, suffix].filter(Boolean).join(', ');
  });
  return groups.find((group) => group !== '') ?? null;
}
