/** Backup of a gateway, and its restore on an empty folder. */
export * from './gateway-backup.js';
export { rewindToFiles, type Rewound } from './rewind.js';
