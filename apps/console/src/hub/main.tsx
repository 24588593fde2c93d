/** Entry of the hub console. Decides nothing; the order of the imports matters (zod first). */
import '../frame/zod-without-eval.js';
import { start } from '../frame/start.js';
import { HubApp } from './hub-app.js';

start('hub', <HubApp />);
