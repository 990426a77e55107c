// page: the status page: what runs, how it does, what to try next. Plain HTML without script; reload to look again.
import type { Status } from "../status.ts";

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const row = (cells: readonly (string | number)[], tag = "td") =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join("")}</tr>`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  `<table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells)).join("")}</tbody></table>`;
const ms = (value: number | null) => (value === null ? "–" : `${value} ms`);

const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d1d9e0;--ground:#fff;--good:#1a7f37;--wait:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--ground:#0d1117;--good:#3fb950;--wait:#d29922}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:52rem;margin:3rem auto;padding:0 1.5rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.3rem 0}.soft{color:var(--soft)}
.state{font-weight:600;color:var(--good)}.state.wait{color:var(--wait)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:500}
.figures{display:flex;flex-wrap:wrap;gap:2.5rem;margin-top:1.2rem}.figures b{display:block;font-size:1.5rem;font-weight:600}
pre{overflow-x:auto;border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;font-size:.9rem}`;

export function statusPage(status: Status, example: string): string {
  const outcomes = Object.entries(status.outcomes).sort((a, b) => b[1] - a[1]);
  const { cached, recomputed } = status.promptTokens;
  const reuse = cached + recomputed === 0 ? "–" : `${Math.round((100 * cached) / (cached + recomputed))} %`;
  const figure = (label: string, value: string) => `<div><span class="soft">${label}</span><b>${value}</b></div>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Slipstream</title><style>${style}</style></head><body>
<h1>Slipstream</h1>
<p><span class="state${status.ready ? "" : " wait"}">${status.ready ? "Ready" : `Waiting for ${escaped(status.missing.join(", "))}`}</span>
<span class="soft">· version ${escaped(status.version)} · up ${status.uptimeS} s · router ${escaped(status.router)}</span></p>
<div class="figures">${figure("First text p50", ms(status.firstTextMs.p50))}${figure("First text p95", ms(status.firstTextMs.p95))}${figure("KV reuse", reuse)}${figure("Waiting", String(status.queued))}</div>
<h2>Workers</h2>
${
  status.workers.length === 0
    ? '<p class="soft">None connected.</p>'
    : table(
        ["Worker", "Pool", "Model", "Slots", "Running", "Prefill tokens/s", "Step"],
        status.workers.map((w) => [
          w.name,
          w.pool,
          w.models.join(", "),
          w.slots,
          w.running,
          w.prefillTokensPerSecond || "–",
          w.stepMs ? `${w.stepMs} ms` : "–",
        ]),
      )
}
<h2>Outcomes</h2>
${outcomes.length === 0 ? '<p class="soft">No triggers yet.</p>' : table(["Outcome", "Triggers"], outcomes)}
<h2>Try</h2>
<pre>${escaped(example)}</pre>
</body></html>`;
}
