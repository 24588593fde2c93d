/**
 * How far the trail was shipped to a receiver outside.
 * Decides nothing: keeps what the shipper has made sure of. Invariant: durable when `set` resolves.
 * Source: port ShippingPosition of libs/access/audit; hazard H18 (at least once).
 */
import type { ShippingPosition } from '@aifi/access-audit';
import type { AccessDatabase } from './access-database.js';

export class GatewayShippingPosition implements ShippingPosition {
  constructor(private readonly database: AccessDatabase) {}

  async get(destination: string, chain: string): Promise<number> {
    const row = this.database.read((sql) =>
      sql.get<{ sequence: number }>(
        'SELECT sequence FROM audit_shipping WHERE destination = ? AND chain = ?',
        ...[destination, chain],
      ),
    );
    return row?.sequence ?? 0;
  }

  async set(destination: string, chain: string, sequence: number): Promise<void> {
    await this.database.transaction(({ sql }) =>
      sql.run(
        `INSERT INTO audit_shipping VALUES (?, ?, ?)
         ON CONFLICT (destination, chain) DO UPDATE SET sequence = excluded.sequence`,
        ...[destination, chain, sequence],
      ),
    );
  }
}
