/** Types of start.mjs. */
export interface OrthancOptions {
  readonly folder: string;
  readonly aeTitle: string;
  readonly dicomPort: number;
  readonly httpPort: number;
  readonly modalities: readonly {
    readonly name: string;
    readonly aeTitle: string;
    readonly host: string;
    readonly port: number;
    /** Calls this modality over TLS, with the certificate of `tls`. @default false */
    readonly tls?: boolean;
    /** Takes its storage commitment requests and reports. @default true */
    readonly storageCommitment?: boolean;
  }[];
  /** PEM files. The client's certificate is required and verified. */
  readonly tls?: {
    readonly certificateFile: string;
    readonly keyFile: string;
    /** Who may sign the other side's certificate. */
    readonly trustedFile: string;
    /** False: only calls go over TLS, the DICOM port stays plain. @default true */
    readonly isServer?: boolean;
  };
  /** Libraries to load. @default none */
  readonly plugins?: readonly string[];
  /** More settings, by their name in the Orthanc Book; they win over those above. */
  readonly settings?: Readonly<Record<string, unknown>>;
}
export declare function prepareOrthanc(options: OrthancOptions): {
  command: string;
  arguments: string[];
  restUrl: string;
};
