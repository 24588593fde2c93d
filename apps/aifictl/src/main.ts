/**
 * Entry point of aifictl.
 * Decides nothing but where input and output are: arguments, environment, terminal. It asks the
 * services over HTTP only and runs on any Node that has fetch.
 */
import { runAifictl } from './run.js';

process.exitCode = await runAifictl(process.argv.slice(2), {
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  fetch,
  nowMs: () => Date.now(),
  timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
});
