// zmq-feeds: where an engine publishes its KV events by ZeroMQ in, a feed for each of its ranks out. An endpoint without a host of its
// own is where the engine is.
import type { Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import type { FeedStart } from "../kv-watch.ts";
import { KvFeed } from "./events/events.ts";
import type { KvSource } from "./probe.ts";

/** Hosts that mean "where the engine is". */
const anywhere = /^(\*|0\.0\.0\.0|::|\[::\]|localhost|127\.0\.0\.1|\[::1\])$/;

export function zmqFeeds(url: string, sources: readonly KvSource[], deps: { clock: Clock; log?: Log }): FeedStart[] {
  return sources.map(
    ({ endpoint, replay, topic }) =>
      (told) =>
        new KvFeed({ endpoint: reachable(endpoint, url), replay: replay && reachable(replay, url), topic }, { ...deps, ...told }),
  );
}

function reachable(endpoint: string, url: string): string {
  const found = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint);
  if (!found || !anywhere.test(found[1] as string)) return endpoint;
  return `tcp://${new URL(url).hostname}:${found[2]}`;
}
