/** Two-person approvals: requests, decisions, grants with an end. */
export * from './approval.js';
export * from './approval-store.js';
