// scenarios: the load tests of loadtest/*.js by name, and what each shows.

export const scenarios = {
  steady: "people come, type and leave, as many at any time",
  ramp: "more and more people: where times begin to grow",
  burst: "three times as many people for a quarter of the run, and after it all as before",
  soak: "steady for long (half an hour): nothing grows, nothing slows",
  reconnect: "every window loses its connection at once, three times",
  cancel: "a crowd whose client takes every trigger back, beside people who type",
  tiers: "typing, chat and completions over HTTP on the same target",
} as const;

export type Scenario = keyof typeof scenarios;
export const scenarioNames = Object.keys(scenarios) as readonly Scenario[];
