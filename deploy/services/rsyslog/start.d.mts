/** Types of start.mjs. */
export interface RsyslogOptions {
  readonly folder: string;
  readonly port: number;
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Messages of clients without a certificate of this CA are refused. */
  readonly clientCertificates: boolean;
}
export declare function prepareRsyslog(options: RsyslogOptions): {
  command: string;
  arguments: string[];
  /** What was received: one line a message, MSG part only. */
  outputFile: string;
};
