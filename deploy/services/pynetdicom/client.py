"""A DICOM client of pynetdicom: says what a listener answered, as JSON.

Decides nothing of its own: one association, what was accepted on it and the status of each request.
Usage: python client.py HOST PORT CALLED CALLING ACTION [--pdu N] [--send-pdu N] [FILE ...]
  store   C-STORE of every FILE, each in its own transfer syntax
  find    C-FIND (Study Root, STUDY level)
  commit  N-ACTION of the Storage Commitment Push Model, one reference per FILE
Output: {"established": bool, "rejected": bool, "accepted": [abstract syntax, ...],
  "statuses": [int or null, ...]}; null is no answer.
"""

import argparse
import json

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid
from pynetdicom import AE, build_context
from pynetdicom.pdu_primitives import MaximumLengthNotification
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

REQUEST_COMMITMENT = 1


def contexts_for(action, files):
    """Verification always, so that the association itself is never the thing that is refused."""
    contexts = [build_context(Verification)]
    if action == "store":
        pairs = {}
        for path in files:
            meta = dcmread(path, stop_before_pixels=True, force=True).file_meta
            if "MediaStorageSOPClassUID" in meta and "TransferSyntaxUID" in meta:
                pairs.setdefault(meta.MediaStorageSOPClassUID, set()).add(meta.TransferSyntaxUID)
        for abstract, syntaxes in sorted(pairs.items()):
            contexts += [build_context(abstract, [syntax]) for syntax in sorted(syntaxes)]
    elif action == "find":
        contexts.append(build_context(StudyRootQueryRetrieveInformationModelFind))
    else:
        contexts.append(build_context(StorageCommitmentPushModel))
    return contexts


def code(status):
    return int(status.Status) if status and "Status" in status else None


def store(association, files):
    statuses = []
    for path in files:
        try:
            statuses.append(code(association.send_c_store(path)))
        except (AttributeError, InvalidDicomError, ValueError):
            # A file that says too little of itself to be sent, or whose context was refused.
            statuses.append(None)
    return statuses


def find(association, _files):
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = ""
    answers = association.send_c_find(query, StudyRootQueryRetrieveInformationModelFind)
    return [code(status) for status, _ in answers]


def commit(association, files):
    request = Dataset()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = []
    for path in files:
        header = dcmread(path, stop_before_pixels=True, force=True)
        item = Dataset()
        item.ReferencedSOPClassUID = header.SOPClassUID
        item.ReferencedSOPInstanceUID = header.SOPInstanceUID
        request.ReferencedSOPSequence.append(item)
    status, _ = association.send_n_action(
        request,
        REQUEST_COMMITMENT,
        StorageCommitmentPushModel,
        StorageCommitmentPushModelInstance,
    )
    return [code(status)]


ACTIONS = {"store": store, "find": find, "commit": commit}


def main():
    parser = argparse.ArgumentParser()
    for name in ("host", "port", "called", "calling"):
        parser.add_argument(name)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--pdu", type=int, default=16382, help="longest PDU taken; 0: any")
    parser.add_argument("--send-pdu", type=int, help="longest PDU sent; 0: any")
    parser.add_argument("files", nargs="*")
    words = parser.parse_intermixed_args()
    client = AE(ae_title=words.calling)
    client.maximum_pdu_size = words.pdu
    association = client.associate(
        words.host,
        int(words.port),
        contexts=contexts_for(words.action, words.files),
        ae_title=words.called,
        max_pdu=words.pdu,
    )
    answer = {
        "established": association.is_established,
        "rejected": association.is_rejected,
        "accepted": [str(context.abstract_syntax) for context in association.accepted_contexts],
        "statuses": [],
    }
    if association.is_established:
        if words.send_pdu is not None:
            # As if the listener had asked for it: pynetdicom cuts by what the other side said.
            for item in association.acceptor.user_information:
                if isinstance(item, MaximumLengthNotification):
                    item.maximum_length_received = words.send_pdu
        try:
            answer["statuses"] = ACTIONS[words.action](association, words.files)
        except ValueError:
            # pynetdicom refuses to send on a context that was not accepted.
            answer["statuses"] = []
        association.release()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
