/**
 * hardenApp: what every HTTP server of the platform has in front of its routes.
 * Decides headers, limits of a request, the pages and the one shape of errors.
 * Invariant: an application calls it once, before it listens, and is created without a body parser.
 * Source: security specification 7 (V4: size limits, one content type).
 */
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { HttpRequest, HttpResponse } from './http-request.js';
import { pagesMiddleware } from './pages.js';
import { ProblemFilter } from './problem.filter.js';
import { headersMiddleware } from './security-headers.js';
import type { WebAccessOptions } from './web-access-options.js';

/** Longest body of a request; results and images never come this way. */
const BODY_BYTES_MAX = '256kb';
/** Time for the headers and for a whole request: slow senders are cut. @unit ms */
const HEADERS_MS_MAX = 10_000;
const REQUEST_MS_MAX = 30_000;

export function hardenApp(app: NestExpressApplication, options: WebAccessOptions): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', false);
  // Names like __proto__ in a query stay plain text: no nesting.
  app.set('query parser', 'simple');
  app.use(headersMiddleware(options.publicUrl));
  app.use(pagesMiddleware(options.pagesFolder));
  app.use(requireContentType);
  app.useBodyParser('json', { limit: BODY_BYTES_MAX, type: JSON_TYPES });
  app.useBodyParser('urlencoded', {
    ...{ limit: BODY_BYTES_MAX, type: 'application/x-www-form-urlencoded' },
    ...{ extended: false, parameterLimit: 10 },
  });
  app.useGlobalFilters(new ProblemFilter(options));
  const server = app.getHttpServer() as { headersTimeout: number; requestTimeout: number };
  server.headersTimeout = HEADERS_MS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
}

/** The second is JSON too (FHIR R4 3.1.0.1.8): a Consent of the hospital's own systems. */
const JSON_TYPES = ['application/json', 'application/fhir+json'];

/** Only the provider's logout call is a form; everything else that has a body is JSON. */
function requireContentType(request: HttpRequest, _response: HttpResponse, next: Next): void {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  const wanted = request.originalUrl.startsWith('/auth/back-channel-logout')
    ? ['application/x-www-form-urlencoded']
    : JSON_TYPES;
  const type = String(request.headers['content-type'] ?? '')
    .split(';', 1)[0]!
    .trim();
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0;
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  if (wanted.includes(type.toLowerCase()) || (!hasBody && !isChunked)) return next();
  next(Object.assign(new UnsupportedMediaType(), { statusCode: 415 }));
}
type Next = (error?: unknown) => void;
/** A refusal with a status of HTTP alone: the catalogue has no code for it. */
class UnsupportedMediaType extends Error {}
