/** Types of client.mjs. */
export interface PynetdicomAnswer {
  readonly established: boolean;
  readonly rejected: boolean;
  /** Abstract syntaxes of the accepted presentation contexts. */
  readonly accepted: readonly string[];
  /** Of each request; null: no answer. */
  readonly statuses: readonly (number | null)[];
}
export declare function runPynetdicom(words: readonly string[]): Promise<PynetdicomAnswer>;
