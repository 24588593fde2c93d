/**
 * Entry of the stand-in PACS: a development and test peer where no Orthanc can be installed.
 * Decides the order of start and stop; nothing here is for clinical use.
 */
import type { AddressInfo } from 'node:net';
import { loadConfig } from '@aifi/shared-config';
import { armCrashPoint, AifiError, assertNodeVersion } from '@aifi/shared-kernel';
import { createLogger } from '@aifi/shared-observability';
import { Archive } from './archive.js';
import { startDicomService } from './dicom-service.js';
import { startRestApi } from './rest-api.js';
import { simulatorConfigSchema } from './simulator.config.js';

async function main(): Promise<void> {
  assertNodeVersion();
  const config = loadConfig(simulatorConfigSchema, process.env);
  armCrashPoint(process.env['AIFI_CRASH_AT']);
  const archive = await Archive.open(config.dataFolder);
  const dicom = await startDicomService(config, archive);
  const http = await startRestApi(config, archive, dicom.port);
  const logger = createLogger('pacs-simulator');
  logger.info('ready', { port: (http.address() as AddressInfo).port });
  const stop = async (): Promise<void> => {
    http.close();
    http.closeAllConnections();
    await dicom.close();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
}

main().catch((error: unknown) => {
  const { message } = AifiError.from(error);
  process.stderr.write(`pacs-simulator: ${message}\n`);
  process.exit(1);
});
