/**
 * Opening of an identity: what happens when somebody sees who a masked patient is.
 * Decides that the alert is raised inside the transaction of the record, so that neither is without
 * the other, and that a flag that was set a moment ago counts.
 * Source: security specification 5 (VIP and own staff).
 */
import type { Caller } from '@aifi/access-web';
import type { PatientView } from '@aifi/contracts-rest';
import type { AccessTx, Mask } from '@aifi/gateway-access';
import type { GatewaySources } from './gateway-sources.js';

/** A patient whose identity leaves: to whom, of which study, and why. */
export interface Opening {
  readonly caller: Pick<Caller, 'userId' | 'userName'>;
  readonly studyInstanceUid: string;
  readonly reason: string;
}

/** How the patient is masked; null: not at all. */
export function raiseWhenMasked(
  tx: AccessTx,
  { access, clock }: Pick<GatewaySources, 'access' | 'clock'>,
  patient: PatientView,
  { caller, studyInstanceUid, reason }: Opening,
): Mask | null {
  const masked = access.flags.maskOf(patient, tx);
  if (masked === null) return null;
  const { userId, userName } = caller;
  const atMs = clock.nowMs();
  access.alerts.raise(tx, { atMs, masked, userId, userName, studyInstanceUid, reason });
  return masked;
}
