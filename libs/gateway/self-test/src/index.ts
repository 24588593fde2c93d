/** The probe of a gateway: everything but a C-STORE, every 15 minutes. */
export * from './probe.js';
