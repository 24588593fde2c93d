/**
 * What a server tells of itself before anybody has signed in: its interface and its provider.
 * Source: OpenAPI 3.1; RFC 9728 (protected resource metadata).
 */
import { Controller, Inject } from '@nestjs/common';
import { accessRoutes, type RouteOutput } from '@aifi/contracts-rest';
import { openApiDocument } from './open-api.js';
import { routesOf } from './route-decorator.js';
import { SHARED_ROUTE_ACTS } from './shared-route-acts.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

const Shared = routesOf(accessRoutes, SHARED_ROUTE_ACTS);

@Controller()
export class DescriptionController {
  readonly #document: Record<string, unknown>;

  constructor(@Inject(WEB_ACCESS) private readonly options: WebAccessOptions) {
    const { server } = options;
    const title = server === 'hub' ? 'AI platform: hub' : 'AI platform: hospital gateway';
    this.#document = openApiDocument({ ...options, title, version: 'v1' });
  }

  @Shared('openApi')
  openApi(): Record<string, unknown> {
    return this.#document;
  }
  @Shared('protectedResource')
  protectedResource(): RouteOutput<typeof accessRoutes.protectedResource> {
    const { publicUrl: resource, issuer } = this.options;
    return { resource, authorization_servers: [issuer], bearer_methods_supported: ['header'] };
  }
}
