/**
 * ProductRequestsService: "run this AI on this study", by a person at the gateway.
 * Decides the order, as for dead letters: record and order in access.db first, then the request;
 * select answers it. Invariants: a study that is not here, or a product that is not deployed here,
 * is told at once and asks for nothing; an order has its effect once.
 * Source: features specification 37 (manual send); security specification 5.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import type {
  gatewayRoutes,
  ProductRequestView,
  RouteInput,
  RouteOutput,
} from '@aifi/contracts-rest';
import { requestProduct } from '@aifi/gateway-database';
import { AifiError, REASON_CODES, type ReasonCode } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
/** Of one study; the older ones are in the journal. */
const SHOWN_MAX = 100;

interface RequestRow {
  readonly product: string;
  readonly source: string;
  readonly requestedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly answer: string | null;
}

@Injectable()
export class ProductRequestsService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  async list(
    caller: Caller,
    { params }: RouteInput<Routes['productRequests']>,
  ): Promise<RouteOutput<Routes['productRequests']>> {
    const { config, database, patients } = this.sources;
    const { studyInstanceUid: objectId } = params;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'study', objectId });
    this.#requireStudy(objectId);
    const rows = database.read((sql) =>
      sql.all<RequestRow>(
        `SELECT product, source, requested_ms AS requestedAtMs, taken_ms AS answeredAtMs, answer
          FROM product_request WHERE study_uid = ? ORDER BY request_id DESC LIMIT ?`,
        ...[objectId, SHOWN_MAX],
      ),
    );
    caller.about({ objectType: 'study', objectId, patientId: await patients.numberOf(objectId) });
    return { items: rows.map(viewOf) };
  }

  async request(
    caller: Caller,
    input: RouteInput<Routes['requestProduct']>,
  ): Promise<RouteOutput<Routes['requestProduct']>> {
    const { access, clock, config, database, patients, changes } = this.sources;
    const { studyInstanceUid: objectId } = input.params;
    const { product, reason, from: source } = input.body;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'study', objectId });
    this.#requireStudy(objectId);
    this.#requireProduct(product);
    const answer = await access.acts.order(caller, input, {
      order: { studyUid: objectId, product, source, atMs: clock.nowMs() },
      subject: {
        ...{ objectType: 'study', objectId, patientId: await patients.numberOf(objectId) },
        ...(reason !== undefined && { reason }),
        detail: { product },
      },
      carryOut: async (order) => {
        const isNew = await database.write((sql) => requestProduct(sql, order));
        return { product: order.product, requestedAtMs: order.atMs, isNew };
      },
    });
    changes.notify('studies');
    return answer;
  }

  #requireStudy(studyUid: string): void {
    const isHere = this.sources.database.read((sql) =>
      sql.get('SELECT 1 FROM study WHERE study_uid = ?', studyUid),
    );
    if (!isHere) throw new AifiError('NOT_FOUND', 'no such study at this gateway');
  }

  /** Before the first rules nobody knows: then it waits for them. */
  #requireProduct(product: string): void {
    const rules = this.sources.currentRules()?.rules;
    if (!rules || rules.products.some((one) => one.product === product)) return;
    throw new AifiError('NOT_FOUND', 'no such product is deployed here');
  }
}

function viewOf(row: RequestRow): ProductRequestView {
  const { answer } = row;
  const isCode = answer !== null && Object.hasOwn(REASON_CODES, answer);
  const words = isCode ? REASON_CODES[answer as ReasonCode] : undefined;
  return { ...row, words: words ? { nl: words.nl, en: words.en } : null };
}
