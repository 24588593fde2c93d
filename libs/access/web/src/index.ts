/** The web edge of hub and gateway: routes by contract, guard, records, headers, pages. */
export * from './caller.js';
export * from './request-caller.js';
export * from './route-decorator.js';
export type { HttpRequest, HttpResponse } from './http-request.js';
