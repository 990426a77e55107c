// keys: what this page says of who looks: an administrator's key for figures, a tenant's for completions. Held by the tab alone,
// until it is closed.

export interface Keys {
  admin: string;
  tenant: string;
}

interface Store {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

const name = "slipstream.keys";

export function keptKeys(store: Store): Keys {
  try {
    const { admin = "", tenant = "" } = JSON.parse(store.getItem(name) ?? "{}") as Partial<Keys>;
    return { admin: String(admin), tenant: String(tenant) };
  } catch {
    return { admin: "", tenant: "" };
  }
}

export function keepKeys(store: Store, keys: Keys): void {
  store.setItem(name, JSON.stringify(keys));
}

export const bearer = (key: string): Record<string, string> => (key === "" ? {} : { authorization: `Bearer ${key}` });
