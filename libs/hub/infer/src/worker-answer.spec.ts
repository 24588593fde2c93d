/**
 * Goal: only an answer to exactly this request, over exactly these bytes, counts (guard C6).
 * Method: one good answer, changed in one place at a time.
 */
import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from '@aifi/shared-kernel';
import { binarySize, readAnswerHeader } from './worker-answer.js';

const expected = {
  requestId: 'job-1-1',
  modelDigest: sha256Hex('model'),
  inputDigest: sha256Hex('input'),
};
const good = {
  id: 'job-1-1',
  parameters: {
    model_digest: expected.modelDigest,
    input_digest: expected.inputDigest,
    started_at_ms: 1,
    finished_at_ms: 2,
  },
  outputs: [
    { name: 'names', datatype: 'BYTES', shape: [2], data: ['a', 'b'] },
    { name: 'labels', datatype: 'UINT8', shape: [2, 3], parameters: { binary_data_size: 6 } },
    { name: 'boxes', datatype: 'FP32', shape: [1, 5], data: [1, 2, 3, 4, 0.5] },
    { name: 'sizes', datatype: 'INT32', shape: [1, 2], data: [880, 1024] },
  ],
};
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const withOutput = (output: object): Buffer => bytes({ ...good, outputs: [output] });

describe(readAnswerHeader.name, () => {
  it('takes the answer to the request and counts its binary bytes', () => {
    expect(binarySize(readAnswerHeader(bytes(good), expected))).toBe(6);
  });

  it('refuses another request, another model, another form and no JSON', () => {
    const others = [
      bytes({ ...good, id: 'job-1-2' }),
      bytes({ ...good, parameters: { ...good.parameters, model_digest: sha256Hex('x') } }),
      bytes({ ...good, outputs: [] }),
      Buffer.from('{'),
    ];
    for (const other of others) {
      expect(() => readAnswerHeader(other, expected)).toThrow(
        expect.objectContaining({ code: 'MODEL_FAILED' }),
      );
    }
  });

  it('tells a digest of other input bytes apart', () => {
    const parameters = { ...good.parameters, input_digest: sha256Hex('other patient') };
    expect(() => readAnswerHeader(bytes({ ...good, parameters }), expected)).toThrow(
      expect.objectContaining({ code: 'DIGEST_MISMATCH' }),
    );
  });
});

describe(binarySize.name, () => {
  it.each([
    ['fewer values than its shape', { datatype: 'BYTES', shape: [3], data: ['a'] }],
    ['fewer bytes', { datatype: 'UINT8', shape: [3], parameters: { binary_data_size: 2 } }],
    ['neither', { datatype: 'UINT8', shape: [3] }],
    [
      'a type of other width',
      { datatype: 'INT64', shape: [1], parameters: { binary_data_size: 1 } },
    ],
  ])('refuses a tensor with %s', (_, tensor) => {
    const answer = readAnswerHeader(withOutput({ name: 'x', ...tensor }), expected);
    expect(() => binarySize(answer)).toThrow('a tensor does not have its shape');
  });
});
