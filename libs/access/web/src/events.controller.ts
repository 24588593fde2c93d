/**
 * Server-sent events: which lists have changed.
 * Decides that a stream ends with its session: it is authenticated again while it is open.
 * Invariant: an event is a topic, never data. Source: HTML Living Standard 9.2 (event streams).
 */
import { Controller, Inject, Req, Res } from '@nestjs/common';
import { SESSION_CHECK_MS_MAX } from '@aifi/access-sign-in';
import { accessRoutes } from '@aifi/contracts-rest';
import { signInRequestOf } from './access.guard.js';
import type { ChangeTopic } from './change-bell.js';
import type { HttpRequest, HttpResponse } from './http-request.js';
import { CallerOfRequest } from './request-caller.js';
import { By, routesOf } from './route-decorator.js';
import { SHARED_ROUTE_ACTS } from './shared-route-acts.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

const Shared = routesOf(accessRoutes, SHARED_ROUTE_ACTS);

@Controller()
export class EventsController {
  constructor(@Inject(WEB_ACCESS) private readonly options: WebAccessOptions) {}

  @Shared('events')
  async events(
    @By() caller: CallerOfRequest,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const { changes, clock, signIn } = this.options;
    const closed = new AbortController();
    const look = { ...signInRequestOf(request), isPassive: true as const };
    const send = (topic: ChangeTopic): void => {
      // Who does not read is cut; the page connects again and refetches.
      if (response.writableNeedDrain) return closed.abort();
      response.write(`event: changed\ndata: ${JSON.stringify({ topic })}\n\n`);
    };
    const stop = changes.listen(caller.userId, send);
    response.on('close', () => closed.abort());
    if (response.destroyed) closed.abort();
    response.status(200).set('Content-Type', 'text/event-stream');
    response.flushHeaders();
    try {
      while (!closed.signal.aborted) {
        await clock.sleep(SESSION_CHECK_MS_MAX, closed.signal);
        if (closed.signal.aborted || !(await signIn.authenticate(look))) break;
        // Keeps proxies from closing a quiet stream.
        response.write(': open\n\n');
      }
    } catch {
      // The session has ended: the page's next request says so.
    } finally {
      stop();
      response.end();
    }
  }
}
