// together: frames of one stream in, those of one tick out as one message: an engine's step moves all its generations at once.
// Nothing waits for more than what already runs. Holds the frames of one tick.
import { create } from "@bufbuild/protobuf";
import { type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";

/** A message has a bound, and beyond this there is nothing more to gain. */
const framesMax = 256;

export class Together {
  readonly #send: (frame: WorkerFrame) => unknown;
  #held: WorkerFrame[] = [];

  constructor(send: (frame: WorkerFrame) => unknown) {
    this.#send = send;
  }

  send(frame: WorkerFrame): void {
    this.#held.push(frame);
    if (this.#held.length === 1) process.nextTick(() => this.flush());
    else if (this.#held.length === framesMax) this.flush();
  }

  /** What is held leaves now: the stream is about to end. */
  flush(): void {
    const frames = this.#held;
    this.#held = [];
    const [only] = frames;
    if (frames.length > 1) this.#send(create(WorkerFrameSchema, { frame: { case: "frames", value: { frames } } }));
    else if (only) this.#send(only);
  }
}
