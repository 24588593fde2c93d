/**
 * UIDs of a result, at any depth: each gets the one that it has at the hospital.
 * Decides the fate of every UID. Invariant: a UID is minted by the hub (and listed), in the vault,
 * a device's, or of the standard; one of any other origin means that the object is not ours.
 * Source: results specification 4.1.1; reliability specification "UIDs that the hub mints".
 */
import { DicomDataset, type DicomElement } from '@aifi/dicom-core';

const DEVICE_UID = 0x00181002;
const CONTENT_UID = 0x0040a124;
const DEVICE_OBSERVER_UID = '121012';
const STANDARD_ROOT = '1.2.840.10008.';

/** The final UID for a pseudonymous one, or undefined when its origin is unknown. */
export type FinalUid = (uid: string) => string | undefined;

/** A copy with every UID replaced, at any depth; undefined when one has no known origin. */
export function mapUids(dataset: DicomDataset, finalUid: FinalUid): DicomDataset | undefined {
  const result = new DicomDataset();
  const isDeviceItem = conceptCode(dataset) === DEVICE_OBSERVER_UID;
  for (const element of dataset) {
    const mapped = mapElement(element, isDeviceItem, finalUid);
    if (!mapped) return undefined;
    result.put(mapped);
  }
  return result;
}

function mapElement(
  element: DicomElement,
  isDeviceItem: boolean,
  finalUid: FinalUid,
): DicomElement | undefined {
  const { tag, vr, value } = element;
  if (!(value instanceof Uint8Array)) {
    const items = value.map((item) => mapUids(item, finalUid));
    return items.includes(undefined) ? undefined : { tag, vr, value: items as DicomDataset[] };
  }
  const isDevice = tag === DEVICE_UID || (tag === CONTENT_UID && isDeviceItem);
  if (vr !== 'UI' || isDevice || value.length === 0) return element;
  const holder = new DicomDataset().put(element);
  const uids = holder
    .strings(tag)
    .map((uid) => (uid.startsWith(STANDARD_ROOT) ? uid : finalUid(uid)));
  if (uids.includes(undefined)) return undefined;
  return holder.setStrings(tag, uids as string[], 'UI').get(tag);
}

function conceptCode(item: DicomDataset): string | undefined {
  return item.items('ConceptNameCodeSequence')[0]?.string('CodeValue');
}
