/** Acts of the routes that both servers have; a view of the hub's table. */
import { HUB_ROUTE_ACTS, type Act } from '@aifi/access-authorisation';
import { accessRoutes } from '@aifi/contracts-rest';

export const SHARED_ROUTE_ACTS: Readonly<Record<keyof typeof accessRoutes, Act>> = HUB_ROUTE_ACTS;
