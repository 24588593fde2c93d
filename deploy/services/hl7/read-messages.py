"""What python-hl7 and hl7apy read in messages, as JSON.

Decides nothing of its own: both parse the same text.
Input: {"name": text, ...}
Output: {"name": {"hl7": [[segment, [[[[sub, ...], ...], ...], ...]], ...],
  "hl7apy": [[segment, {"PID_5": ["...", ...]}], ...]}}
  fields from 1, each with its repetitions, components and subcomponents, unescaped (python-hl7);
  fields by name, each repetition with its delimiters (hl7apy).
"""

import json
import sys

import hl7
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message


def subcomponents(message, component):
    parts = component if isinstance(component, hl7.Component) else [component]
    return [message.unescape(str(part)) for part in parts]


def components(message, repetition):
    parts = repetition if isinstance(repetition, hl7.Repetition) else [repetition]
    return [subcomponents(message, part) for part in parts]


def by_hl7(text):
    message = hl7.parse(text)
    return [
        [str(segment[0]), [[components(message, each) for each in field] for field in segment[1:]]]
        for segment in message
    ]


def by_hl7apy(text):
    message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
    segments = []
    for segment in message.children:
        fields = {}
        for field in segment.children:
            fields.setdefault(field.name or "", []).append(field.to_er7())
        segments.append([segment.name, fields])
    return segments


messages = json.load(sys.stdin)
read = {name: {"hl7": by_hl7(text), "hl7apy": by_hl7apy(text)} for name, text in messages.items()}
print(json.dumps(read))
