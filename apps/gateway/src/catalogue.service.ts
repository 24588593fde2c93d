/**
 * CatalogueService: the hospital's procedure codes for people.
 * Decides the order of a change, as for dead letters: record and order in access.db first, then the
 * version. Invariants: a file with an error leaves a record and changes nothing; the record names
 * version and numbers of codes; no patient is anywhere here.
 * Source: governance specification 4.3; conventions 2 ("plan, validate, apply, roll back").
 */
import { Inject, Injectable } from '@nestjs/common';
import { sendSlowly, type Caller, type SlowResponse } from '@aifi/access-web';
import type {
  CataloguePlanView,
  gatewayRoutes,
  RouteInput,
  RouteOutput,
} from '@aifi/contracts-rest';
import { coverageOf, unpackFile, type CataloguePlan } from '@aifi/gateway-catalogue';
import { sha256Hex } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
interface Order {
  readonly atMs: number;
}

@Injectable()
export class CatalogueService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  versions(caller: Caller): RouteOutput<Routes['catalogue']> {
    this.#requireSite(caller);
    return { items: this.sources.catalogue.versions() };
  }

  coverage(
    caller: Caller,
    { query }: RouteInput<Routes['catalogueCoverage']>,
  ): Promise<RouteOutput<Routes['catalogueCoverage']>> {
    this.#requireSite(caller);
    const { database, clock, orderCodes } = this.sources;
    return coverageOf({ database, days: query.days, nowMs: clock.nowMs(), orderCodes });
  }

  async export(
    caller: Caller,
    { query }: RouteInput<Routes['exportCatalogue']>,
    response: SlowResponse,
  ): Promise<void> {
    this.#requireSite(caller);
    const { catalogue, clock, logger } = this.sources;
    await sendSlowly(response, {
      headers: {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': 'attachment; filename="catalogue.csv"',
      },
      ...{ chunks: chunksOf(catalogue.export(query.version)), clock, logger },
    });
  }

  check(
    caller: Caller,
    { body }: RouteInput<Routes['checkCatalogue']>,
  ): RouteOutput<Routes['checkCatalogue']> {
    this.#requireSite(caller);
    return viewOf(this.#planOf(unpackFile(body.file)));
  }

  async import(
    caller: Caller,
    input: RouteInput<Routes['importCatalogue']>,
  ): Promise<RouteOutput<Routes['importCatalogue']>> {
    this.#requireSite(caller);
    const { access, catalogue, clock, changes } = this.sources;
    const bytes = unpackFile(input.body.file);
    const plan = this.#planOf(bytes);
    const { codes, added, changed, removed, errors } = plan;
    const detail = { file: sha256Hex(bytes), codes, added, changed, removed, errors };
    const subject = { objectType: 'catalogue', objectId: 'new', detail };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { atMs: clock.nowMs() }, subject },
      carryOut: async ({ atMs }: Order) => ({
        ...viewOf(plan),
        version: await catalogue.apply(plan, atMs),
      }),
    });
    changes.notify('status');
    return answer;
  }

  async rollBack(
    caller: Caller,
    input: RouteInput<Routes['rollBackCatalogue']>,
  ): Promise<RouteOutput<Routes['rollBackCatalogue']>> {
    this.#requireSite(caller);
    const { access, catalogue, clock, changes } = this.sources;
    const { version, reason } = input.body;
    const subject = { objectType: 'catalogue', objectId: String(version), reason };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { atMs: clock.nowMs() }, subject },
      carryOut: ({ atMs }: Order) => catalogue.rollBack(version, atMs),
    });
    changes.notify('status');
    return answer;
  }

  /** Products that the rules in force know; without rules none is unknown. */
  #planOf(bytes: Uint8Array): CataloguePlan {
    const products = this.sources.currentRules()?.rules.products;
    return this.sources.catalogue.plan(
      bytes,
      products && new Set(products.map(({ product }) => product)),
    );
  }

  #requireSite(caller: Caller): void {
    caller.requireSite(this.sources.config.siteId);
  }
}

/** Without the codes themselves. */
function viewOf({ codes, added, changed, removed, ...told }: CataloguePlan): CataloguePlanView {
  const { errors, warnings, findings } = told;
  return { codes, added, changed, removed, errors, warnings, findings };
}

/** Lines that are written at once. */
const LINES_MAX = 500;
async function* chunksOf(lines: Iterable<string>): AsyncGenerator<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line);
    if (chunk.length < LINES_MAX) continue;
    yield chunk.join('');
    chunk = [];
  }
  yield chunk.join('');
}
