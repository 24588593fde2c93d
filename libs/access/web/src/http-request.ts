/**
 * What of the framework's request and response is used: express types end here.
 */
import type { ExecutionContext } from '@nestjs/common';
import type { RouteContract, RouteInput } from '@aifi/contracts-rest';
import type { SignedIn } from '@aifi/access-sign-in';
import type { CallerOfRequest } from './request-caller.js';

export interface HttpRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly socket: { readonly remoteAddress?: string | undefined };
  on(event: 'close', listener: () => void): unknown;
  /** Set by the guard. */
  aifi?: {
    readonly input: RouteInput<RouteContract>;
    readonly caller: CallerOfRequest;
    readonly signedIn?: SignedIn;
  };
}
export interface HttpResponse {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly writableNeedDrain: boolean;
  readonly destroyed: boolean;
  status(code: number): this;
  set(name: string, value: string | string[]): this;
  send(body: string | Buffer): void;
  write(chunk: string | Buffer): boolean;
  end(): void;
  redirect(status: number, address: string): void;
  flushHeaders(): void;
  on(event: 'close' | 'drain', listener: () => void): unknown;
}

export const requestOf = (context: ExecutionContext): HttpRequest =>
  context.switchToHttp().getRequest<HttpRequest>();
export const responseOf = (context: ExecutionContext): HttpResponse =>
  context.switchToHttp().getResponse<HttpResponse>();
