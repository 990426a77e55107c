// text: the end of a run for who started k6 by hand: our measures and the limits, a line each.
export function textSummary({ metrics }) {
  const names = Object.keys(metrics).filter((name) => metrics[name].thresholds || name.startsWith("slipstream_"));
  const lines = names.sort().map((name) => {
    const { values, thresholds = {} } = metrics[name];
    const limits = Object.keys(thresholds).map((limit) => `${thresholds[limit].ok ? "✓" : "✗"} ${limit}`);
    const figures = Object.keys(values).map((key) => `${key}=${Math.round(values[key] * 1000) / 1000}`);
    return `${name.padEnd(44)} ${figures.join(" ")}${limits.length > 0 ? `   [${limits.join(", ")}]` : ""}`;
  });
  return `${lines.join("\n")}\n`;
}
