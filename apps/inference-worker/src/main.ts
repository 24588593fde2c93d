/**
 * Entry of the inference worker: configuration, models, server.
 * Decides that the worker starts only with verified models, and that it is the one place that reads
 * the environment. Exit code 0 after SIGTERM or SIGINT, 1 when the start is refused.
 */
import type { AddressInfo } from 'node:net';
import { readModelPackages } from '@aifi/contracts-manifests';
import { loadConfig } from '@aifi/shared-config';
import { AifiError, armCrashPoint, assertNodeVersion, systemClock } from '@aifi/shared-kernel';
import { Counter, createLogger, createRegistry, Histogram } from '@aifi/shared-observability';
import { InferService, type RunRecord } from './infer-service.js';
import { createWorkerServer } from './worker-server.js';
import { workerConfigSchema } from './worker.config.js';

const APP = 'inference-worker';

async function main(): Promise<void> {
  assertNodeVersion();
  const config = loadConfig(workerConfigSchema, process.env);
  armCrashPoint(process.env['AIFI_CRASH_AT']);
  const logger = createLogger(APP);
  const registry = createRegistry(APP);
  const registers = [registry];
  const runs = new Counter({
    name: 'aifi_infer_runs_total',
    help: 'Model runs by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'aifi_infer_run_seconds',
    help: 'Duration of a model run, from the start of its child to its end.',
    buckets: [1, 2, 5, 10, 20, 40, 80, 160, 320],
    registers,
  });
  const onRun = ({ id, product, outcome, durationMs }: RunRecord): void => {
    runs.inc({ outcome });
    seconds.observe(durationMs / 1000);
    const fields = { correlationId: id, product, durationMs: Math.round(durationMs) };
    if (outcome === 'SUCCESS') logger.info('run finished', fields);
    else logger.warn('run without result', { ...fields, code: outcome });
  };
  const packages = await readModelPackages(config.modelsFolder);
  const service = new InferService({ workFolder: config.workFolder, clock: systemClock, onRun });
  await service.prepare();
  const server = createWorkerServer({ packages, service, registry, logger });
  const stop = (): void => {
    server.close(() => process.exit(0));
    // Closes the connections of runs, which kills their children.
    server.closeAllConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  server.listen(config.http.port, config.http.host, () => {
    const { port } = server.address() as AddressInfo;
    logger.info('ready', { port, count: packages.length });
  });
}

main().catch((error: unknown) => {
  const { code, message } = AifiError.from(error);
  process.stderr.write(`${APP} does not start: ${code}: ${message}\n`);
  process.exit(1);
});
