// console: requests of the console's page in, on the admin port; out come its files, what the router does each second as a stream,
// and a session over a WebSocket by the same path as an editor's. The files say nothing of this router and are given to anybody;
// figures and sessions ask who calls as elsewhere. Bounded: the files, held in memory; streams and sessions, by count.
import type { FastifyInstance } from "fastify";
import type { Registry } from "../../lib/metrics.ts";
import { addPages, type Pages } from "../../lib/pages.ts";
import type { Router } from "../router.ts";
import type { Status } from "../status.ts";
import { boundsMs, Figures } from "./figures.ts";
import { Live } from "./live.ts";
import { type SocketDeps, type SocketOptions, serveSockets } from "./sockets.ts";

export interface ConsoleOptions extends SocketOptions {
  readonly pages: Pages;
  readonly router: string;
  readonly version: string;
  /** What 95 % of inline first texts are to keep to. */
  readonly targetMs: number;
}

export interface ConsoleDeps extends SocketDeps {
  readonly registry: Registry;
  readonly rooms: Pick<Router["rooms"], "queue">;
  readonly status: () => Promise<Status>;
}

export interface AddedConsole {
  /** Paths that nobody is asked a key for. */
  readonly free: readonly string[];
  /** Streams end, sessions are told and end by themselves. */
  drain(): Promise<void>;
}

/** Five minutes: as long as somebody needs who was told that something is slow. */
const framesMax = 300;
const lookersMax = 32;
const everyMs = 1_000;

export function addConsole(app: FastifyInstance, options: ConsoleOptions, deps: ConsoleDeps): AddedConsole {
  const sockets = serveSockets(app, options, deps);
  const { router, version, targetMs } = options;
  const { clock, log, status } = deps;
  const figures = new Figures(deps.registry, deps.rooms);
  const live = new Live(
    { head: { router, version, targetMs, startedAt: Math.round(clock.wall()), boundsMs }, everyMs, framesMax, lookersMax },
    { clock, log, frame: (at) => figures.frame(at), now: async () => figures.now(await status()) },
  );
  live.serve(app);
  app.addHook("preClose", (done) => {
    live.close();
    done();
  });
  return {
    free: addPages(app, options.pages),
    async drain() {
      live.close();
      await sockets.drain();
    },
  };
}
