// hello: the first frame of a stream in, who speaks and which protocol version both know out. Pure.
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import { type RouterFrame, Channel as WireChannel } from "../../proto/gen/slipstream/v1/worker_pb.ts";

export interface Protocol {
  readonly min: number;
  readonly max: number;
}

/** Versions this agent speaks; a new one is added here and the oldest kept until no router in the field needs it. */
export const protocol: Protocol = { min: 1, max: 1 };

export type Channel = "inline" | "bulk";

export interface Hello {
  readonly protocol: number;
  readonly router: string;
  readonly channel: Channel;
  /** Frames of one tick may come as one message. */
  readonly takesFrames: boolean;
  /** It moves its sessions before this worker leaves, and says when it has. */
  readonly handsOver: boolean;
}

const routerBytesMax = 256;

export function checkHello(frame: RouterFrame | undefined, spoken: Protocol): Hello {
  if (frame?.frame.case !== "hello") throw invalid("hello", "must be the first frame of a link");
  const { protocolMin, protocolMax, router, channel, takesFrames, handsOver } = frame.frame.value;
  if (protocolMin > protocolMax) throw invalid("hello.protocol_min", "is above protocol_max");
  if (protocolMax < spoken.min || protocolMin > spoken.max) {
    const ours = `${spoken.min} to ${spoken.max}`;
    throw new SlipstreamError(
      "protocol",
      `no common protocol version: the router speaks ${protocolMin} to ${protocolMax}, this worker ${ours}; update the older one`,
      { field: "hello.protocol_max" },
    );
  }
  if (router === "" || Buffer.byteLength(router) > routerBytesMax) {
    throw invalid("hello.router", `must be 1 to ${routerBytesMax} bytes`);
  }
  if (channel !== WireChannel.INLINE && channel !== WireChannel.BULK) throw invalid("hello.channel", "must be INLINE or BULK");
  return {
    protocol: Math.min(protocolMax, spoken.max),
    router,
    channel: channel === WireChannel.BULK ? "bulk" : "inline",
    takesFrames,
    handsOver,
  };
}
