/**
 * RouteContract: one route of a REST interface as data.
 * Decides method, address, input and output once; controllers, the OpenAPI document, the pages'
 * client and the generated access test all read this one table.
 * Invariant: what is not in a contract is refused (strict objects); an identifier of a patient is
 * never part of an address. Source: RFC 9110; conventions "NestJS"; security specification 7 (V2).
 */
import { z } from 'zod';

export interface RouteContract {
  readonly method: 'GET' | 'POST';
  /** With `:name` for parameters. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Absent: the answer is no JSON, see `media`. */
  readonly response?: z.ZodType;
  /** Content type of an answer that is not JSON; '' when there is none (a redirect, 204). */
  readonly media?: string;
}
export type RouteTable = Readonly<Record<string, RouteContract>>;

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
/** What a handler gets: each part parsed. */
export interface RouteInput<R extends RouteContract> {
  readonly params: Parsed<R['params']>;
  readonly query: Parsed<R['query']>;
  readonly body: Parsed<R['body']>;
}
/** What a handler of a JSON route answers. */
export type RouteOutput<R extends RouteContract> = R['response'] extends z.ZodType
  ? z.output<R['response']>
  : unknown;

/** Longest page of a list. */
export const PAGE_LIMIT_MAX = 200;
/**
 * Query of a list. The cursor is opaque: it comes from `nextCursor` of the page before and is good
 * for the same query only.
 */
export const pageQuery = {
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(50),
};
/** A page of a list; nextCursor is null on the last one. */
export const pageOf = <S extends z.ZodType>(
  item: S,
): z.ZodObject<{ items: z.ZodArray<S>; nextCursor: z.ZodNullable<z.ZodString> }> =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** Why somebody does a thing; shown to who approves, and kept. */
export const reasonSchema = z.string().trim().min(10).max(500);
/** Header that makes a POST safe to repeat; every POST of the interfaces takes it. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';
/** Header with the session's token against forged requests; on every POST with a session cookie. */
export const CSRF_HEADER = 'x-csrf-token';
