// default-ports: one test file at a time, in whatever checkout, starts programs on the ports that the pages name. The turn is a
// listening port of its own, so that it ends with the process that holds it.
import { once } from "node:events";
import { createServer } from "node:net";

const turnPort = 7410;
const lookMs = 200;

/** Waits for the turn; dispose of it once every program that was started has ended. */
export async function defaultPorts(): Promise<AsyncDisposable> {
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    server.listen(turnPort, "127.0.0.1");
    try {
      await once(server, "listening");
      return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }
}
