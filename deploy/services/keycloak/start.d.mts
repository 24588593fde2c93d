/** Types of start.mjs. */
export interface KeycloakOptions {
  /** Empty; everything that the server writes. */
  readonly folder: string;
  /** On 127.0.0.1: discovery, tokens and administration for servers of this machine. */
  readonly httpPort: number;
  /** Origin as browsers see it, and as tokens name it. */
  readonly publicUrl: string;
  /** On 127.0.0.1 too: for a public URL with https. */
  readonly https?: {
    readonly port: number;
    readonly certificateFile: string;
    readonly keyFile: string;
  };
  /** The realm of deploy/keycloak unless given. */
  readonly realmFile?: string;
  /** TEST_USERS_FILE for tests; none otherwise. */
  readonly usersFile?: string;
  readonly pages: {
    /** Origin of the page that signs in, without a slash. */
    readonly url: string;
    /** The same page as the server reaches it. @default url */
    readonly backChannelUrl?: string;
    /** Of client aifi-pages. */
    readonly secret: string;
  };
  /** Authorities, PEM, that it trusts when it calls the page. */
  readonly trustedFile?: string;
  readonly audience: string;
  readonly automationSecret?: string;
  /** Site of the test accounts that belong to one. */
  readonly testSite?: string;
}
export interface PreparedKeycloak {
  readonly command: string;
  readonly arguments: string[];
  /** To add to the environment; it holds secrets. */
  readonly environment: Record<string, string>;
  readonly issuer: string;
  readonly discoveryUrl: string;
  /** Answers 200 when the server is up and the realm is imported. */
  readonly healthUrl: string;
  readonly admin: {
    readonly url: string;
    readonly tokenUrl: string;
    readonly adminPassword: string;
  };
}
export declare const REALM_FILE: string;
export declare const TEST_USERS_FILE: string;
export declare const TEST_OTP_SECRET: string;
export declare function testPassword(userName: string): string;
export declare function prepareKeycloak(options: KeycloakOptions): PreparedKeycloak;
