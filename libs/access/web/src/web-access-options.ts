/**
 * What an application gives to its web edge. Decides nothing.
 */
import type { Act } from '@aifi/access-authorisation';
import type { ApprovalStore } from '@aifi/access-approvals';
import type { SignIn } from '@aifi/access-sign-in';
import type { RouteTable } from '@aifi/contracts-rest';
import type { Clock, Purpose } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { ActStore, AuditSink } from './caller.js';
import type { ChangeBell } from './change-bell.js';

/** Token of WebAccessOptions. */
export const WEB_ACCESS = Symbol('web access');

export interface WebAccessOptions<Tx = unknown> {
  readonly server: 'hub' | 'gateway';
  /** Site of records about no site: '*' at the hub, the own site at a gateway. */
  readonly homeSite: string;
  readonly purpose: Purpose;
  /** Origin of the pages, as a browser sees it. */
  readonly publicUrl: string;
  /** OpenID provider that this server trusts. */
  readonly issuer: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signIn: SignIn;
  readonly audit: AuditSink;
  readonly acts: ActStore<Tx>;
  readonly approvals: ApprovalStore<Tx>;
  readonly changes: ChangeBell;
  /** Routes of this server, for the OpenAPI document. */
  readonly routes: RouteTable;
  /** Act of each of them, for the navigation of the session. */
  readonly routeActs: Readonly<Record<string, Act>>;
  /** Built pages; undefined: this server has none. */
  readonly pagesFolder?: string | undefined;
  /** Counts refusals by code. */
  readonly onRefused?: (code: string) => void;
}
