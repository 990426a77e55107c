// credential-settings: the settings by which a process that listens is told who may call it, the same for all.
import { duration, flag, setting, text } from "./config.ts";

/** `keysFor` says whose keys the file holds. */
export function credentialSettings(
  prefix: "SLIPSTREAM_ROUTER_" | "SLIPSTREAM_WORKER_" | "SLIPSTREAM_OPERATOR_",
  words: { keys: string; clients: string },
) {
  return {
    keysFile: setting(`${prefix}KEYS_FILE`, text, "", words.keys),
    tlsCert: setting(`${prefix}TLS_CERT`, text, "", "File with the certificate chain (PEM), own certificate first; empty: no TLS."),
    tlsKey: setting(`${prefix}TLS_KEY`, text, "", "File with its private key (PEM), not encrypted."),
    tlsClientCa: setting(`${prefix}TLS_CLIENT_CA`, text, "", words.clients),
    filesEveryMs: setting(
      `${prefix}FILES_EVERY`,
      duration(100, 3_600_000),
      "5s",
      "How often files with keys and certificates are looked at; changed ones are used from then.",
    ),
    insecure: setting(
      `${prefix}INSECURE`,
      flag,
      "false",
      "true, or --insecure: lets ports be reached from other machines without TLS or without asking who calls. What is set still holds.",
    ),
  } as const;
}
