/**
 * Content items: the nodes of an SR content tree.
 * Decides how relationship, value type, concept and value become attributes, nothing about meaning.
 * Invariant: a node is complete when made; children keep the order in which they are given.
 * Source: PS3.3 C.17.3 (SR document content), C.18 (content item macros), C.18.8 (template).
 */
import { DicomDataset } from '@aifi/dicom-core';
import { codeItem, type Code } from './codes.js';
import type { SourceInstance } from './evidence-context.js';

export type Relationship =
  'CONTAINS' | 'HAS CONCEPT MOD' | 'HAS OBS CONTEXT' | 'INFERRED FROM' | 'SELECTED FROM';

interface Node {
  readonly relationship: Relationship;
  readonly concept?: Code;
  readonly children?: readonly DicomDataset[];
}

function node(valueType: string, { relationship, concept, children = [] }: Node): DicomDataset {
  const item = new DicomDataset()
    .setString('RelationshipType', relationship)
    .setString('ValueType', valueType);
  if (concept) item.setItems('ConceptNameCodeSequence', [codeItem(concept)]);
  if (children.length > 0) item.setItems('ContentSequence', children);
  return item;
}

/** Attributes that make a dataset or item a container; also used on the document root. */
export function asContainer(
  item: DicomDataset,
  concept: Code,
  children: readonly DicomDataset[],
  templateId?: string,
): DicomDataset {
  item
    .setString('ValueType', 'CONTAINER')
    .setItems('ConceptNameCodeSequence', [codeItem(concept)])
    .setString('ContinuityOfContent', 'SEPARATE')
    .setItems('ContentSequence', children);
  if (templateId !== undefined) {
    const template = new DicomDataset()
      .setString('MappingResource', 'DCMR')
      .setString('TemplateIdentifier', templateId);
    item.setItems('ContentTemplateSequence', [template]);
  }
  return item;
}

export function container(
  concept: Code,
  children: readonly DicomDataset[],
  templateId?: string,
): DicomDataset {
  const item = new DicomDataset().setString('RelationshipType', 'CONTAINS');
  return asContainer(item, concept, children, templateId);
}

export function text(relationship: Relationship, concept: Code, value: string): DicomDataset {
  return node('TEXT', { relationship, concept }).setString('TextValue', value);
}
export function coded(
  relationship: Relationship,
  concept: Code,
  value: Code,
  children: readonly DicomDataset[] = [],
): DicomDataset {
  return node('CODE', { relationship, concept, children }).setItems('ConceptCodeSequence', [
    codeItem(value),
  ]);
}
export function uidReference(relationship: Relationship, concept: Code, uid: string): DicomDataset {
  return node('UIDREF', { relationship, concept }).setString('UID', uid);
}

/** A measured value; `value` is a decimal string of at most 16 characters. */
export function numeric(
  concept: Code,
  measured: { readonly value: string; readonly unit: Code },
  children: readonly DicomDataset[],
): DicomDataset {
  const value = new DicomDataset()
    .setItems('MeasurementUnitsCodeSequence', [codeItem(measured.unit)])
    .setString('NumericValue', measured.value);
  return node('NUM', { relationship: 'CONTAINS', concept, children }).setItems(
    'MeasuredValueSequence',
    [value],
  );
}

/** A reference to one image; without concept in an image library (TID 1601). */
export function image(
  relationship: Relationship,
  instance: SourceInstance,
  concept?: Code,
): DicomDataset {
  return node('IMAGE', { relationship, ...(concept && { concept }) }).setItems(
    'ReferencedSOPSequence',
    [sopReference(instance)],
  );
}

/** A reference to one segment of a segmentation. */
export function segment(concept: Code, of: SourceInstance, segmentNumber: number): DicomDataset {
  const reference = sopReference(of).setNumbers('ReferencedSegmentNumber', [segmentNumber]);
  return node('IMAGE', { relationship: 'CONTAINS', concept }).setItems('ReferencedSOPSequence', [
    reference,
  ]);
}

/**
 * A closed line on an image: [column, row] pairs, 0,0 is the top left corner of the top left pixel,
 * which is the frame of C.18.6.1.2. The last point repeats the first.
 */
export function polyline(
  concept: Code,
  points: readonly (readonly [column: number, row: number])[],
  on: SourceInstance,
): DicomDataset {
  const children = [image('SELECTED FROM', on)];
  return node('SCOORD', { relationship: 'CONTAINS', concept, children })
    .setString('GraphicType', 'POLYLINE')
    .setNumbers('GraphicData', points.flat());
}

/** Referenced SOP Class and Instance UID (PS3.3 10.8). */
export function sopReference(instance: SourceInstance): DicomDataset {
  return new DicomDataset()
    .setString('ReferencedSOPClassUID', instance.sopClassUid)
    .setString('ReferencedSOPInstanceUID', instance.sopInstanceUid);
}
