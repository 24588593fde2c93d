/** Roles, acts and the access matrix: who may do what, decided by default as no. */
export * from './access-matrix.js';
export * from './access-table.js';
export * from './acts.js';
export * from './decide.js';
export * from './principal.js';
export * from './roles.js';
export * from './route-acts.js';
