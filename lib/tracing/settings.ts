// settings: what every process that traces is told by its environment, in one table of names shared by all.
import { duration, ratio, setting, text } from "../config.ts";

export const tracingSettings = {
  otlpEndpoint: setting(
    "SLIPSTREAM_OTLP_ENDPOINT",
    text,
    "",
    "Base URL of an OTLP/HTTP collector, as http://127.0.0.1:4318; empty: nothing is traced.",
  ),
  otlpSlowMs: setting(
    "SLIPSTREAM_OTLP_SLOW",
    duration(0, 600_000),
    "200ms",
    "Traces whose first text took longer than this are sent, as are those that failed.",
  ),
  otlpShare: setting("SLIPSTREAM_OTLP_SHARE", ratio, "0.001", "Share of all other traces that is sent, by their ids: 0 to 1."),
} as const;
