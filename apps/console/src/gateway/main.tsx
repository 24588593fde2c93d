/** Entry of the gateway page. Decides nothing; the order of the imports matters (zod first). */
import '../frame/zod-without-eval.js';
import { start } from '../frame/start.js';
import { GatewayApp } from './gateway-app.js';

start('gateway', <GatewayApp />);
