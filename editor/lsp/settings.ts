// settings: what an editor says of a language server's behaviour in, settings with their defaults out. What is wrong is told by its
// name and left as it was. Pure.

export interface Settings {
  /** HOST:PORT of a router. */
  readonly address: string;
  readonly token: string;
  readonly tls: boolean;
  /** PEM file of the authorities to believe; implies tls. */
  readonly ca: string;
  readonly insecure: boolean;
  /** Start `slipstream up` where nobody listens on loopback. */
  readonly start: boolean;
  readonly enabled: boolean;
  /** Tier or pool. */
  readonly model: string;
  /** 0: the router's. */
  readonly deadlineMs: number;
  /** Files that are never sent, as in .gitignore, beside those of the workspace. */
  readonly exclude: readonly string[];
  /** Send code of other files. */
  readonly context: boolean;
}

export const settingDefaults: Settings = {
  address: "127.0.0.1:7411",
  token: "",
  tls: false,
  ca: "",
  insecure: false,
  start: true,
  enabled: true,
  model: "",
  deadlineMs: 0,
  exclude: [],
  context: true,
};

const patternsMax = 256;

export function settingsFrom(said: unknown, before: Settings): { settings: Settings; problems: readonly string[] } {
  const problems: string[] = [];
  const settings: Record<string, unknown> = { ...before };
  if (said === undefined || said === null) return { settings: before, problems };
  if (typeof said !== "object" || Array.isArray(said)) return { settings: before, problems: ["settings: not an object"] };
  for (const [name, value] of Object.entries(said)) {
    if (!Object.hasOwn(settingDefaults, name)) {
      problems.push(`${name}: no such setting; there are: ${Object.keys(settingDefaults).join(", ")}`);
      continue;
    }
    const why = wrong(name as keyof Settings, value);
    if (why === undefined) settings[name] = value;
    else problems.push(`${name}: ${why}`);
  }
  return { settings: settings as unknown as Settings, problems };
}

function wrong(name: keyof Settings, value: unknown): string | undefined {
  const kind = typeof settingDefaults[name];
  if (name === "exclude") {
    const list = Array.isArray(value) && value.length <= patternsMax && value.every((each) => typeof each === "string");
    return list ? undefined : `not a list of at most ${patternsMax} patterns`;
  }
  if (typeof value !== kind) return `not a ${kind}`;
  if (name === "address" && !/^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}$/.test(value as string))
    return `"${value as string}" is not HOST:PORT`;
  if (name === "deadlineMs" && !(Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 600_000))
    return "not a whole number between 0 and 600000";
  return undefined;
}
