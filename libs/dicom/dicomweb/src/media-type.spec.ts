/**
 * Goal: what a sender says of its body is read as it is meant, and nothing is guessed.
 * Method: fields as PS3.18 and real senders write them, and broken ones.
 */
import { describe, expect, it } from '@jest/globals';
import { acceptsJson, parseMediaType } from './media-type.js';

describe(parseMediaType.name, () => {
  it.each([
    ['multipart/related; type="application/dicom"; boundary=x', 'application/dicom', 'x'],
    ['Multipart/Related;TYPE=application/dicom ;Boundary="a b"', 'application/dicom', 'a b'],
    ['multipart/related; boundary="a\\"b";', undefined, 'a"b'],
  ])('reads %s', (text, type, boundary) => {
    const { type: own, parameters } = parseMediaType(text);
    expect([own, parameters.get('type'), parameters.get('boundary')]).toEqual([
      ...['multipart/related', type, boundary],
    ]);
  });
  it.each([
    '',
    'multipart',
    'a/b; c',
    'a/b; c="d',
    'a/b; c=d; C=e',
    'a/b c',
    'a/b, c/d',
    `a/b; c=${'d'.repeat(2_000)}`,
    '; a/b',
  ])('refuses %j', (text) => {
    expect(() => parseMediaType(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe(acceptsJson.name, () => {
  it.each([
    [undefined, true],
    ['', true],
    ['*/*', true],
    ['application/dicom+json', true],
    ['application/dicom+xml;q=0.9, application/dicom+json;q=0.5', true],
    ['application/dicom+json;q=0', false],
    ['application/dicom+xml', false],
    ['multipart/related; type="application/dicom+xml"', false],
    ['text/html, image/png', false],
  ])('%j: %s', (accept, is) => {
    expect(acceptsJson(accept)).toBe(is);
  });
});
