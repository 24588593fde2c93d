"""Digests of decoded frames, by pydicom: one JSON line for each path on standard input.

Samples are taken as stored: bits that are not stored are cut off, no colour is converted. A digest is
SHA-256 of the frame's samples [y, x, sample] as 32-bit little endian numbers.
"""
import hashlib
import io
import json
import sys
import warnings

import numpy
import pydicom
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.pixels import iter_pixels

warnings.simplefilter("ignore")


def digest_of(frame, dataset):
    samples = frame.astype(numpy.int64)
    stored, high = dataset.BitsStored, dataset.HighBit
    if dataset.BitsAllocated > 1 and not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        samples = samples >> (high + 1 - stored)
    samples = samples & ((1 << stored) - 1)
    if dataset.PixelRepresentation == 1 and dataset.BitsAllocated > 1:
        samples = numpy.where(samples >= 1 << (stored - 1), samples - (1 << stored), samples)
    return hashlib.sha256((samples & 0xFFFFFFFF).astype("<u4").tobytes()).hexdigest()


def frames_of(dataset):
    # pydicom has no decoder of its own for High-Throughput JPEG 2000; Pillow's OpenJPEG has.
    if ".4.20" in dataset.file_meta.TransferSyntaxUID:
        count = int(dataset.get("NumberOfFrames", 1))
        for codestream in generate_frames(dataset.PixelData, number_of_frames=count):
            yield numpy.asarray(Image.open(io.BytesIO(codestream)))
    else:
        yield from iter_pixels(dataset, raw=True)


def answer_of(path):
    try:
        dataset = pydicom.dcmread(path)
        frames = [digest_of(frame, dataset) for frame in frames_of(dataset)]
        photometric = dataset.PhotometricInterpretation
        return {"photometric": photometric, "frames": frames}
    except Exception as error:
        return {"error": type(error).__name__}


for line in sys.stdin:
    print(json.dumps(answer_of(line.rstrip("\n"))), flush=True)
