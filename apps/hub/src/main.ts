/**
 * Entry point of the hub process.
 * Decides start and stop: configuration once, a ready line when all is up, a clean stop on SIGTERM,
 * an end at once when an exception reaches nobody.
 */
import { AifiError, armCrashPoint, assertNodeVersion } from '@aifi/shared-kernel';
import { loadConfig } from '@aifi/shared-config';
import { createLogger } from '@aifi/shared-observability';
import { stopOnDefect } from './defect-stop.js';
import { hubConfigSchema } from './hub-config.js';
import { startHub } from './hub.js';

async function main(): Promise<void> {
  assertNodeVersion();
  const config = loadConfig(hubConfigSchema, process.env);
  armCrashPoint(process.env['AIFI_CRASH_AT']);
  const logger = createLogger('hub');
  stopOnDefect({ logger, events: process, exit: (code) => process.exit(code) });
  const hub = await startHub(config, logger);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    hub.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  hub.failed.catch((error: unknown) => {
    if (stopping) return;
    logger.fault('the hub cannot go on', error);
    process.exit(1);
  });
  if (hub.linkPort !== undefined) logger.info('link listening', { port: hub.linkPort });
  if (hub.providerPort !== undefined) {
    logger.info('embedded provider listening', { port: hub.providerPort });
  }
  logger.info('ready', { port: hub.httpPort });
}

main().catch((error: unknown) => {
  const fault = AifiError.from(error);
  process.stderr.write(`hub: ${fault.code}: ${fault.message}\n`);
  if (fault.code === 'INTERNAL') process.stderr.write(`${(error as Error).stack}\n`);
  process.exit(1);
});
