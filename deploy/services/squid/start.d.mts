/** Types of start.mjs. */
export interface SquidOptions {
  /** Of this proxy alone; other users must be able to enter it. */
  readonly folder: string;
  /** On the loopback interface. */
  readonly port: number;
  /** Where CONNECT may go. */
  readonly allowedPorts: readonly number[];
  /** Basic authentication; absent: none. */
  readonly account?: { readonly userName: string; readonly password: string };
  /** TLS to the proxy itself; absent: plain. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
}
export declare function prepareSquid(options: SquidOptions): {
  readonly command: string;
  readonly arguments: readonly string[];
  /** One line for each request, written when it has ended. */
  readonly accessLog: string;
};
