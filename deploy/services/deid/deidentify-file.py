"""De-identifies one file with a de-identifier from PyPI, as its documentation shows it.

Decides nothing of its own: `deid` with the recipe that it ships and private elements removed,
`dicom-anonymizer` with its built-in rules (PS3.15 Basic Profile) and private elements removed.
Usage: python deidentify-file.py deid|dicom-anonymizer IN OUT
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def with_deid(source, target):
    from deid.config import DeidRecipe
    from deid.dicom import replace_identifiers

    with TemporaryDirectory() as folder:
        replace_identifiers(
            dicom_files=[source],
            deid=DeidRecipe(),
            save=True,
            output_folder=folder,
            remove_private=True,
            force=True,
        )
        written = next(path for path in Path(folder).rglob("*") if path.is_file())
        Path(target).write_bytes(written.read_bytes())


def with_dicom_anonymizer(source, target):
    from dicomanonymizer import anonymize_dicom_file

    anonymize_dicom_file(source, target, {}, True)


if __name__ == "__main__":
    tools = {"deid": with_deid, "dicom-anonymizer": with_dicom_anonymizer}
    tools[sys.argv[1]](sys.argv[2], sys.argv[3])
