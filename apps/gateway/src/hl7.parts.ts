/**
 * HL7 of the gateway: what messages say, brought to the parts that it concerns.
 * Decides the wiring: identity goes to the vault's own log, objections to theirs, orders stay where
 * select reads them. Invariant: an objection is set and moved under every key of a number.
 * Source: docs/architecture/3-trust-boundaries.md; reliability specification C5.
 */
import {
  movePatient,
  setObjection,
  withdrawObjection,
  type ObjectionRegister,
} from '@aifi/gateway-consent';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import {
  createHl7Stage,
  type Hl7Move,
  type Hl7Objection,
  type Hl7Stage,
  type IntakePorts,
} from '@aifi/gateway-hl7';
import { applyIdentityEvent, type IdentityEventLog, type Vault } from '@aifi/gateway-vault';
import type { Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing } from '@aifi/shared-site-keys';
import type { GatewayConfig } from './gateway-config.js';

/** Studies that are looked through for an accession number: some weeks of a large hospital. */
const STUDIES_MAX = 20_000;

export interface Hl7Parts {
  readonly config: GatewayConfig;
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  readonly identityEvents: IdentityEventLog;
  readonly objections: Pick<ObjectionRegister, 'keysOf'>;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Undefined where the hospital sends no messages. */
export function createHl7(parts: Hl7Parts): Hl7Stage | undefined {
  const { config, database, keys, clock, logger } = parts;
  if (!config.hl7) return undefined;
  const ports = portsOf(parts);
  return createHl7Stage({ config: config.hl7, database, keys, clock, logger, ports });
}

export function portsOf(parts: Omit<Hl7Parts, 'config' | 'keys'>): IntakePorts {
  const { vault, identityEvents: events, clock } = parts;
  return {
    onIdentityEvent: async (event) => {
      await applyIdentityEvent({ vault, events }, event, clock.nowMs());
    },
    recordObjection: (sql, said) => recordObjection(sql, said, parts),
    moveObjections: (sql, move) => moveObjections(sql, move, parts),
    studiesOf,
  };
}

type ObjectionParts = Pick<Hl7Parts, 'objections' | 'clock'>;
const keysOf = (
  { objections }: ObjectionParts,
  { id: patientId, issuer }: Hl7Objection['patient'],
): readonly string[] => objections.keysOf({ patientId, issuer });

function recordObjection(sql: Sql, said: Hl7Objection, parts: ObjectionParts): void {
  const { kinds, isObjecting, saidMs: sinceMs, untilMs } = said;
  const atMs = parts.clock.nowMs();
  for (const patientKey of keysOf(parts, said.patient)) {
    for (const kind of kinds) {
      const objection = { kind, sinceMs, untilMs, source: 'adt' } as const;
      if (isObjecting) setObjection(sql, { patientKey, atMs }, objection);
      else withdrawObjection(sql, { patientKey, atMs }, objection);
    }
  }
}

/** An unmerge leaves both with what they object to, and a visit takes no objection with it. */
function moveObjections(sql: Sql, move: Hl7Move, parts: ObjectionParts): void {
  if (move.kind === 'UNMERGE' || move.visitKey !== undefined) return;
  for (const fromKey of keysOf(parts, move.from)) {
    for (const intoKey of keysOf(parts, move.into)) {
      movePatient(sql, fromKey, intoKey, { atMs: parts.clock.nowMs() });
    }
  }
}

/** By the first image of each study: an accession number is the same in all of them. */
function studiesOf(sql: Sql, accessionKeys: readonly string[]): string[] {
  if (accessionKeys.length === 0) return [];
  const wanted = new Set(accessionKeys);
  return sql
    .all<{ study_uid: string; accession_key: string | null }>(
      `SELECT study_uid, (SELECT json_extract(header, '$.accessionKey') FROM instance i
         WHERE i.study_id = s.study_id LIMIT 1) AS accession_key
       FROM study s ORDER BY study_id DESC LIMIT ?`,
      STUDIES_MAX,
    )
    .filter(({ accession_key: key }) => key !== null && wanted.has(key))
    .map(({ study_uid: studyUid }) => studyUid);
}
