import { expect, test } from "vitest";
import { FakeClock, settle } from "../lib/clock.fake.ts";
import { triggerAt } from "../test/support/router.ts";
import { Anticipation } from "./anticipation.ts";
import { type Delta, type Ending, noUsage, type Trigger } from "./completion.ts";
import { AppendedText } from "./cursor-text.ts";

function anticipating() {
  const ran: Trigger[] = [];
  const finish: (() => void)[] = [];
  const gone = new AbortController();
  const router = {
    clock: new FakeClock(),
    ingress: {
      anticipate: (trigger: Trigger, shown: string): Trigger => {
        const controller = new AbortController();
        const text = new AppendedText(trigger.text, shown);
        return { ...trigger, text, lane: "speculative", signal: controller.signal, retire: (why) => controller.abort(why) };
      },
    },
    async *run(trigger: Trigger): AsyncGenerator<Delta, Ending> {
      ran.push(trigger);
      await new Promise<void>((resolve) => finish.push(resolve));
      yield { text: "next", tokens: 1 };
      return { outcome: "generated", usage: noUsage };
    },
  } as unknown as ConstructorParameters<typeof Anticipation>[1]["router"];
  return { anticipation: new Anticipation({ documentsMax: 2 }, { router, gone: gone.signal }), ran, finish, gone };
}

const generated = (completionId: string): Ending => ({ outcome: "generated", usage: noUsage, completionId });

test("a completion that is shown is asked on from, as if it were accepted, once", async () => {
  const { anticipation, ran } = anticipating();
  anticipation.delivered(triggerAt("const a|;"), generated("c1"), " = 1");
  anticipation.shown("other");
  anticipation.shown("c1");
  anticipation.shown("c1");
  await settle();
  expect(ran.map(({ text }) => [text.before(99), text.after(99)])).toEqual([["const a = 1", ";"]]);
});

test("the next one shown in the document takes the place of the one before", async () => {
  const { anticipation, ran } = anticipating();
  for (const id of ["c1", "c2"]) {
    anticipation.delivered(triggerAt("a|"), generated(id), id);
    anticipation.shown(id);
    await settle();
  }
  expect(ran.map(({ signal }) => signal.aborted)).toEqual([true, false]);
});

test("nothing is asked for what showed nothing, for chat, for documents long past, or for an editor that has gone", async () => {
  const { anticipation, ran, gone } = anticipating();
  anticipation.delivered(triggerAt("a|"), { outcome: "empty", usage: noUsage }, "");
  anticipation.delivered(triggerAt("a|", { lane: "chat" }), generated("chat"), "hello");
  for (const document of ["d1", "d2", "d3"]) anticipation.delivered(triggerAt("a|", { document }), generated(document), "x");
  for (const id of ["chat", "d1"]) anticipation.shown(id);
  gone.abort();
  anticipation.shown("d3");
  await settle();
  expect(ran).toEqual([]);
});
