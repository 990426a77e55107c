// session: one person's window: a Session stream over gRPC, the documents of a trace opened, and its keys typed when they are due, whatever
// became of the triggers before. Ends when `seconds` of the trace are typed and everything is answered, or `graceMs` later.
import exec from "k6/execution";
import grpc from "k6/net/grpc";
import { after, chance, now } from "./clock.js";
import { answered, violated, welcomedAgain } from "./measures.js";
import { traces } from "./trace.js";

const client = new grpc.Client();
client.load([__ENV.PROTO || "../../proto"], "slipstream/v1/completion.proto");

const kinds = { auto: "TRIGGER_KIND_AUTO", invoked: "TRIGGER_KIND_INVOKED", preload: "TRIGGER_KIND_PRELOAD" };
const graceMs = 2000;
const answersWithinMs = 10000;
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const grpcAddress = __ENV.GRPC || "127.0.0.1:7411";

let connected = false;
export function channel() {
  if (!connected) client.connect(grpcAddress, { plaintext: true });
  connected = true;
  return client;
}

function newChannel() {
  if (connected) client.close();
  connected = false;
  return channel();
}

/** `cancelMs`: every trigger is taken back so much later. `breaksAt`: seconds from its begin at which the connection is lost. */
export function type({ seconds, tier = "inline", cancelMs, breaksAt = [], ownConnection = false }) {
  const nth = exec.scenario.iterationInTest;
  const { documents, events } = traces[nth % traces.length];
  // The session begins on time or not at all (dropped_iterations), so that its keys are due from now on.
  const startMs = now();
  const name = `${exec.scenario.name}-${nth}-${startMs.toString(36)}`;
  const window = new Window(name, tier, documents);
  window.open(ownConnection ? newChannel() : channel());
  for (const atS of breaksAt) {
    if (atS >= seconds) continue;
    after(atS * 1000, () => window.lose(startMs + atS * 1000));
  }
  // Whoever begins in the middle of what they do asks at once: the first event is due soon.
  const shiftMs = events.length > 0 ? events[0].atMs - chance() * 300 : 0;
  for (const event of events) {
    const dueMs = startMs + event.atMs - shiftMs;
    if (dueMs - startMs > seconds * 1000) break;
    after(Math.max(0, dueMs - now()), () => window.does(event, dueMs, cancelMs));
  }
  after(seconds * 1000 + graceMs, () => window.end());
}

class Window {
  constructor(name, tier, documents) {
    this.name = name;
    this.tier = tier;
    this.documents = documents;
    this.opened = new Map();
    this.waiting = new Map();
    this.triggers = 0;
    this.token = "";
    this.over = false;
  }

  open(on) {
    this.stream = new grpc.Stream(on, "slipstream.v1.CompletionService/Session", { metadata });
    const { stream } = this;
    stream.on("data", (message) => this.stream === stream && this.heard(message));
    // The error's text is the server's: it goes to the log of a run once a session.
    stream.on("error", (error) => this.stream === stream && !this.over && console.error(`${this.name}: ${error.message || error}`));
    stream.on("end", () => this.stream === stream && this.lost());
    stream.write({ hello: { protocol: "1", client: "k6", session_id: this.name, workspace_id: "k6", resume_token: this.token } });
  }

  /** The connection goes, and comes again with what the router said to come with. */
  lose(dueMs) {
    if (this.over) return;
    this.lostMs = dueMs;
    const old = this.stream;
    this.stream = undefined;
    old.end();
    this.lost();
    this.open(newChannel());
  }

  lost() {
    for (const id of [...this.waiting.keys()]) this.answer(id, "lost");
  }

  does({ document, edit, cursor, trigger }, dueMs, cancelMs) {
    if (this.over) return;
    const id = `d${document}`;
    const mirror = this.mirror(document, id);
    if (edit) {
      const [start, end, text, origin] = edit;
      mirror.text = mirror.text.slice(0, start) + text + mirror.text.slice(end);
      mirror.version += 1;
      this.stream.write({
        document_edit: {
          document_id: id,
          base_version: mirror.version - 1,
          version: mirror.version,
          edits: [{ start_utf16: start, end_utf16: end, text }],
          origin: `EDIT_ORIGIN_${origin.toUpperCase()}`,
          client_time_us: Math.round(dueMs) * 1000,
        },
      });
    }
    if (trigger) this.ask(id, mirror.version, cursor, trigger, dueMs, cancelMs);
  }

  mirror(document, id) {
    if (!this.opened.has(id)) {
      const { path, language, text } = this.documents[document];
      this.opened.set(id, { path, language, text, version: 1 });
      this.say(id);
    }
    return this.opened.get(id);
  }

  say(id) {
    const { path, language, text, version } = this.opened.get(id);
    this.stream.write({ document_open: { document_id: id, path, language, version, text } });
  }

  ask(document, version, offset, kind, dueMs, cancelMs) {
    const id = `${this.name}-${++this.triggers}`;
    const one = { kind, dueMs, sentMs: now(), firstMs: undefined };
    this.waiting.set(id, one);
    this.stream.write({
      trigger: {
        trigger_id: id,
        document_id: document,
        version,
        offset_utf16: offset,
        kind: kinds[kind],
        stream: true,
        sampling: { max_tokens: 32 },
        model: __ENV.MODEL || "",
      },
    });
    if (cancelMs !== undefined) after(cancelMs, () => this.waiting.has(id) && this.stream?.write({ cancel: { trigger_id: id } }));
  }

  heard({ welcome, partial, completion, nothing, resync }) {
    if (welcome) {
      this.token = welcome.resumeToken;
      if (this.lostMs !== undefined) {
        const heldIds = (welcome.held || []).map((each) => each.documentId);
        welcomedAgain(now() - this.lostMs, heldIds.length);
        this.lostMs = undefined;
        for (const id of this.opened.keys()) if (!heldIds.includes(id)) this.say(id);
      }
    }
    if (partial) {
      const one = this.waiting.get(partial.triggerId);
      if (!one) violated();
      else if (one.firstMs === undefined) one.firstMs = now();
    }
    if (completion) this.answer(completion.triggerId, named(completion.outcome), true);
    if (nothing) this.answer(nothing.triggerId, named(nothing.outcome));
    if (resync && this.opened.has(resync.documentId)) this.say(resync.documentId);
  }

  answer(id, outcome, hasText = false) {
    const one = this.waiting.get(id);
    if (!one) {
      if (outcome !== "lost") violated();
      return;
    }
    this.waiting.delete(id);
    const endMs = now();
    const firstMs = hasText ? one.firstMs || endMs : undefined;
    answered({ ...one, tier: this.tier, outcome, firstMs, endMs });
  }

  end() {
    if (this.over) return;
    if (this.waiting.size > 0 && this.endingMs === undefined) this.endingMs = now();
    if (this.waiting.size > 0 && now() - this.endingMs < answersWithinMs) {
      after(100, () => this.end());
      return;
    }
    this.over = true;
    this.lost();
    if (this.stream) this.stream.end();
  }
}

const named = (outcome) => String(outcome).replace("OUTCOME_", "").toLowerCase();
