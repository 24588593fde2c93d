/**
 * Hl7Message: one message as segments, fields, repetitions, components and subcomponents.
 * Decides what is a message at all; what is inside of a field is read when it is asked for.
 * Invariants: bounded segments, fields, repetitions and components; exactly one MSH, at the front;
 * no control characters; a value is unescaped once, after it was taken apart.
 * Source: HL7 v2 chapter 2, 2.5 to 2.7, 2.14.9 (MSH).
 */
import { decoderOf, headText } from './hl7-charset.js';
import { unescaped, type Delimiters, type Reading } from './hl7-escape.js';
import { refuse, type Place } from './hl7-refusal.js';

export const MESSAGE_LIMITS = {
  /** An order with a long history in OBX segments has a few hundred. */
  segments: 2_000,
  /** PID has 40 in version 2.8, the largest segments less than 100. */
  fields: 256,
  repetitions: 256,
  components: 64,
  /** Of a header field that is repeated in the answer. @unit characters */
  headerValue: 256,
} as const;

const SEGMENT_NAME = /^[A-Z][A-Z0-9]{2}$/;
/** TAB is the only control within a segment. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
/** A delimiter is printable, and nothing that values are made of. */
const DELIMITER = /^[!-/:-@[-`{-~]$/;

/** What the answer needs of a message, however broken the rest is. */
export interface Hl7Header {
  readonly delimiters: Delimiters;
  /** MSH-1 is the first: `fields[0]` is the delimiter itself, `fields[1]` MSH-2. As sent. */
  readonly fields: readonly string[];
}

/** MSH itself. @unit bytes */
const HEADER_BYTES_MAX = 4_096;

/** The header of these bytes; undefined when it is not whole: no answer can be addressed. */
export function readHeader(bytes: Uint8Array): Hl7Header | undefined {
  const text = headText(bytes.subarray(0, HEADER_BYTES_MAX));
  const end = text.indexOf('\r');
  const line = text.slice(0, Math.max(0, end));
  const delimiters = delimitersOf(line);
  if (!delimiters) return undefined;
  const fields = line.slice(4).split(delimiters.field, MESSAGE_LIMITS.fields);
  return { delimiters, fields: [delimiters.field, ...fields] };
}

function delimitersOf(line: string): Delimiters | undefined {
  if (!line.startsWith('MSH')) return undefined;
  const field = line[3] ?? '';
  const encoding = line.slice(4).split(field, 1)[0] ?? '';
  // The fifth is the truncation character of version 2.7; nobody may truncate here.
  const all = [field, ...encoding];
  if (all.length < 5 || all.length > 6 || new Set(all).size !== all.length) return undefined;
  if (!all.every((each) => DELIMITER.test(each))) return undefined;
  const [component, repetition, escape, subcomponent] = [...encoding] as [
    ...[string, string, string, string],
  ];
  return { field, component, repetition, escape, subcomponent };
}

/** A part of a message that is read further, with its place. */
export class Hl7Value {
  constructor(
    private readonly raw: string,
    private readonly reading: Reading,
    readonly place: Place,
  ) {}

  get isEmpty(): boolean {
    return this.raw === '';
  }
  /** "" in the message: the value is to be deleted. */
  get isNull(): boolean {
    return this.raw === '""';
  }
  /** Without the spaces around it; empty for null. */
  get text(): string {
    return this.isNull ? '' : unescaped(this.raw, this.reading, this.place).trim();
  }
  /** From 1. */
  component(component: number): Hl7Value {
    const { component: delimiter } = this.reading.delimiters;
    return this.#part(delimiter, component, { ...this.place, component });
  }
  subcomponent(number: number): Hl7Value {
    return this.#part(this.reading.delimiters.subcomponent, number, this.place);
  }

  #part(delimiter: string, number: number, place: Place): Hl7Value {
    const parts = this.isNull ? [] : this.raw.split(delimiter, MESSAGE_LIMITS.components + 1);
    if (parts.length > MESSAGE_LIMITS.components) refuse(104, place);
    return new Hl7Value(parts[number - 1] ?? '', this.reading, place);
  }
}

export class Hl7Segment {
  readonly #fields: readonly string[];

  constructor(
    readonly name: string,
    private readonly occurrence: number,
    raw: string,
    private readonly reading: Reading,
  ) {
    const { field } = reading.delimiters;
    const fields = raw.split(field, MESSAGE_LIMITS.fields + 2);
    if (fields.length > MESSAGE_LIMITS.fields + 1) refuse(104, this.place());
    // MSH-1 is the delimiter itself, so that MSH-2 is the second.
    this.#fields = name === 'MSH' ? ['MSH', field, ...fields.slice(1)] : fields;
  }

  place(field?: number): Place {
    const { name: segment, occurrence } = this;
    return { segment, occurrence, ...(field !== undefined && { field }) };
  }
  /** The first repetition. */
  field(number: number): Hl7Value {
    return this.repetitions(number)[0]!;
  }
  /** One at least. */
  repetitions(number: number): readonly [Hl7Value, ...Hl7Value[]] {
    const { repetition: delimiter } = this.reading.delimiters;
    const raw = this.#fields[number] ?? '';
    const parts = raw.split(delimiter, MESSAGE_LIMITS.repetitions + 1);
    if (parts.length > MESSAGE_LIMITS.repetitions) refuse(104, this.place(number));
    const values = parts.map((part, index) => {
      const place = { ...this.place(number), repetition: index + 1 };
      return new Hl7Value(part, this.reading, place);
    });
    return values as [Hl7Value, ...Hl7Value[]];
  }
  /** The text of a component of the first repetition, 1 by default. */
  text(field: number, component = 1): string {
    return this.field(field).component(component).text;
  }
  /** Text that has to be there. */
  required(field: number, component = 1): string {
    return this.text(field, component) || refuse(101, this.place(field));
  }
}

export class Hl7Message {
  constructor(readonly segments: readonly [Hl7Segment, ...Hl7Segment[]]) {}

  get header(): Hl7Segment {
    return this.segments[0];
  }
  all(name: string): Hl7Segment[] {
    return this.segments.filter((segment) => segment.name === name);
  }
  first(name: string): Hl7Segment | undefined {
    return this.segments.find((segment) => segment.name === name);
  }
  required(name: string): Hl7Segment {
    return this.first(name) ?? refuse(101, { segment: name });
  }
}

/** Takes a message apart; refuses what is none. `header` is that of the same bytes. */
export function parseMessage(bytes: Uint8Array, { delimiters, fields }: Hl7Header): Hl7Message {
  const decode = decoderOf((fields[17] ?? '').trim());
  const lines = decode(bytes).split('\r', MESSAGE_LIMITS.segments + 2);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MESSAGE_LIMITS.segments) refuse(104, { segment: 'MSH' });
  const reading = { delimiters, decode };
  const counts = new Map<string, number>();
  const segments = lines.map((line, index) => {
    const name = line.slice(0, 3);
    const occurrence = (counts.get(name) ?? 0) + 1;
    counts.set(name, occurrence);
    if (!SEGMENT_NAME.test(name)) refuse(100);
    const place = { segment: name, occurrence };
    // A second header is a second message: nobody can say which answer is whose.
    if ((name === 'MSH') !== (index === 0)) refuse(100, place);
    if (CONTROL.test(line)) refuse(102, place);
    if (line.length > 3 && line[3] !== delimiters.field) refuse(100, place);
    return new Hl7Segment(name, occurrence, line, reading);
  });
  return new Hl7Message(segments as [Hl7Segment, ...Hl7Segment[]]);
}
