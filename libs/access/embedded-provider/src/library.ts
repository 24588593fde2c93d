/**
 * Types of oidc-provider under short names.
 * Decides only that the rest of this library names them once.
 */
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';

export type { KoaContextWithOIDC };
export type Session = NonNullable<KoaContextWithOIDC['oidc']['session']>;
export type Features = NonNullable<Configuration['features']>;
type DeviceFlow = NonNullable<Features['deviceFlow']>;
export type DeviceFlowPages = Pick<
  Required<DeviceFlow>,
  'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'
>;
export type { Provider };
