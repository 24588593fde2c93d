/**
 * AifiError: the only exception class of the platform.
 * Decides what a fault carries: a code of the catalogue, an instance id to quote, its cause.
 * Invariant: the message holds no identity and no value from the wire.
 * Source: docs/adr/0005-result-and-exceptions.md; RFC 9457 (instance).
 */
import { randomUUID } from 'node:crypto';
import {
  ERROR_CATALOGUE,
  type CauseClass,
  type ErrorCode,
  type RetryClass,
} from './error-catalogue.js';

export class AifiError extends Error {
  readonly code: ErrorCode;
  /** Quoted by a user, searched by an operator. */
  readonly instanceId: string = randomUUID();

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AifiError';
    this.code = code;
  }
  get causeClass(): CauseClass {
    return ERROR_CATALOGUE[this.code].cause;
  }
  get retryClass(): RetryClass {
    return ERROR_CATALOGUE[this.code].retry;
  }
  get dimseStatus(): number {
    return ERROR_CATALOGUE[this.code].dimse;
  }
  get grpcStatus(): number {
    return ERROR_CATALOGUE[this.code].grpc;
  }
  get httpStatus(): number {
    return ERROR_CATALOGUE[this.code].http;
  }

  /** Any thrown value as an AifiError; unknown ones become INTERNAL with a fixed message. */
  static from(error: unknown): AifiError {
    return error instanceof AifiError
      ? error
      : new AifiError('INTERNAL', 'unexpected fault', { cause: error });
  }
}

/** Breaks the stage when an invariant does not hold: never continue with corrupt data. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AifiError('INTERNAL', message);
}
