/**
 * Entry point of the gateway process.
 * Decides start and stop: configuration once, a ready line when all is up, a clean stop on SIGTERM;
 * what people change on the page is laid over the configuration (GatewayProcess). With arguments it
 * is a task of maintenance instead, with the same configuration.
 */
import { AifiError, armCrashPoint, assertNodeVersion, systemClock } from '@aifi/shared-kernel';
import { loadConfig } from '@aifi/shared-config';
import { createLogger } from '@aifi/shared-observability';
import { gatewayConfigSchema } from './gateway-config.js';
import { GatewayProcess } from './gateway-process.js';
import { runMaintenance } from './maintenance.js';

async function main(): Promise<void> {
  assertNodeVersion();
  const config = loadConfig(gatewayConfigSchema, process.env);
  armCrashPoint(process.env['AIFI_CRASH_AT']);
  const args = process.argv.slice(2);
  if (args.length > 0) {
    const out = (text: string): void => void process.stdout.write(text);
    return runMaintenance({ args, config, clock: systemClock, out });
  }
  const logger = createLogger('gateway').child({ siteId: config.siteId });
  const gateway = await GatewayProcess.start(config, logger);
  const stop = (): void => {
    gateway.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  gateway.ended.catch((error: unknown) => {
    logger.fault('a stage ended, stopping', error);
    process.exit(1);
  });
  logger.info('ready', { port: gateway.httpPort });
}

main().catch((error: unknown) => {
  const fault = AifiError.from(error);
  process.stderr.write(`gateway: ${fault.code}: ${fault.message}\n`);
  if (fault.code === 'INTERNAL') process.stderr.write(`${(error as Error).stack}\n`);
  process.exit(1);
});
