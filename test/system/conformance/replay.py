"""Plays the conformance kit (test/golden/sessions) with grpcio and the stubs that protoc makes of proto/.

python replay.py ADDRESS FOLDER STUBS RUN NAME...
Prints "ok NAME" or "failed NAME, line N: why" for each, and "drain" where the router is to be asked to end.
"""

import json
import queue
import re
import sys
import threading
from pathlib import Path

import grpc
from google.protobuf import json_format

PATIENCE_S = 10
REFERENCE = re.compile(r"^@(\w+)(?:\[(\d+):(\d*)\])?$")


class Failed(Exception):
    pass


class Ended(Exception):
    pass


class Stream:
    """One Session call: what is said goes through a queue, what is heard comes through another."""

    def __init__(self, stub, pb):
        self.pb = pb
        self.out = queue.Queue()
        self.heard = queue.Queue()
        self.partials = {}
        self.call = stub.Session(iter(self.out.get, None))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for message in self.call:
                self.heard.put(json_format.MessageToDict(message))
        except grpc.RpcError:
            pass
        self.heard.put(None)

    def say(self, message):
        self.out.put(json_format.ParseDict(message, self.pb.ClientMessage()))

    def close(self):
        self.out.put(None)

    def leave(self):
        self.call.cancel()
        self.close()

    def next(self):
        """The next message that is no partial."""
        while True:
            try:
                said = self.heard.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise Failed(f"nothing came in {PATIENCE_S} s") from None
            if said is None:
                raise Ended
            part = said.get("partial")
            if part is None:
                self.whole(said.get("completion"))
                return said
            trigger = part["triggerId"]
            self.partials[trigger] = self.partials.get(trigger, "") + part["text"]

    def whole(self, completion):
        parts = self.partials.get(completion["triggerId"]) if completion else None
        if parts is not None and parts != completion["items"][0]["insertText"]:
            raise Failed(f"partials {parts!r} do not make the text of {completion}")

    def ends(self, status, details, saved):
        try:
            raise Failed(f"heard {self.next()}")
        except Ended:
            pass
        if self.call.code().name != status:
            raise Failed(f"ended with {self.call.code().name}: {self.call.details()}")
        if details is not None and not matches(self.call.details(), details, saved):
            raise Failed(f"ended with {self.call.details()!r}")


def remembered(text, saved):
    found = REFERENCE.match(text)
    if not found or found.group(1) not in saved:
        return None
    known = saved[found.group(1)]
    if found.group(2) is None:
        return known
    return known[int(found.group(2)) : int(found.group(3)) if found.group(3) else None]


def filled(value, saved, run):
    if isinstance(value, str):
        known = remembered(value, saved)
        return (value if known is None else known).replace("{run}", run)
    if isinstance(value, list):
        return [filled(each, saved, run) for each in value]
    if isinstance(value, dict):
        return {key: filled(each, saved, run) for key, each in value.items()}
    return value


def matches(said, expected, saved):
    if isinstance(expected, list):
        said = said or []
        return len(said) == len(expected) and all(matches(*pair, saved) for pair in zip(said, expected))
    if isinstance(expected, dict):
        if "@either" in expected:
            return any(matches(said, each, saved) for each in expected["@either"])
        return isinstance(said, dict) and all(matches(said.get(key), each, saved) for key, each in expected.items())
    if not isinstance(expected, str) or not expected.startswith("@"):
        return said == expected
    word, *rest = expected.split(" ")
    if word == "@any":
        return bool(said)
    if word == "@match":
        return isinstance(said, str) and re.search(" ".join(rest), said) is not None
    if word == "@in":
        return said in rest
    if word == "@save":
        saved[rest[0]] = said
        return bool(said)
    return (said or "") == remembered(expected, saved)


def play(step, streams, saved, run, stub, pb):
    name = step.get("stream")
    if step.get("open"):
        streams[name] = Stream(stub, pb)
        return
    if step.get("drain"):
        print("drain", flush=True)
        return
    stream = streams[name]
    if "send" in step:
        stream.say(filled(step["send"], saved, run))
    elif "expect" in step:
        said = stream.next()
        if not matches(said, step["expect"], saved):
            raise Failed(f"heard {said}")
    elif "expectAll" in step:
        expected = list(step["expectAll"])
        while expected:
            said = stream.next()
            found = [each for each in expected if matches(said, each, saved)]
            if not found:
                raise Failed(f"heard {said}")
            expected.remove(found[0])
    elif "partials" in step:
        if step["partials"] not in stream.partials:
            raise Failed("no partial came")
    elif step.get("close"):
        stream.close()
    elif step.get("break"):
        stream.leave()
    elif "ends" in step:
        stream.ends(step["ends"], step.get("details"), saved)
    else:
        raise Failed("is no step")


def replay(name, folder, run, stub, pb):
    streams, saved = {}, {}
    lines = (Path(folder) / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
    try:
        for number, line in enumerate(lines[1:], start=2):
            try:
                play(json.loads(line), streams, saved, run, stub, pb)
            except Ended:
                raise Failed(f"line {number}: the stream ended\n{line}") from None
            except Failed as why:
                raise Failed(f"line {number}: {why}\n{line}") from None
    finally:
        for stream in streams.values():
            stream.leave()


def main():
    address, folder, stubs, run, *names = sys.argv[1:]
    sys.path.insert(0, stubs)
    from slipstream.v1 import completion_pb2, completion_pb2_grpc

    failed = False
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = completion_pb2_grpc.CompletionServiceStub(channel)
        for name in names:
            try:
                replay(name, folder, run, stub, completion_pb2)
                print(f"ok {name}", flush=True)
            except Failed as why:
                failed = True
                print(f"failed {name}, {why}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
