/** Access at the gateway. */
export {};
