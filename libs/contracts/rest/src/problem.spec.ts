/** Goal: a fault over HTTP has its status and an id to quote, and leaks nothing. Method: pure. */
import { describe, expect, it } from '@jest/globals';
import { AifiError } from '@aifi/shared-kernel';
import { problemOf, problemSchema } from './index.js';

describe(problemOf.name, () => {
  it('gives a fault of ours the status of the catalogue and its own instance id', () => {
    const fault = new AifiError('NOT_FOUND', 'no such study here');
    const problem = problemSchema.parse(problemOf(fault));
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND', title: 'no such study here' });
    expect(problem.instance).toBe(`urn:uuid:${fault.instanceId}`);
  });
  it('keeps the status of the framework and says nothing of a foreign error', () => {
    const unknownAddress = Object.assign(new Error('Cannot GET /secret'), {
      getStatus: () => 404,
    });
    expect(problemOf(unknownAddress)).toMatchObject({ status: 404 });
    expect(problemOf(new Error('Doe^Jane'))).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(
      JSON.stringify([problemOf(unknownAddress), problemOf(new Error('Doe^Jane'))]),
    ).not.toMatch(/secret|Doe/);
  });
});
