"""Completes code at a router from Python, with nothing of Slipstream's but proto/slipstream/v1/completion.proto.

pip install grpcio grpcio-tools
python -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. proto/slipstream/v1/completion.proto
python complete.py 127.0.0.1:7411
"""

import hashlib
import queue
import sys

import grpc
from slipstream.v1 import completion_pb2 as pb
from slipstream.v1 import completion_pb2_grpc

text = "def add(a, b):\n    return \n"
say = queue.Queue()
address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7411"
with grpc.insecure_channel(address) as channel:
    session = completion_pb2_grpc.CompletionServiceStub(channel).Session(iter(say.get, None))
    say.put(pb.ClientMessage(hello=pb.Hello(protocol="1", client="example", session_id="python-example")))
    opened = pb.DocumentOpen(document_id="a", path="add.py", language="python", version=1, text=text)
    opened.sha256 = hashlib.sha256(text.encode()).digest()
    say.put(pb.ClientMessage(document_open=opened))
    trigger = pb.Trigger(trigger_id="1", document_id="a", version=1, offset_utf16=text.index("\n", 20), stream=True)
    trigger.kind, trigger.deadline_ms = pb.TRIGGER_KIND_INVOKED, 10_000
    say.put(pb.ClientMessage(trigger=trigger))
    try:
        for message in session:
            if message.HasField("partial"):
                print(message.partial.text, end="", flush=True)
            if message.HasField("completion"):
                seen = pb.Feedback(completion_id=message.completion.completion_id, event=pb.FEEDBACK_EVENT_SHOWN)
                say.put(pb.ClientMessage(feedback=seen))
                print(f"\n{message.completion.items[0].insert_text!r} in {message.completion.timing.total_ms:.0f} ms")
            if message.HasField("completion") or message.HasField("nothing"):
                break
    finally:
        say.put(None)  # else what sends waits for ever, and the program with it
    for _ in session:
        pass  # to the end: a program that ends in the middle of a call can stand still in grpcio
