/** approvals. */
export {};
