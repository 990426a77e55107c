// bus/settings: how a process joins the bus, the same for every process. Files are read at each connection, so that rotated
// credentials and certificates take effect without a restart. Of the ways to say who one is, one is taken.
import { addressList, flag, setting, text } from "../config.ts";

export const natsSettings = {
  natsServers: setting(
    "SLIPSTREAM_NATS_SERVERS",
    addressList,
    "",
    "NATS servers, comma-separated host:port; empty: signals stay in the process.",
  ),
  natsSpace: setting(
    "SLIPSTREAM_NATS_SPACE",
    text,
    "",
    "Part of the bus that this process speaks in, where several deployments share one; under the operator the namespace. Empty: the bus whole.",
  ),
  natsCredentials: setting("SLIPSTREAM_NATS_CREDENTIALS", text, "", "File of NATS credentials (JWT and nkey); empty: none."),
  natsNkey: setting(
    "SLIPSTREAM_NATS_NKEY",
    text,
    "",
    "File of the seed of an nkey, where the servers know users by their keys; empty: none.",
  ),
  natsToken: setting("SLIPSTREAM_NATS_TOKEN", text, "", "Token, where the servers ask for one."),
  natsUser: setting("SLIPSTREAM_NATS_USER", text, "", "User, where the servers ask for one."),
  natsPassword: setting("SLIPSTREAM_NATS_PASSWORD", text, "", "Password of the user."),
  natsTls: setting("SLIPSTREAM_NATS_TLS", flag, "false", "true: only over TLS. A CA or certificate file asks for it too."),
  natsTlsCa: setting("SLIPSTREAM_NATS_TLS_CA", text, "", "File of certificate authorities; empty: those of the system."),
  natsTlsCert: setting("SLIPSTREAM_NATS_TLS_CERT", text, "", "File of this process's own certificate, for servers that ask."),
  natsTlsKey: setting("SLIPSTREAM_NATS_TLS_KEY", text, "", "File of its key."),
} as const;
