/**
 * LinkService: the link to the hub, seen and joined by hospital IT.
 * Decides that joining is on record before the token leaves; a fault of it is a record of its own.
 * Invariants: the token is kept nowhere and in no record; asked twice with one key it joins once.
 * Source: security specification 5 (gateway config); docs/runbooks/link.md.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import type { gatewayRoutes, GatewayLinkView, RouteInput } from '@aifi/contracts-rest';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

@Injectable()
export class LinkService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  view(caller: Caller): GatewayLinkView {
    const { link, config } = this.sources;
    caller.requireSite(config.siteId);
    return link.view();
  }

  async join(
    caller: Caller,
    input: RouteInput<(typeof gatewayRoutes)['joinLink']>,
  ): Promise<GatewayLinkView> {
    const { link, access, config, clock, changes } = this.sources;
    const objectId = config.siteId;
    caller.requireSite(objectId);
    const before = link.view();
    const subject = { objectType: 'link', objectId, detail: { hub: before.hub } };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { atMs: clock.nowMs() }, subject },
      carryOut: async ({ atMs }) => {
        const { joinedAtMs } = link.view();
        const isDone = joinedAtMs !== null && joinedAtMs !== before.joinedAtMs;
        const isRepeat = joinedAtMs !== null && joinedAtMs >= atMs;
        if (!isDone && !isRepeat) await link.join(input.body.token, input.body.hub);
        return link.view();
      },
    });
    changes.notify('status');
    return answer;
  }
}
