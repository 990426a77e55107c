// fake-apiserver: the Kubernetes API over real HTTP/2 on loopback, for tests of what speaks to it: lists in pages, watches with
// bookmarks, versions, server-side apply, status and scale apart; and every fault that a test asks for.
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Target } from "../../operator/kube/kube.ts";
import type { Loose } from "./cluster-objects.ts";
import { FakeStorage, StatusError, type StoredEvent } from "./fake-storage.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: string;
  readonly body: string;
  /** Changes something. */
  readonly writes: boolean;
}

/** Instead of an answer; undefined: as usual. */
export type Fault = { readonly status: number; readonly reason?: string; readonly retryAfter?: number } | "drop" | "silence";

export class FakeApiserver implements AsyncDisposable {
  readonly storage = new FakeStorage();
  readonly asked: Asked[] = [];
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #watches = new Set<ServerHttp2Stream>();
  /** Connections ever made. */
  connections = 0;
  before: ((asked: Asked) => Fault | undefined) | undefined;
  /** After a write took effect, before it is answered; "drop": the answer is lost. */
  after: ((asked: Asked) => "drop" | undefined) | undefined;
  /** What kinds the API knows besides the usual. */
  served = new Set<string>();

  private constructor() {
    this.#server = createServer();
    this.#server.on("session", (session) => {
      this.connections += 1;
      this.#sessions.add(session);
      session.on("error", () => undefined);
      session.on("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => {
      stream.on("error", () => undefined);
      let body = "";
      stream.setEncoding("utf8");
      stream.on("data", (part: string) => {
        body += part;
      });
      stream.on("end", () => {
        // Of a client that was killed half a request is none.
        if (!stream.aborted && !stream.destroyed) this.#take(stream, headers as Record<string, string>, body);
      });
    });
  }

  static async start(port = 0): Promise<FakeApiserver> {
    const made = new FakeApiserver();
    await made.listen(port);
    return made;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Who asks is who the token says. */
  target(user = "operator"): Target {
    const server = `http://127.0.0.1:${this.port}`;
    return { server, namespace: "slipstream-system", tls: async () => ({}), token: async () => user };
  }

  get open(): number {
    return this.#sessions.size;
  }

  get watching(): number {
    return this.#watches.size;
  }

  /** Breaks every connection, as a restart does. */
  breakAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Ends every watch politely. */
  endWatches(): void {
    for (const stream of this.#watches) stream.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.breakAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(stream: ServerHttp2Stream, headers: Record<string, string>, body: string): void {
    const url = new URL(headers[":path"] ?? "/", "http://x");
    const method = headers[":method"] ?? "GET";
    const user = (headers["authorization"] ?? "").replace("Bearer ", "");
    const asked: Asked = { method, path: url.pathname, query: url.searchParams, user, body, writes: method !== "GET" };
    this.asked.push(asked);
    const fault = this.before?.(asked);
    if (fault === "silence") return;
    if (fault === "drop") {
      drop(stream);
      return;
    }
    try {
      if (fault) throw Object.assign(new StatusError(fault.status, fault.reason ?? "", `a fault of ${fault.status}`), fault);
      const answer = this.#answer(stream, asked, headers["content-type"] ?? "");
      if (answer === undefined) return;
      if (asked.writes && this.after?.(asked) === "drop") {
        drop(stream);
        return;
      }
      send(stream, method === "POST" ? 201 : 200, answer);
    } catch (thrown) {
      if (!(thrown instanceof StatusError)) throw thrown;
      const { status, reason, message } = thrown;
      const more: Record<string, string> =
        fault && "retryAfter" in fault && fault.retryAfter !== undefined ? { "retry-after": String(fault.retryAfter) } : {};
      send(stream, status, { kind: "Status", status: "Failure", code: status, reason, message }, more);
    }
  }

  #answer(stream: ServerHttp2Stream, { method, path, query, user, body }: Asked, contentType: string): Loose {
    const { storage } = this;
    const parts = path.split("/").filter((part) => part !== "");
    const version = parts[0] === "api" ? parts[1] : `${parts[1]}/${parts[2]}`;
    const rest = parts.slice(parts[0] === "api" ? 2 : 3);
    if (rest.length === 0) return this.#discovery(version ?? "");
    const namespace = rest[0] === "namespaces" && rest.length > 2 ? rest[1] : undefined;
    const [plural = "", name, part] = namespace === undefined ? rest : rest.slice(2);
    if (method === "GET" && name === undefined) {
      if (query.get("watch") === "true") return this.#watch(stream, plural, namespace, query);
      return this.#list(plural, namespace, query);
    }
    const given = body === "" ? {} : JSON.parse(body);
    if (method === "POST")
      return storage.create(plural, { ...given, metadata: { ...given.metadata, ...(namespace ? { namespace } : {}) } }, user);
    if (name === undefined) throw new StatusError(405, "MethodNotAllowed", "no");
    if (method === "PUT") return storage.replace(plural, given, user);
    if (method === "DELETE") {
      storage.delete(plural, namespace, name, given.preconditions?.uid, user);
      return { kind: "Status", status: "Success" };
    }
    if (method === "PATCH" && contentType.includes("apply-patch")) {
      const manager = query.get("fieldManager") ?? "";
      return storage.apply(plural, given, { manager, force: query.get("force") === "true", part, user });
    }
    if (method === "PATCH") return storage.patch(plural, namespace ?? "", name, given, user);
    const found = storage.objects.get(storage.key(plural, namespace, name));
    if (!found) throw new StatusError(404, "NotFound", `${plural} "${name}" not found`);
    return found;
  }

  #discovery(version: string): Loose {
    if (version.startsWith("leaderworkerset") && !this.served.has("leaderworkersets"))
      throw new StatusError(404, "NotFound", "no such group");
    return { kind: "APIResourceList", resources: [...this.served].map((name) => ({ name })) };
  }

  #list(plural: string, namespace: string | undefined, query: URLSearchParams): Loose {
    const all = this.storage.of(plural, namespace).filter((object) => selected(object, query.get("labelSelector")));
    const from = Number(query.get("continue") ?? 0);
    const limit = Number(query.get("limit") ?? 0) || all.length || 1;
    const more = from + limit < all.length ? String(from + limit) : "";
    return {
      kind: "List",
      metadata: { resourceVersion: String(this.storage.version), continue: more },
      items: all.slice(from, from + limit).map(({ apiVersion: _, kind: __, ...item }) => item),
    };
  }

  #watch(stream: ServerHttp2Stream, plural: string, namespace: string | undefined, query: URLSearchParams): undefined {
    const { storage } = this;
    const from = Number(query.get("resourceVersion") ?? 0);
    const tell = ({ type, object }: StoredEvent | { type: "BOOKMARK"; object: Loose }) =>
      stream.write(`${JSON.stringify({ type, object })}\n`);
    stream.respond({ ":status": 200, "content-type": "application/json" });
    const kept = this.#watches.add(stream);
    if (from < storage.compacted) {
      tell({
        type: "ERROR" as never,
        object: { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" },
      });
      stream.end();
      return;
    }
    const wanted = (event: StoredEvent) =>
      pluralOf(event.object) === plural &&
      (namespace === undefined || event.object.metadata.namespace === namespace) &&
      selected(event.object, query.get("labelSelector"));
    for (const event of storage.history) if (event.version > from && wanted(event)) tell(event);
    const listener = (event: StoredEvent) => {
      if (wanted(event)) tell(event);
    };
    storage.listeners.add(listener);
    if (query.get("allowWatchBookmarks") === "true")
      tell({ type: "BOOKMARK", object: { metadata: { resourceVersion: String(storage.version) } } });
    stream.on("close", () => {
      storage.listeners.delete(listener);
      kept.delete(stream);
    });
    return undefined;
  }
}

/** Not from within its own events: Node 20's HTTP/2 does not survive that. */
function drop({ session }: ServerHttp2Stream): void {
  setImmediate(() => session?.destroy());
}

function send(stream: ServerHttp2Stream, status: number, body: Loose, more: Record<string, string> = {}): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": status, "content-type": "application/json", ...more });
  stream.end(JSON.stringify(body));
}

function pluralOf({ kind }: Loose): string {
  const lower = String(kind).toLowerCase();
  if (lower === "networkpolicy") return "networkpolicies";
  return /(ss|x|ch)$/.test(lower) ? `${lower}es` : `${lower}s`;
}

function selected({ metadata }: Loose, selector: string | null): boolean {
  if (!selector) return true;
  return selector.split(",").every((part) => {
    const [name = "", value] = part.split("=");
    return value === undefined ? name in (metadata.labels ?? {}) : metadata.labels?.[name] === value;
  });
}
