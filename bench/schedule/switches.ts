// switches: which parts of scheduling work, for ablation. The rooms of a router in, the same rooms with one part off out; and a
// fleet-wide prefix map, which the shipped router does not have (docs/decisions), switched on. Each row changes one thing.

import type { Random } from "../../lib/random.ts";
import type { Rooms } from "../../router/path.ts";
import { place, scheduleDefaults } from "../../router/schedule/schedule.ts";
import { PrefixMap } from "./prefix-map.ts";

export interface Switches {
  /** Off: every generation goes where it costs least by load alone, whoever held its session. */
  readonly lease: boolean;
  /** Off: what many sessions' prompts begin with is nothing to a placement. */
  readonly shared: boolean;
  /** On: of every prompt it is known which workers were sent its beginning, whoever sent it. */
  readonly map: boolean;
  readonly hedge: boolean;
  /** Off: a generation is sent at once and waits in a worker's own queue. */
  readonly lateBinding: boolean;
}

export const shipped: Switches = { lease: true, shared: true, map: false, hedge: true, lateBinding: true };

export const ablations = {
  as_shipped: {},
  lease_off: { lease: false },
  shared_off: { shared: false },
  map_on: { map: true },
  hedge_off: { hedge: false },
  late_binding_off: { lateBinding: false },
} as const satisfies Record<string, Partial<Switches>>;
export type Ablation = keyof typeof ablations;

/** In place, before the first trigger. */
export function switched(rooms: Rooms, switches: Switches, random: Random): void {
  const { fleet, dispatch, clock } = rooms;
  if (!switches.hedge) {
    const generate = dispatch.generate.bind(dispatch);
    dispatch.generate = (work, prompt, booking, _second, watcher) => generate(work, prompt, booking, undefined, watcher);
  }
  const made = rooms as { -readonly [K in keyof Rooms]: Rooms[K] };
  const moment = () => ({ now: clock.now(), random });
  if (!switches.lease)
    made.place = (asking, avoid) =>
      place({ ...scheduleDefaults, patienceMs: -1 }, asking, { lease: undefined, warm: [] }, fleet.snapshot(), moment(), avoid);
  if (!switches.shared) {
    const remembered = fleet.remembered.bind(fleet);
    fleet.remembered = (asking) => ({ ...remembered(asking), shared: () => undefined });
  }
  if (!switches.map) return;
  const map = new PrefixMap({ blocksMax: 500_000 });
  const book = fleet.book.bind(fleet);
  fleet.book = (placement, asking) => {
    map.sent(placement.worker, asking.prompt.blocks);
    return book(placement, asking);
  };
  made.place = (asking, avoid) => {
    const { lease, warm } = fleet.remembered(asking);
    return place(scheduleDefaults, asking, { lease, warm: map.with(warm, asking.prompt) }, fleet.snapshot(), moment(), avoid);
  };
}
