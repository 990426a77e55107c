// rules: one rule said twice, in CEL for the apiserver and in TypeScript for whoever reads an object without one. The tables of
// invalid objects hold both to the same answer (invalid-objects.test.ts here, test/system on a real apiserver).
import type { z } from "zod";

export interface Rule<T> {
  /** As in x-kubernetes-validations, about `self`. */
  readonly cel: string;
  /** What the person who wrote the object reads; names the field. */
  readonly message: string;
  readonly holds: (self: T) => boolean;
}

/** The usual way to write one. */
export const both = <T>(cel: string, message: string, holds: (self: T) => boolean): Rule<T> => ({ cel, message, holds });

/** About a change: `oldSelf` is known only to the apiserver. */
export interface Transition {
  readonly cel: string;
  readonly message: string;
}

export function ruled<T extends z.ZodType>(
  schema: T,
  rules: readonly Rule<z.output<T>>[],
  transitions: readonly Transition[] = [],
): T {
  const checked = schema.superRefine((self, check) => {
    for (const { message, holds } of rules) if (!holds(self as z.output<T>)) check.addIssue({ code: "custom", path: [], message });
  });
  const validations = [...rules, ...transitions].map(({ cel, message }) => ({ rule: cel, message }));
  return checked.meta({ ...schema.meta(), "x-kubernetes-validations": validations }) as unknown as T;
}

/** A field that keeps the value it was created with. */
export const immutable = (field: string): Transition => ({
  cel: `self.${field} == oldSelf.${field}`,
  message: `${field} cannot be changed; make another object beside this one and move over`,
});
