"""De-identifies the files of a folder with pydicom, as its documentation shows it.

Decides nothing of its own: a callback empties person names and dates at every depth, UIDs are
remapped consistently, known identifiers are emptied, private elements are removed.
Usage: python deidentify-folder.py IN OUT
"""

import sys
from pathlib import Path

import pydicom
from pydicom.uid import UID, generate_uid

EMPTIED = (
    "PatientID PatientBirthDate OtherPatientIDs AccessionNumber InstitutionName InstitutionAddress "
    "StationName DeviceSerialNumber StudyDescription SeriesDescription PatientComments "
    "PatientAddress PatientTelephoneNumbers"
).split()
WELL_KNOWN = "1.2.840.10008."


def clean(_, element):
    if element.VR in ("PN", "DA", "DT"):
        element.value = None
    elif element.VR == "UI" and element.value and not str(element.value).startswith(WELL_KNOWN):
        element.value = generate_uid(entropy_srcs=["bench", str(element.value)])


def main(source, target):
    for path in sorted(Path(source).rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        dataset.remove_private_tags()
        dataset.walk(clean)
        for keyword in EMPTIED:
            if keyword in dataset:
                setattr(dataset, keyword, "")
        dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
        dataset.save_as(Path(target) / path.name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
