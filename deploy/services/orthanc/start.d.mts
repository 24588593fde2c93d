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
  }[];
}
export declare function prepareOrthanc(options: OrthancOptions): {
  command: string;
  arguments: string[];
  restUrl: string;
};
