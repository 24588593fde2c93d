"""Reads FHIR AuditEvents, one a line of standard input, and prints how many are valid.

The first that is not valid ends it with the reasons and exit status 1.
"""

import sys

from fhir.resources.R4B.auditevent import AuditEvent

count = 0
for line in sys.stdin:
    AuditEvent.parse_raw(line)
    count += 1
print(count)
