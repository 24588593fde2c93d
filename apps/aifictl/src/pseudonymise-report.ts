/**
 * The report of the pseudonymise command: what became of every file, and what was done with every
 * attribute.
 * Decides its form, and that it is written as it grows. Invariants: no value of an attribute and no
 * file name is in it; a file is named by its number and a keyed digest of its path, which the
 * holder of the key can find again; memory does not grow with the number of files.
 * Source: PS3.15 E.1.1; pseudonymisation specification 1.2 (8).
 */
import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { deidentificationContractSchema } from '@aifi/contracts-manifests';
import { keywordOf } from '@aifi/dicom-core';
import type { ActionReport } from '@aifi/dicom-deidentification';
import { hmacSha256 } from '@aifi/shared-kernel';
import { UsageError } from './command-line.js';
import { profileSchema } from './pseudonymise-profile.js';

export const VERDICTS = ['passed', 'quarantined', 'stays behind'] as const;
const fileSchema = z.object({
  /** Counts from 1, in the order of the folder. */
  file: z.int(),
  /**
   * HMAC-SHA-256 of the path below the folder, 32 hexadecimal digits; its key is the HMAC-SHA-256
   * of `aifictl.digest` under the site's key for UIDs.
   */
  pathDigest: z.string(),
  verdict: z.enum(VERDICTS),
  code: z.string().optional(),
  /** Fixed words. */
  reason: z.string().optional(),
  /** Pseudonymous; of files that passed. */
  study: z.string().optional(),
  series: z.string().optional(),
  instance: z.string().optional(),
  /** Of what was written. */
  sha256: z.string().optional(),
  /** Regions were blacked out. */
  isCleaned: z.boolean().optional(),
});
export type FileVerdict = z.infer<typeof fileSchema>;

const attributeSchema = z.object({
  /** (gggg,eeee); elements of private groups are counted together. */
  tag: z.string(),
  keyword: z.string(),
  /** Enclosing sequences, outermost first. */
  within: z.array(z.string()),
  action: z.string(),
  count: z.int(),
});
export const pseudonymiseReportSchema = z.object({
  schema: z.literal('aifictl.pseudonymise.v1'),
  site: z.string(),
  keyEpoch: z.int(),
  /** What held for every file: that of the product, and the site's word on dates. */
  contract: deidentificationContractSchema,
  deidentification: profileSchema.shape.deidentification,
  pixelGate: profileSchema.shape.pixelGate,
  files: z.array(fileSchema),
  /** Studies that name two patients: what was written of them was removed again. */
  withdrawn: z.array(z.object({ study: z.string(), files: z.int() })),
  /** Of the files that passed, withdrawn ones included. */
  attributes: z.array(attributeSchema),
  /** Codes of PS3.16 CID 7050 that the files claim, with how many do. */
  options: z.array(z.object({ code: z.string(), meaning: z.string(), files: z.int() })),
  totals: z.object({
    files: z.int(),
    passed: z.int(),
    quarantined: z.int(),
    staysBehind: z.int(),
    /** Links and what else is no file; never followed. */
    passedOver: z.int(),
    bytesWritten: z.int(),
  }),
});
export type PseudonymiseReport = z.infer<typeof pseudonymiseReportSchema>;
export type ReportTail = Omit<PseudonymiseReport, 'schema' | 'files' | keyof ReportHead>;
export type ReportHead = Pick<
  PseudonymiseReport,
  'site' | 'keyEpoch' | 'contract' | 'deidentification' | 'pixelGate'
>;

/** A path below the folder, for who holds the key. */
export function pathDigest(name: string, key: Uint8Array): string {
  return hmacSha256(key, 'aifictl.file', name).toString('hex').slice(0, 32);
}

type Action = Parameters<ActionReport>[2];
const ODD_GROUP = 1 << 16;

interface Done {
  readonly actions: readonly Action[];
  readonly tags: readonly number[];
}

/** Counts what was done with attributes: first of one file, then, when it passed, of all. */
export class AttributeCounts {
  /** By action, then by tag: most attributes lie in no sequence. */
  readonly #flat = new Map<Action, Map<number, number>>();
  readonly #nested = new Map<string, number>();
  /** The same was done with so many files in a row: those of a series are alike. */
  #repeated: Done & { files: number } = { actions: [], tags: [], files: 0 };

  /** A report for one file; nothing counts until `add` is called. */
  forFile(): { readonly report: ActionReport; readonly add: () => void } {
    const [actions, tags, nested]: [Action[], number[], string[]] = [[], [], []];
    return {
      report: (tag, path, action) => {
        if (path.length > 0) {
          nested.push(keyOf(tag, path, action));
          return;
        }
        actions.push(action);
        tags.push(settled(tag));
      },
      add: () => {
        if (!isSame(this.#repeated, { actions, tags })) {
          this.#addRepeated();
          this.#repeated = { actions, tags, files: 0 };
        }
        this.#repeated.files += 1;
        for (const key of nested) this.#nested.set(key, (this.#nested.get(key) ?? 0) + 1);
      },
    };
  }
  #addRepeated(): void {
    const { actions, tags, files } = this.#repeated;
    for (const [at, action] of actions.entries()) {
      let counts = this.#flat.get(action);
      if (!counts) this.#flat.set(action, (counts = new Map()));
      counts.set(tags[at]!, (counts.get(tags[at]!) ?? 0) + files);
    }
    this.#repeated.files = 0;
  }

  rows(): PseudonymiseReport['attributes'] {
    this.#addRepeated();
    const flat = [...this.#flat].flatMap(([action, tags]) =>
      [...tags].map(([tag, count]) => [keyOf(tag, [], action), count] as const),
    );
    return [...flat, ...this.#nested]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, count]) => {
        const [tags = '', action = ''] = key.split(' ');
        const path = tags.split('/').map((hex) => Number.parseInt(hex, 16));
        const tag = path.pop()!;
        return { tag: tagText(tag), keyword: nameOf(tag), within: path.map(nameOf), action, count };
      });
  }
}

function isSame(one: Done, other: Done): boolean {
  if (one.tags.length !== other.tags.length) return false;
  for (let at = 0; at < one.tags.length; at += 1) {
    if (one.tags[at] !== other.tags[at] || one.actions[at] !== other.actions[at]) return false;
  }
  return true;
}

function keyOf(tag: number, path: readonly number[], action: Action): string {
  return `${[...path, tag].map((each) => hexOf(settled(each))).join('/')} ${action}`;
}
/** What a private element is called may say who made it; only its group is told. */
const settled = (tag: number): number => ((tag & ODD_GROUP) === 0 ? tag : (tag & ~0xffff) >>> 0);
const hexOf = (tag: number): string => tag.toString(16).padStart(8, '0').toUpperCase();
const tagText = (tag: number): string =>
  (tag & ODD_GROUP) === 0
    ? `(${hexOf(tag).slice(0, 4)},${hexOf(tag).slice(4)})`
    : `(${hexOf(tag).slice(0, 4)},xxxx)`;
const nameOf = (tag: number): string =>
  (tag & ODD_GROUP) === 0 ? keywordOf(tag) : `private ${tagText(tag)}`;

/** The file of the report, readable by its owner only; it is never written over another one. */
export class ReportFile {
  #isFirst = true;
  #held = '';
  private constructor(private readonly file: FileHandle) {}

  static async create(path: string, head: ReportHead): Promise<ReportFile> {
    const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw new UsageError(`the file of --json ${isThere ? 'is there' : 'cannot be written'}`);
    });
    const report = new ReportFile(file);
    const start = JSON.stringify({ schema: 'aifictl.pseudonymise.v1', ...head });
    report.#held = `${start.slice(0, -1)},\n"files":[`;
    return report;
  }

  async add(verdict: FileVerdict): Promise<void> {
    this.#held += `${this.#isFirst ? '' : ','}\n${JSON.stringify(verdict)}`;
    this.#isFirst = false;
    if (this.#held.length > HELD_CHARACTERS) await this.#write();
  }
  async finish(tail: ReportTail): Promise<void> {
    this.#held += `\n],\n${JSON.stringify(tail).slice(1)}\n`;
    await this.#write();
    await this.file.datasync();
  }
  close(): Promise<void> {
    return this.file.close();
  }
  async #write(): Promise<void> {
    await this.file.appendFile(this.#held);
    this.#held = '';
  }
}
/** Some hundreds of files. @unit characters */
const HELD_CHARACTERS = 64 * 1024;
