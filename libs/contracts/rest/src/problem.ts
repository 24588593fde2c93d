/**
 * Problem: the one shape of an error over HTTP.
 * Decides which HTTP status a fault has (the kernel's catalogue) and that a body carries an
 * instance id to quote. Invariant: fixed words only; a foreign error says nothing of itself.
 * Source: RFC 9457 (problem+json); conventions 2 "Errors".
 */
import { z } from 'zod';
import { AifiError } from '@aifi/shared-kernel';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  /** Code of the kernel's catalogue; absent for an address that does not exist. */
  code: z.string().optional(),
  /** Quoted by a user, searched by an operator. */
  instance: z.string().regex(/^urn:uuid:[0-9a-f-]{36}$/),
});
export type Problem = z.infer<typeof problemSchema>;

/** What an HTTP framework or its body parser throws of its own. */
interface HttpFault {
  getStatus?(): number;
  readonly statusCode?: number;
}

/** Status of a fault of the framework: an unknown address, a body too large; else undefined. */
export function frameworkStatus(error: unknown): number | undefined {
  const fault = (error ?? {}) as HttpFault;
  const status = fault.getStatus?.() ?? fault.statusCode;
  return status !== undefined && status >= 400 && status < 500 ? status : undefined;
}

/** The answer to a fault. */
export function problemOf(error: unknown): Problem {
  const fault = AifiError.from(error);
  const instance = `urn:uuid:${fault.instanceId}`;
  const frameworks = fault === error ? undefined : frameworkStatus(error);
  if (frameworks !== undefined) {
    const title = 'the request is not one of this interface';
    return { type: 'about:blank', title, status: frameworks, instance };
  }
  const { code, httpStatus: status, message: title } = fault;
  return { type: 'about:blank', title, status, code, instance };
}
