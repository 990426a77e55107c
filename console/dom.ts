// dom: elements made in one expression, and changed only where they differ: what has not changed is not touched.

type Attribute = string | number | boolean | undefined | ((event: never) => void);
export type Child = Node | string | number | undefined | false | null;

/** `on…` attributes are listeners, true is an attribute without a value, false and undefined are none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) give(element, name, value);
  append(element, children);
  return element;
}

const svgNamespace = "http://www.w3.org/2000/svg";

export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): SVGElement {
  const element = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  append(element, children);
  return element;
}

function give(element: HTMLElement, name: string, value: Attribute): void {
  if (typeof value === "function") element.addEventListener(name.slice(2), value as (event: Event) => void);
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children)
    if (child !== undefined && child !== false && child !== null) element.append(child instanceof Node ? child : String(child));
}

/** Sets the text of an element that holds nothing else. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
/** Rows of a table body by key: kept rows are filled anew, others are added or go. */
export function setRows(body: HTMLTableSectionElement, rows: readonly (readonly Child[])[]): void {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  for (const [i, cells] of rows.entries()) {
    const row = body.rows[i] ?? body.insertRow();
    while (row.cells.length > cells.length) row.deleteCell(-1);
    for (const [j, cell] of cells.entries()) {
      const at = row.cells[j] ?? row.insertCell();
      if (cell instanceof Node) at.replaceChildren(cell);
      else setText(at, cell === undefined || cell === null || cell === false ? "" : String(cell));
    }
  }
}
