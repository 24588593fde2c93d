/**
 * The OpenAPI document of a server, made from the contracts that its routes run on.
 * Decides nothing: what is not in a contract is not in the document.
 * Source: OpenAPI Specification 3.1; RFC 9457 (problem+json).
 */
import { z } from 'zod';
import { cookieNames } from '@aifi/access-sign-in';
import {
  CSRF_HEADER,
  IDEMPOTENCY_HEADER,
  PROBLEM_CONTENT_TYPE,
  problemSchema,
  type RouteContract,
  type RouteTable,
} from '@aifi/contracts-rest';

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): object =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' });

interface Description {
  readonly title: string;
  readonly version: string;
  readonly publicUrl: string;
  readonly issuer: string;
  readonly routes: RouteTable;
  readonly routeActs: Readonly<Record<string, string>>;
}

export function openApiDocument(description: Description): Record<string, unknown> {
  const { title, version, publicUrl, issuer, routes, routeActs } = description;
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [id, route] of Object.entries(routes)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(id, route, routeActs[id] ?? '');
  }
  return {
    openapi: '3.1.0',
    info: { title, version },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: cookieNames(publicUrl).session },
        token: {
          type: 'openIdConnect',
          openIdConnectUrl: `${issuer}/.well-known/openid-configuration`,
        },
      },
    },
    security: [{ session: [] }, { token: [] }],
  };
}

function operation(id: string, route: RouteContract, act: string): Record<string, unknown> {
  const media = route.response ? 'application/json' : route.media;
  const schema = route.response ? jsonSchema(route.response, 'output') : { type: 'string' };
  const content = media ? { content: { [media]: { schema } } } : {};
  return {
    operationId: id,
    summary: route.summary,
    'x-aifi-act': act,
    parameters: [
      ...parameters('path', route.params),
      ...parameters('query', route.query),
      ...(route.method === 'POST' ? POST_HEADERS : []),
    ],
    ...(route.body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
      },
    }),
    responses: {
      200: { description: 'done', ...content },
      default: {
        description: 'a fault, with an instance id to quote',
        content: {
          [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  };
}

const POST_HEADERS = [
  { name: IDEMPOTENCY_HEADER, required: true },
  { name: CSRF_HEADER, required: false },
].map((header) => ({ ...header, in: 'header', schema: { type: 'string' } }));

function parameters(place: 'path' | 'query', schema: z.ZodObject | undefined): object[] {
  return Object.entries(schema?.shape ?? {}).map(([name, value]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: jsonSchema(value as z.ZodType, 'input'),
  }));
}
