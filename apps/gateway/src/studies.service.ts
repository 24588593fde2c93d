/**
 * StudiesService: the list of studies, their traces, and the two ways to a patient's identity.
 * Decides what a caller sees of a patient and what the record of it says. Invariants: everything is
 * of the own site; an opening of a masked patient raises its alert in the same transaction as its
 * record; the linkage of a job is shown under a grant of a second person only.
 * Source: security specification 5; NEN 7513.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import type {
  gatewayRoutes,
  PatientView,
  RouteInput,
  RouteOutput,
  StudyTrace,
} from '@aifi/contracts-rest';
import { PATIENTS_DETAIL } from '@aifi/gateway-access';
import { AifiError, jobId } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { raiseWhenMasked } from './identity-opening.js';
import { patientFields, sightOf } from './masking.js';
import { readStudies } from './study-read-model.js';
import { readJobTrace, readStudyTrace } from './trace-read-model.js';

type Routes = typeof gatewayRoutes;

@Injectable()
export class StudiesService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  async list(
    caller: Caller,
    { query }: RouteInput<Routes['listStudies']>,
  ): Promise<RouteOutput<Routes['listStudies']>> {
    caller.requireSite(this.sources.config.siteId);
    const { items, nextCursor } = readStudies(this.sources.database, query);
    const sight = sightOf(caller, this.sources);
    const studies = [];
    // One after the other: an answer never opens many files at once.
    for (const facts of items) {
      const fields = await patientFields(this.sources, sight, facts.studyInstanceUid);
      studies.push({ ...facts, ...fields });
    }
    const shown = studies.flatMap(({ patient }) => patient?.patientId ?? []);
    caller.about({
      ...{ objectType: 'study', objectId: '*' },
      detail: {
        studies: studies.length,
        ...(shown.length > 0 && { [PATIENTS_DETAIL]: JSON.stringify([...new Set(shown)]) }),
      },
    });
    return { items: studies, nextCursor };
  }

  async trace(caller: Caller, { params }: RouteInput<Routes['study']>): Promise<StudyTrace> {
    caller.requireSite(this.sources.config.siteId);
    const { studyInstanceUid: objectId } = params;
    caller.about({ objectType: 'study', objectId });
    const trace = await readStudyTrace(this.sources, objectId);
    const patientId = await this.sources.patients.numberOf(objectId);
    caller.about({ objectType: 'study', objectId, patientId });
    return trace;
  }

  async jobTrace(caller: Caller, { params }: RouteInput<Routes['jobTrace']>): Promise<StudyTrace> {
    caller.requireSite(this.sources.config.siteId);
    const { jobId: objectId } = params;
    caller.about({ objectType: 'job', objectId });
    const trace = await readJobTrace(this.sources, objectId);
    const patientId = await this.sources.patients.numberOf(trace.studyInstanceUid);
    caller.about({ objectType: 'job', objectId, patientId });
    return trace;
  }

  async openIdentity(
    caller: Caller,
    input: RouteInput<Routes['openIdentity']>,
  ): Promise<PatientView> {
    const { access, patients, config, changes } = this.sources;
    caller.requireSite(config.siteId);
    const { studyInstanceUid } = input.params;
    const { reason } = input.body;
    caller.about({ objectType: 'study', objectId: studyInstanceUid, reason });
    const found = await patients.of(studyInstanceUid);
    if (!found) throw new AifiError('NOT_FOUND', 'no identity of such a study at this gateway');
    const { patient } = found;
    // Each look is an act of its own, a repeat too: an identity is kept for no idempotency key.
    await access.database.transaction((tx) => {
      const masked = raiseWhenMasked(tx, this.sources, patient, {
        caller,
        studyInstanceUid,
        reason,
      });
      const subject = {
        ...{ objectType: 'study', objectId: studyInstanceUid, reason },
        ...{ patientId: patient.patientId, detail: { masked: masked ?? 'no' } },
      };
      access.trail.append(tx, caller.draft(subject));
    });
    changes.notify('alerts');
    return patient;
  }

  async reidentify(
    caller: Caller,
    { params }: RouteInput<Routes['reidentify']>,
  ): Promise<RouteOutput<Routes['reidentify']>> {
    const { access, vault, patients, config, clock, changes } = this.sources;
    const { siteId } = config;
    const objectId = params.jobId;
    caller.requireSite(siteId);
    caller.about({ objectType: 'job', objectId });
    const grant = await access.approvals.findGrant({
      ...{ act: caller.act, siteId, objectId, userId: caller.userId, nowMs: clock.nowMs() },
    });
    if (!grant) throw new AifiError('APPROVAL_REQUIRED', 'a second person has not agreed to this');
    const linkage = /^[0-9a-f]{32}$/.test(objectId) ? vault.linkage(jobId(objectId)) : undefined;
    const found = linkage && (await patients.of(linkage.studyUid));
    if (!linkage || !found) throw new AifiError('NOT_FOUND', 'no such job at this gateway');
    const { studyUid: studyInstanceUid, pseudonymousStudyUid: studyPseudonym } = linkage;
    const { patient } = found;
    const { reason, decidedBy } = grant;
    await access.database.transaction((tx) => {
      const masked = raiseWhenMasked(tx, this.sources, patient, {
        caller,
        studyInstanceUid,
        reason,
      });
      const subject = {
        ...{ objectType: 'job', objectId, patientId: patient.patientId, reason },
        responsibleUserId: decidedBy?.id ?? null,
        detail: { masked: masked ?? 'no', approval: grant.id },
      };
      access.trail.append(tx, caller.draft(subject));
    });
    // The vault keeps its own record of who opened it, and answers only after that.
    const opening = { jobId: linkage.jobId, actor: caller.userId, purpose: 're-identification' };
    await vault.recordOpened(opening, clock.nowMs());
    changes.notify('alerts');
    const grantedUntilMs = grant.grantedUntilMs ?? 0;
    return { jobId: objectId, studyInstanceUid, studyPseudonym, patient, grantedUntilMs };
  }
}
