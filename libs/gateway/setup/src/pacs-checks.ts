/**
 * The checks against a PACS: C-ECHO, C-STORE, C-FIND and storage commitment.
 * Decides what each asks, and what its answers mean as findings. Invariants: one association at a
 * time, each with a deadline; an object is only sent where `mayStore` says so; no other object of
 * the PACS is ever asked about than the test's own.
 * Source: PS3.4 A, B.2.3, C.4.1, J.3; PS3.8 9.3.3.2.
 */
import { randomBytes } from 'node:crypto';
import {
  DicomDataset,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '@aifi/dicom-core';
import {
  DimseScu,
  peerFaultOf,
  PeerStatus,
  probeContexts,
  STORAGE_COMMITMENT_SOP_CLASS,
  type CommitmentReport,
  type ContextAnswer,
  type ProposedContext,
  type ScuPeer,
} from '@aifi/dicom-dimse';
import { COMPREHENSIVE_3D_SR, SECONDARY_CAPTURE, SEGMENTATION_STORAGE } from '@aifi/dicom-evidence';
import type { SetupCheckState, SetupFacts, SetupFinding } from '@aifi/contracts-rest';
import { AifiError, uidFromBytes, type Clock } from '@aifi/shared-kernel';
import type { CommitmentReports } from './commitment-reports.js';
import { factsOf, findingOfFault, hexOf, speaksTls } from './peer-finding.js';
import { TEST_PATIENT_ID, testStudy, type TestStudy } from './test-object.js';

const VERIFICATION = '1.2.840.10008.1.1';
const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
const EXPLICIT_NAME = 'Explicit VR Little Endian';
/** Every kind of object that is delivered; the report is also that of the study's status. */
const DELIVERED = [
  { sopClassUid: COMPREHENSIVE_3D_SR, name: 'Comprehensive 3D SR', isAlways: true },
  { sopClassUid: SECONDARY_CAPTURE, name: 'Secondary Capture Image', isAlways: true },
  // Of some products only.
  { sopClassUid: SEGMENTATION_STORAGE, name: 'Segmentation', isAlways: false },
] as const;
/** What delivery compares before it believes that a study is the patient's. */
const COMPARED = ['PatientID', 'PatientName', 'PatientBirthDate', 'PatientSex', 'AccessionNumber'];
/** A PACS may take some time to list what it took. @unit ms */
const [LISTED_EVERY_MS, LISTED_LOOKS] = [1_000, 6];

export interface CheckOutcome {
  readonly state: SetupCheckState;
  readonly findings: readonly SetupFinding[];
}
export interface PacsCheckOptions {
  readonly peer: ScuPeer;
  readonly clock: Clock;
  /** Longest wait for one request. @unit ms */
  readonly timeoutMs: number;
  /** Longest wait for a report of storage commitment. @unit ms */
  readonly reportMs: number;
  readonly mayStore: boolean;
  /** The gateway counts on storage commitment. */
  readonly isCommitmentWanted: boolean;
  /** Our listener takes its report: it is the PACS in force, and may call. */
  readonly canReport: boolean;
  /** Where the PACS reaches us. */
  readonly own: SetupFacts;
  readonly reports: CommitmentReports;
  readonly random?: () => Uint8Array;
}
const PASSED: CheckOutcome = { state: 'passed', findings: [] };

export class PacsChecks {
  readonly #scu: DimseScu;
  readonly #facts: SetupFacts;
  readonly #random: () => Uint8Array;
  /** Stored in this run. */
  #stored: TestStudy | undefined;

  constructor(private readonly options: PacsCheckOptions) {
    const { peer, clock, timeoutMs, random } = options;
    this.#scu = new DimseScu({ ...peer, clock, timeoutMs, storeTimeoutMs: timeoutMs });
    this.#facts = factsOf(peer, timeoutMs);
    this.#random = random ?? (() => randomBytes(16));
  }

  /** Runs one of them; a fault that none of them explains is a finding too. */
  async run(check: 'echo' | 'store' | 'find' | 'commitment'): Promise<CheckOutcome> {
    try {
      return await this[check]();
    } catch (error) {
      return this.#failed(await this.#findingOf(error));
    }
  }

  async echo(): Promise<CheckOutcome> {
    const [answer] = await this.#probe([context(VERIFICATION, UNCOMPRESSED)]);
    if (answer?.result !== 'accepted') return this.#failed(this.#finding('ECHO_NOT_OFFERED'));
    const status = await this.#statusOf(this.#scu.echo());
    return status === undefined
      ? PASSED
      : this.#failed(this.#finding('ECHO_FAILED', { status: hexOf(status) }));
  }

  async store(): Promise<CheckOutcome> {
    const contexts = DELIVERED.flatMap(({ sopClassUid }) =>
      UNCOMPRESSED.map((syntax) => context(sopClassUid, [syntax])),
    );
    const answers = await this.#probe(contexts);
    const refused = DELIVERED.flatMap(({ sopClassUid, name, isAlways }, at) => {
      const code = codeOfClass(answers[2 * at], answers[2 * at + 1]);
      const facts = { sopClass: name, sopClassUid, transferSyntax: EXPLICIT_NAME };
      return code === undefined ? [] : [{ isAlways, finding: this.#finding(code, facts) }];
    });
    const findings = refused.map(({ finding }) => finding);
    if (refused.some(({ isAlways }) => isAlways)) return { state: 'failed', findings };
    if (!this.options.mayStore) {
      return { state: 'advice', findings: [...findings, this.#finding('STORE_NOT_TRIED')] };
    }
    return this.#storeObjects(findings);
  }

  async #storeObjects(advice: readonly SetupFinding[]): Promise<CheckOutcome> {
    const study = testStudy(this.options.clock.nowMs(), this.#random);
    const refused: SetupFinding[] = [];
    let stored = 0;
    for (const object of study.objects) {
      const status = await this.#scu.store(object);
      // B0xx: stored, with a warning (PS3.4 B.2.3).
      if (status === 0 || status >>> 12 === 0xb) stored += 1;
      else refused.push(this.#refusal(object.sopClassUid, status));
    }
    const cleanUp = this.#finding('STORE_CLEAN_UP', {
      ...{ patientId: TEST_PATIENT_ID, studyUid: study.studyUid },
    });
    const left = stored > 0 ? [cleanUp] : [];
    if (refused.length > 0) return { state: 'failed', findings: [...refused, ...left] };
    this.#stored = study;
    return { state: 'advice', findings: [...advice, ...left] };
  }

  #refusal(sopClassUid: string, status: number): SetupFinding {
    const name = DELIVERED.find((one) => one.sopClassUid === sopClassUid)?.name ?? sopClassUid;
    const code = status >>> 8 === 0xa7 ? 'STORE_NO_ROOM' : 'STORE_REFUSED';
    return this.#finding(code, { sopClass: name, sopClassUid, status: hexOf(status) });
  }

  async find(): Promise<CheckOutcome> {
    const [answer] = await this.#probe([context(STUDY_ROOT_FIND, UNCOMPRESSED)]);
    if (answer?.result !== 'accepted') return this.#failed(this.#finding('FIND_NOT_OFFERED'));
    // Without a test study a UID is asked for that no study has: the answer is none.
    const studyUid = this.#stored?.studyUid ?? uidFromBytes(this.#random());
    for (let look = 1; ; look += 1) {
      const found = await this.#ask(studyUid);
      if ('finding' in found) return this.#failed(found.finding);
      if (!this.#stored) return PASSED;
      if (found.match) return this.#compared(found.match);
      if (look >= LISTED_LOOKS) break;
      await this.options.clock.sleep(LISTED_EVERY_MS);
    }
    return this.#failed(this.#finding('FIND_NOT_LISTED', { studyUid }));
  }

  async #ask(
    studyUid: string,
  ): Promise<{ readonly match: DicomDataset | undefined } | { readonly finding: SetupFinding }> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'STUDY')
      .setString('StudyInstanceUID', studyUid);
    for (const keyword of COMPARED) query.setString(keyword, '');
    try {
      const { matches } = await this.#scu.find(query, 1);
      return { match: matches.find((match) => match.string('StudyInstanceUID') === studyUid) };
    } catch (error) {
      const status = statusIn(error);
      if (status !== undefined) {
        return { finding: this.#finding('FIND_REFUSED', { status: hexOf(status) }) };
      }
      if (AifiError.from(error).code !== 'DEADLINE_EXCEEDED') throw error;
      return { finding: this.#finding('FIND_NO_ANSWER') };
    }
  }

  #compared(match: DicomDataset): CheckOutcome {
    const missing = COMPARED.filter((keyword) => !match.string(keyword));
    if (missing.length === 0) return PASSED;
    return this.#failed(this.#finding('FIND_KEYS_MISSING', { attributes: missing.join(', ') }));
  }

  async commitment(): Promise<CheckOutcome> {
    const { isCommitmentWanted } = this.options;
    const [answer] = await this.#probe([context(STORAGE_COMMITMENT_SOP_CLASS, UNCOMPRESSED)]);
    if (answer?.result !== 'accepted') {
      const findings = [this.#finding('COMMITMENT_NOT_OFFERED')];
      return { state: isCommitmentWanted ? 'failed' : 'advice', findings };
    }
    const stored = this.#stored;
    if (!stored) return { state: 'advice', findings: [this.#finding('COMMITMENT_NOT_TRIED')] };
    if (!this.options.canReport) {
      return { state: 'advice', findings: [this.#finding('COMMITMENT_APPLY_FIRST')] };
    }
    const objects = stored.objects.map(({ sopClassUid, sopInstanceUid }) => ({
      ...{ sopClassUid, sopInstanceUid },
    }));
    const request = { transactionUid: uidFromBytes(this.#random()), objects };
    const report = await this.#requestReport(request);
    if ('code' in report) return this.#failed(report);
    const [failure] = report.failed;
    if (!failure) return PASSED;
    return this.#failed(this.#finding('COMMITMENT_FAILED', { reason: hexOf(failure.reason) }));
  }

  async #requestReport(
    request: Parameters<DimseScu['requestCommitment']>[0],
  ): Promise<CommitmentReport | SetupFinding> {
    const { clock, reportMs, reports, own } = this.options;
    const expected = reports.expect(request.transactionUid);
    const over = new AbortController();
    try {
      const elsewhere = expected.came.finally(() => over.abort());
      const onIt = await this.#scu.requestCommitment(request, reportMs, over.signal);
      // Either it has come there by now, or the PACS may still call within the same time.
      const late = clock.sleep(reportMs, over.signal).then(() => undefined);
      const report = onIt ?? (await Promise.race([elsewhere, late]));
      const isOver = { ...own, seconds: String(Math.round((2 * reportMs) / 1_000)) };
      return report ?? this.#finding('COMMITMENT_NOT_REPORTED', isOver);
    } catch (error) {
      const status = statusIn(error);
      if (status === undefined) throw error;
      return this.#finding('COMMITMENT_REFUSED', { status: hexOf(status) });
    } finally {
      over.abort();
      expected.end();
    }
  }

  #probe(contexts: readonly ProposedContext[]): Promise<ContextAnswer[]> {
    return probeContexts(this.options.peer, contexts, this.options);
  }
  /** Undefined: success. */
  async #statusOf(request: Promise<void>): Promise<number | undefined> {
    try {
      await request;
      return undefined;
    } catch (error) {
      const status = statusIn(error);
      if (status === undefined) throw error;
      return status;
    }
  }
  async #findingOf(error: unknown): Promise<SetupFinding> {
    const { peer, clock, timeoutMs } = this.options;
    const plain = findingOfFault(error, this.#facts, false);
    const canBeTls = !peer.tls && findingOfFault(error, this.#facts, true).code === 'TLS_NEEDED';
    const isTls = canBeTls && (await speaksTls(peer, { clock, timeoutMs }));
    return isTls ? { ...plain, code: 'TLS_NEEDED' } : plain;
  }
  #finding(code: string, facts: SetupFacts = {}): SetupFinding {
    return { code, facts: { ...this.#facts, ...facts } };
  }
  #failed(finding: SetupFinding): CheckOutcome {
    return { state: 'failed', findings: [finding] };
  }
}

const context = (
  abstractSyntaxUid: string,
  transferSyntaxUids: readonly string[],
): ProposedContext => ({ abstractSyntaxUid, transferSyntaxUids });

/** Of the answers for our syntax and for the other one; undefined: it is taken as we send it. */
function codeOfClass(ours?: ContextAnswer, other?: ContextAnswer): string | undefined {
  if (ours?.result === 'accepted') return undefined;
  const isKnown = other?.result === 'accepted' || ours?.result === 'transfer-syntax';
  return isKnown ? 'STORE_SYNTAX_MISSING' : 'STORE_CLASS_MISSING';
}

function statusIn(error: unknown): number | undefined {
  const cause = peerFaultOf(error);
  return cause instanceof PeerStatus ? cause.status : undefined;
}
