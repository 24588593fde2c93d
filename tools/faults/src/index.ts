/** Faults for real processes: network, clock, disk, signals and PostgreSQL. */
export * from './clock-shift.js';
export * from './database-server.js';
export * from './fault-proxy.js';
export * from './process-signals.js';
export * from './seeded-chance.js';
export * from './small-disk.js';
