"""An MLLP sender of python-hl7: sends bytes and says what was answered, as JSON.

Decides nothing of its own: each item goes over a connection of its own by MLLPClient.send, which
sends and waits for an answer; what else comes is read until the other side has no more to say.
Usage: python send-frames.py HOST PORT
Input: [{"wire": base64, "answers": how many to wait for before the connection is ended}, ...]
Output: [[[MSA-1, MSA-2], ...] for each item]
"""

import base64
import json
import socket
import sys

import hl7
from hl7.client import MLLPClient

HOST, PORT = sys.argv[1], int(sys.argv[2])
END = b"\x1c\r"


def answers_to(client, wire, count):
    client.socket.settimeout(30)
    read = b""
    try:
        if count > 0:
            read = client.send(wire)
        else:
            client.socket.sendall(wire)
        while read.count(END) < count:
            read += received(client)
        client.socket.shutdown(socket.SHUT_WR)
        while True:
            read += received(client)
    except (EOFError, ConnectionError, BrokenPipeError, OSError):
        return read


def received(client):
    more = client.socket.recv(4096)
    if not more:
        raise EOFError
    return more


def acknowledgement(frame):
    segment = hl7.parse(frame.strip(b"\x0b\r").decode("latin-1") + "\r").segment("MSA")
    return [str(segment[1]), str(segment[2])]


answers = []
for item in json.load(sys.stdin):
    with MLLPClient(HOST, PORT) as client:
        read = answers_to(client, base64.b64decode(item["wire"]), item["answers"])
    answers.append([acknowledgement(frame) for frame in read.split(END)[:-1]])
print(json.dumps(answers))
