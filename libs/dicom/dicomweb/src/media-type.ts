/**
 * MediaType: reading a Content-Type or Accept field of HTTP, and of a part of a multipart body.
 * Decides what is a media type with parameters and what is not: nothing is repaired, a parameter
 * that comes twice is refused. Invariant: linear time, whatever the text; type and names of
 * parameters are lower case.
 * Source: RFC 9110 5.6.6, 8.3.1 and 12.5.1; RFC 2046 5.1.1.
 */
import { AifiError } from '@aifi/shared-kernel';

export interface MediaType {
  /** Such as application/dicom. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longest field that is read; real ones have about 120 characters. */
const TEXT_LENGTH_MAX = 1024;
const TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+*-]{1,127}|^\*\/\*/;
/**
 * A parameter. Many senders leave out the quotes that a slash asks for, so a bare value may hold
 * more than a token does.
 */
const PARAMETER = /[ \t]*;[ \t]*(?:([\w!#$&^.+-]{1,64})=(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*)))?/y;

const unreadable = (): AifiError => new AifiError('INVALID_ARGUMENT', 'a media type does not read');

/** INVALID_ARGUMENT where it does not read. */
export function parseMediaType(text: string): MediaType {
  if (text.length > TEXT_LENGTH_MAX) throw unreadable();
  const trimmed = text.trim();
  const [type] = TYPE.exec(trimmed) ?? [];
  if (type === undefined) throw unreadable();
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = type.length;
  for (let at = type.length; at < trimmed.length; at = PARAMETER.lastIndex) {
    const [all, name, quoted, bare] = PARAMETER.exec(trimmed) ?? [];
    if (!all) throw unreadable();
    if (name === undefined) continue;
    const key = name.toLowerCase();
    if (parameters.has(key)) throw unreadable();
    parameters.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '');
  }
  return { type: type.toLowerCase(), parameters };
}

/** PS3.18 8.7.5: what may be answered in JSON; an absent or empty field takes anything. */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  if (accept.length > TEXT_LENGTH_MAX) return false;
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((word) => word.trim().toLowerCase());
    const isRefused = parameters.some((word) => /^q=0(\.0*)?$/.test(word));
    return !isRefused && JSON_RANGES.has(type);
  });
}
const JSON_RANGES: ReadonlySet<string> = new Set([
  '*/*',
  'application/*',
  'application/dicom+json',
  'application/json',
]);
