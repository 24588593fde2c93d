/** The web edge of hub and gateway: routes by contract, guard, records, headers, pages. */
export * from './caller.js';
export * from './change-bell.js';
export * from './harden-app.js';
export * from './request-caller.js';
export * from './route-decorator.js';
export * from './security-headers.js';
export { sendSlowly, type SlowResponse } from './slow-response.js';
export * from './web-access.module.js';
export * from './web-access-options.js';
export type { HttpRequest, HttpResponse } from './http-request.js';
