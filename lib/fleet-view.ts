// fleet-view: what an operator tells of its cluster on its admin port (/fleet), in its own words: made by operator/fleet.ts, drawn by
// console/fleet. To be looked at; nothing is changed by it.

export interface FleetCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
  /** What the type says where it is True. */
  readonly means: string;
}

export interface FleetObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** "True", "False" or "Unknown"; the last where nothing was said of the spec as it is. */
  readonly ready: string;
  readonly reason: string;
  readonly message: string;
  /** Ordered as it is to be read, with what is counted: pods ready, wanted, a model's size. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly conditions: readonly FleetCondition[];
  /** Of a pool: the last changes of how many workers are wanted, newest first. */
  readonly decisions: readonly { readonly time: string; readonly from: number; readonly to: number; readonly reason: string }[];
}

export interface FleetView {
  /** This one writes; another operator may lead. */
  readonly leads: boolean;
  readonly missing: readonly string[];
  readonly objects: readonly FleetObject[];
}
