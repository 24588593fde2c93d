/**
 * Goal: only a report that evaluates something as absent and nothing as present is a negative, and
 * its scope is what that report lists. Method: the detection and volume reports of this library.
 */
import { describe, expect, it } from '@jest/globals';
import type { DicomDataset } from '@aifi/dicom-core';
import { buildDetectionReport } from './detection-report.js';
import { negativeScopeOf } from './status-negative-scope.js';
import { phantomContext, phantomDetectionContext, phantomDetections } from './test-phantom.js';
import { reportDocument } from './report-document.js';

const body = { finding: 'volumes', evidence: [], groups: [], evaluations: [] };

describe('negativeScopeOf', () => {
  it('gives what was looked for and every image that was read', () => {
    const context = phantomDetectionContext(2);
    expect(negativeScopeOf(buildDetectionReport(context, []))).toEqual({
      lookedFor: [{ value: '125605004', scheme: 'SCT', meaning: expect.any(String) }],
      images: context.source.instances,
    });
  });

  it('takes the images of the library when the evaluation names none', () => {
    const context = phantomDetectionContext(2);
    const report = buildDetectionReport(context, []);
    const evaluations = report.items('ContentSequence').at(-1)!.items('ContentSequence');
    (evaluations[0] as DicomDataset).delete('ContentSequence');
    expect(negativeScopeOf(report)?.images).toEqual(context.source.instances);
  });

  it('gives nothing for a positive report, and for one without evaluation', () => {
    const positive = buildDetectionReport(phantomDetectionContext(2), phantomDetections());
    expect(negativeScopeOf(positive)).toBeUndefined();
    expect(negativeScopeOf(reportDocument(phantomContext(), body))).toBeUndefined();
  });
});
