"""Reads a DICOM segmentation with highdicom and prints what it holds as JSON.

Decides nothing of its own: segments, their voxels per source image and the affine all come from
highdicom, so that they can be compared with what the platform meant to write.
Usage: python read-segmentation.py FILE
Output: {"segments": [{"number", "label", "count"}], "affine": [[...]] or null}
`affine` maps (slice, row, column) of the volume to patient LPS, mm.
"""

import json
import sys

import highdicom as hd
import numpy as np


def main(path):
    seg = hd.seg.segread(path)
    numbers = list(seg.segment_numbers)
    sources = [uids[2] for uids in seg.get_source_image_uids()]
    counts = dict.fromkeys(numbers, 0)
    # One source image at a time: memory does not grow with the series.
    for source in sources:
        masks = seg.get_pixels_by_source_instance(
            source_sop_instance_uids=[source],
            segment_numbers=numbers,
            assert_missing_frames_are_empty=True,
        )
        for index, number in enumerate(numbers):
            counts[number] += int(np.count_nonzero(masks[..., index]))
    geometry = seg.get_volume_geometry()
    segments = [
        {
            "number": int(number),
            "label": str(seg.get_segment_description(number).segment_label),
            "count": counts[number],
        }
        for number in numbers
    ]
    affine = None if geometry is None else geometry.affine.tolist()
    print(json.dumps({"segments": segments, "affine": affine}))


if __name__ == "__main__":
    main(sys.argv[1])
