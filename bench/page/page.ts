// page: headings, tables and drawings in, one HTML page without anything from elsewhere out, for reports that people look at.

export const escaped = (text: string) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** `parts` are HTML; the title is text. */
export function pageOf(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${style}</style>
<h1>${escaped(title)}</h1>
${parts.join("\n")}
</html>
`;
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2rem 0 .4rem}small{color:#57606a}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-size:13px;color:#57606a;max-width:520px}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1f2328}svg .faint{fill:#57606a}
table{border-collapse:collapse;margin:.4rem 0}td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #d0d7de}
td:first-child,th:first-child{text-align:left}.yes{color:#1a7f37;font-weight:600}.no{color:#cf222e;font-weight:600}pre{background:#f6f8fa;padding:.6rem;overflow:auto}`;

/** The first row is the head. Cells are text. */
export function tableOf(rows: readonly (readonly (string | number)[])[]): string {
  const [head = [], ...body] = rows;
  const cells = (row: readonly (string | number)[], tag: string) =>
    row.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join("");
  return `<table><tr>${cells(head, "th")}</tr>\n${body.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n")}</table>`;
}
