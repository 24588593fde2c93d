/**
 * Settings of a link whose certificate the gateway got by joining.
 * Decides what a hospital configures: where the hub is and the way there. Everything else, the
 * certificate and whom to trust, comes with the token and lies under the data folder.
 * Invariants: a password is named by file; a password is never sent to a proxy without TLS unless
 * the configuration names that proxy so. Source: RFC 9110 9.3.6 (CONNECT); RFC 7617 (Basic).
 */
import { z } from 'zod';

const proxySchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .refine((text) => isBare(new URL(text)), 'only scheme, host and port')
      .describe('http://host:port, or https://host:port for TLS to the proxy itself'),
    userName: z
      .string()
      .regex(/^[^:\p{Cc}]{1,256}$/u, 'no colon and no control character')
      .optional()
      .describe('for basic authentication'),
    passwordFile: z.string().optional().describe('its first line; mode 0600'),
    caFile: z.string().optional().describe('authority of an HTTPS proxy, PEM'),
  })
  .refine(
    ({ userName, passwordFile }) => (userName === undefined) === (passwordFile === undefined),
    { path: ['passwordFile'], message: 'a name needs a password and the other way round' },
  )
  .refine(({ url, caFile }) => caFile === undefined || url.startsWith('https:'), {
    path: ['caFile'],
    message: 'only a proxy with https has a certificate',
  });

export const linkSettingsSchema = z.strictObject({
  address: z
    .string()
    .regex(/^[\w.-]+:\d{1,5}$/)
    .describe('host:port of the hub, for gateways'),
  serverName: z
    .string()
    .regex(/^[\w.-]{1,253}$/)
    .optional()
    .describe("name in the hub's certificate; default: the host of address"),
  proxy: proxySchema.optional().describe('HTTP proxy on the way to the hub'),
});
export type LinkSettings = z.output<typeof linkSettingsSchema>;
export type ProxySettings = z.output<typeof proxySchema>;

/** Where a connection goes and under which name the other side must prove itself. */
export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
}

export function targetOf({ address, serverName }: LinkSettings): LinkTarget {
  const cut = address.lastIndexOf(':');
  const host = address.slice(0, cut);
  return { host, port: Number(address.slice(cut + 1)), serverName: serverName ?? host };
}

function isBare(url: URL): boolean {
  const { username, password, pathname, search, hash } = url;
  return username + password + search + hash === '' && pathname === '/';
}
