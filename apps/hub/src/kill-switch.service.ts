/**
 * KillSwitchService: products stopped and resumed, gateways taken over, by persons.
 * Decides that a stop needs one person and a resumption another one than who stopped; that a
 * take-over needs the grant of a second person. Each act and its record are one transaction; every
 * process of the hub finds it by looking, within seconds.
 * Invariant: a stop names a product, a version and a site that this hub knows, so that a slip of
 * the pen does not pass for a stop. Source: governance 1 (kill switch); security specification 5.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { AuditSubject, Caller } from '@aifi/access-web';
import { takeOverObjectId, type hubRoutes } from '@aifi/contracts-rest';
import type { RouteInput, RouteOutput } from '@aifi/contracts-rest';
import {
  EVERY_SITE,
  listProductStops,
  recordTakeOver,
  resumeProduct,
  stopProduct,
  type StopScope,
} from '@aifi/hub-database';
import { AifiError } from '@aifi/shared-kernel';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { HubRuntime } from './hub-runtime.js';

type Routes = typeof hubRoutes;
type Input<R extends keyof Routes> = RouteInput<Routes[R]>;
type Output<R extends keyof Routes> = Promise<RouteOutput<Routes[R]>>;

@Injectable()
export class KillSwitchService {
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(HubRuntime) private readonly runtime: HubRuntime,
  ) {}

  /** Those of every site, and those of the sites that the caller may see. */
  async list(caller: Caller): Output<'productStops'> {
    const own = caller.sites();
    const stops = await this.parts.database.withAccess(listProductStops);
    const seen = stops.filter(
      ({ siteName }) => siteName === EVERY_SITE || !own || own.includes(siteName),
    );
    return { stops: seen.map(({ siteName, ...stop }) => ({ ...stop, siteId: siteIn(siteName) })) };
  }

  async stop(caller: Caller, { params, body }: Input<'stopProduct'>): Output<'stopProduct'> {
    const scope = this.#scopeOf(caller, params.productId, body);
    const { code, reason } = body;
    const subject = subjectOf(scope, reason, { code });
    caller.about(subject);
    const answer = await this.parts.access.acts.perform(caller, { params, body }, async (sql) => {
      const isNew = await stopProduct(sql, { ...scope, ...this.#deedOf(caller), code, reason });
      return { answer: { ...viewOf(scope), isNew }, subject };
    });
    this.#tell();
    return answer;
  }

  async resume(caller: Caller, { params, body }: Input<'resumeProduct'>): Output<'resumeProduct'> {
    const scope = this.#scopeOf(caller, params.productId, body);
    const subject = subjectOf(scope, body.reason);
    caller.about(subject);
    const answer = await this.parts.access.acts.perform(caller, { params, body }, async (sql) => {
      await resumeProduct(sql, { ...scope, ...this.#deedOf(caller) });
      return { answer: viewOf(scope), subject };
    });
    this.#tell();
    return answer;
  }

  async takeOver(
    caller: Caller,
    { params, body }: Input<'takeOverGateway'>,
  ): Output<'takeOverGateway'> {
    const { siteId } = params;
    const { access, clock } = this.parts;
    caller.requireSite(siteId);
    const objectId = takeOverObjectId(body.gateway, body.successor);
    const about: AuditSubject = { objectType: 'gateway', objectId, siteId, detail: { ...body } };
    caller.about(about);
    const nowMs = clock.nowMs();
    const { act, userId } = caller;
    const grant = await access.approvals.findGrant({ act, siteId, objectId, userId, nowMs });
    if (!grant) {
      throw new AifiError('APPROVAL_REQUIRED', 'a second person has not agreed to this');
    }
    const { id: approval, reason, decidedBy } = grant;
    const subject: AuditSubject = {
      ...{ ...about, reason, responsibleUserId: decidedBy?.id ?? null },
      detail: { ...body, approval },
    };
    const answer = await access.acts.perform(caller, { params, body }, async (sql) => {
      await recordTakeOver(sql, { ...body, siteId, atMs: nowMs });
      return { answer: { siteId, ...body }, subject };
    });
    // Whoever is connected under the number of the old box is cut now, not at the next look.
    this.runtime.lookAtLink();
    return answer;
  }

  #scopeOf(
    caller: Caller,
    product: string,
    { version, siteId }: { readonly version: string; readonly siteId?: string | undefined },
  ): StopScope {
    if (siteId !== undefined) caller.requireSite(siteId);
    const known = this.parts.models.all.filter((model) => model.product === product);
    const isKnown = known.some((model) => version === '*' || model.version === version);
    if (!isKnown) throw new AifiError('NOT_FOUND', 'there is no such object');
    return { siteName: siteId ?? EVERY_SITE, product, version };
  }

  #deedOf(caller: Caller): { userId: string; userName: string; atMs: number } {
    const { userId, userName } = caller;
    return { userId, userName, atMs: this.parts.clock.nowMs() };
  }

  #tell(): void {
    for (const topic of ['sites', 'status'] as const) this.parts.changes.notify(topic);
  }
}

const siteIn = (siteName: string): string | null => (siteName === EVERY_SITE ? null : siteName);
const viewOf = ({
  product,
  version,
  siteName,
}: StopScope): { product: string; version: string; siteId: string | null } => ({
  ...{ product, version, siteId: siteIn(siteName) },
});

/** A stop everywhere is recorded in the chain across sites. */
function subjectOf(
  { product, version, siteName }: StopScope,
  reason: string,
  detail: NonNullable<AuditSubject['detail']> = {},
): AuditSubject {
  const siteId = siteIn(siteName);
  return {
    ...{ objectType: 'product', objectId: `${product} ${version}`, reason },
    ...(siteId !== null && { siteId }),
    detail: { ...detail, everywhere: siteId === null },
  };
}
