/** Access at the hub. */
export {};
