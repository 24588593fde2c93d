/**
 * Routing rules at the gateway: fetched, verified, kept for the time the hub is away.
 * Decides which rules are in force: the newest that verify and fit the site's purpose. Stored ones
 * that no trusted key signed any more are none: the hub is asked for others.
 * Invariant: the sequence never goes back, so an old signed set cannot be replayed.
 * Source: architecture 2 (select: signed rules, evaluated locally).
 */
import {
  decodeManifest,
  routingRulesSchema,
  verifyManifest,
  type RoutingRules,
  type VerifyingKeys,
} from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, sha256Hex, type Purpose, type Sha256 } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { DownlinkPort } from './downlink-port.js';
import { ifTrusted } from './stored-document.js';

const SETTING = 'routing-rules';
const SIGNATURE_BYTES = 64; // Ed25519, RFC 8032

export interface CurrentRules {
  readonly rules: RoutingRules;
  readonly sha256: Sha256;
}

export class RulesStore {
  #current: CurrentRules | undefined;

  constructor(
    private readonly database: GatewayDatabase,
    private readonly keys: VerifyingKeys,
    private readonly purpose: Purpose,
    logger: Logger,
  ) {
    const row = database.read((sql) =>
      sql.get<{ value: Uint8Array }>('SELECT value FROM setting WHERE key = ?', SETTING),
    );
    if (!row) return;
    const signature = row.value.subarray(0, SIGNATURE_BYTES);
    const bytes = row.value.subarray(SIGNATURE_BYTES);
    if (ifTrusted({ bytes, signature, keys, words: 'the stored routing rules', logger })) {
      this.#current = this.#read(bytes);
    }
  }

  current(): CurrentRules | undefined {
    return this.#current;
  }

  /** Asks the hub once; true when new rules came into force. */
  async refresh(port: Pick<DownlinkPort, 'routingRules'>): Promise<boolean> {
    const response = await port.routingRules(this.#current?.sha256 ?? '');
    return response.rules.length > 0 && (await this.accept(response));
  }

  /** True when these came into force; UNTRUSTED when they are older than the ones in force. */
  async accept(told: downlink.GetRoutingRulesResponse): Promise<boolean> {
    const next = this.#verified(told.rules, told.signature);
    if (this.#current && next.rules.sequence < this.#current.rules.sequence) {
      throw new AifiError('UNTRUSTED', 'the routing rules are older than the ones in force');
    }
    if (next.sha256 === this.#current?.sha256) return false;
    const value = Buffer.concat([told.signature, told.rules]);
    crashPoint('gateway.rules.before-commit');
    await this.database.write((sql) =>
      sql.run('INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)', SETTING, value),
    );
    crashPoint('gateway.rules.after-commit');
    this.#current = next;
    return true;
  }

  #verified(bytes: Uint8Array, signature: Uint8Array): CurrentRules {
    verifyManifest(bytes, signature, this.keys);
    return this.#read(bytes);
  }

  #read(bytes: Uint8Array): CurrentRules {
    const rules = decodeManifest(routingRulesSchema, bytes);
    if (rules.purpose !== this.purpose) {
      throw new AifiError('UNTRUSTED', 'the routing rules are for another purpose');
    }
    return { rules, sha256: sha256Hex(bytes) };
  }
}
