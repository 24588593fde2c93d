/**
 * What calls of enrolment need before them: a certificate to revoke, a binding to end, a grant.
 * Decides that only an operator gets a real one: for everybody else the object must not matter.
 */
import { X509Certificate } from 'node:crypto';
import { bindingObject, type SubjectIdentity } from '@aifi/hub-enrolment';
import { contentOf, makeRequest, postJoin } from './joining.js';
import { OWN_SITE } from './role-sign-in.js';
import type { SeededHub } from './seeded-hub.js';

const ASKS = 'central-operator.none.prepares';
const AGREES = 'central-operator.none.agrees';
const NOBODYS_SERIAL = '0'.repeat(32);
const NOBODYS_ID = '00000000-0000-4000-8000-000000000000';
const REASON = 'the hospital asked for it by telephone';

export const BINDING = { siteId: OWN_SITE, gateway: 9 } as const;
export const IDENTITY: SubjectIdentity = { issuer: 'CN=National CA', subjectSerial: '8712' };
let bound = 0;

const isOperator = (token: string | undefined): boolean =>
  token?.startsWith('central-operator') ?? false;
const bodyOf = async <T>(response: Promise<Response>): Promise<T> =>
  (await (await response).json()) as T;

/** Serial number of a certificate that is not revoked yet. */
export async function aCertificate(hub: SeededHub, token: string | undefined): Promise<string> {
  if (!isOperator(token)) return NOBODYS_SERIAL;
  const path = `/api/v1/sites/${OWN_SITE}/join-tokens`;
  const made = await bodyOf<{ token: string }>(hub.post(ASKS, path, { gateway: 3 }));
  const { ca, secret } = contentOf(made.token);
  const { csr } = await makeRequest();
  const request = { secret, csr, gatewayVersion: '0.1.0' };
  const { body } = await postJoin(hub.hub.linkPort!, ca, request);
  const { serialNumber } = new X509Certificate(body['certificate'] as string);
  return serialNumber.toLowerCase().padStart(32, '0');
}

/** Asked for by that person and agreed to by another one. */
export async function grantBinding(
  hub: SeededHub,
  token: string,
  identity: SubjectIdentity,
): Promise<void> {
  const objectId = bindingObject(BINDING.gateway, identity);
  const ask = { act: 'binding.create', siteId: OWN_SITE, objectId, reason: REASON };
  const { id } = await bodyOf<{ id: string }>(hub.post(token, '/api/v1/approvals', ask));
  const decision = { decision: 'approve', reason: REASON };
  await hub.post(AGREES, `/api/v1/approvals/${id}/decision`, decision);
}

/** Id of a binding that has not ended yet. */
export async function aBinding(hub: SeededHub, token: string | undefined): Promise<string> {
  if (!isOperator(token)) return NOBODYS_ID;
  bound += 1;
  const identity = { ...IDENTITY, subjectSerial: `prepared-${bound}` };
  await grantBinding(hub, ASKS, identity);
  const body = { ...BINDING, ...identity };
  const { id } = await bodyOf<{ id: string }>(hub.post(ASKS, '/api/v1/bindings', body));
  return id;
}
