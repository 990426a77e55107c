import { expect, test } from "vitest";
import { MemoryBus } from "./memory.ts";
import { spaced } from "./space.ts";
import { subjects } from "./subjects.ts";

const said = (text: string) => new TextEncoder().encode(text);
const text = ({ subject, data }: { subject: string; data: Uint8Array }) => `${subject} ${new TextDecoder().decode(data)}`;

test("pools of one name in two spaces do not hear each other, and each hears itself under the name it used", async () => {
  const bus = new MemoryBus({ shared: true });
  const [code, docs] = [spaced(bus, "code"), spaced(bus, "docs")];
  const heard: string[] = [];
  for (const [name, each] of Object.entries({ code, docs, bare: bus }))
    each.listen(subjects.allLoads, (message) => heard.push(`${name}: ${text(message)}`));
  code.publish(subjects.poolLoad("inline"), said("1"));
  docs.publish(subjects.poolLoad("inline"), said("2"));
  bus.publish(subjects.poolLoad("inline"), said("3"));
  const own = subjects.poolLoad("inline");
  expect(heard).toEqual([`code: ${own} 1`, `docs: ${own} 2`, `bare: ${own} 3`]);
  const reading = docs.subscribe(subjects.allOutcomes, { max: 10 });
  await code.append(subjects.outcomes("r"), said("4"), "1");
  await docs.append(subjects.outcomes("r"), said("5"), "2");
  for await (const message of reading) {
    expect(text(message)).toBe(`${subjects.outcomes("r")} 5`);
    break;
  }
  expect([docs.shared, docs.connected]).toEqual([true, true]);
  await docs.close();
  expect(bus.connected).toBe(false);
});

test("without a space the bus is as it was", () => {
  const bus = new MemoryBus();
  expect(spaced(bus, "")).toBe(bus);
});
