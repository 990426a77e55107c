// text-tree: prompts of earlier requests in, how much of a new one is known out: the approximate radix tree that cache-aware
// routers keep of each worker, by text. Bounded by `utf16Max` characters; whoever was not looked up for longest leaves first.

interface Node {
  text: string;
  readonly children: Map<string, Node>;
  parent: Node | undefined;
  /** Of the last look-up or addition, a count. */
  used: number;
}

export class TextTree {
  readonly #root: Node = { text: "", children: new Map(), parent: undefined, used: 0 };
  readonly #utf16Max: number;
  #ticks = 0;
  utf16 = 0;

  constructor(options: { utf16Max: number }) {
    this.#utf16Max = options.utf16Max;
  }

  /** Characters of the prompt that are known, from its start. */
  match(prompt: string): number {
    let [node, at] = [this.#root, 0];
    const tick = ++this.#ticks;
    for (;;) {
      const child = node.children.get(prompt[at] ?? "");
      if (!child) return at;
      child.used = tick;
      const shared = sharedLength(child.text, prompt, at);
      at += shared;
      if (shared < child.text.length) return at;
      node = child;
    }
  }

  add(prompt: string): void {
    let [node, at] = [this.#root, 0];
    const tick = ++this.#ticks;
    while (at < prompt.length) {
      const child = node.children.get(prompt[at] as string);
      if (!child) {
        this.#hang(node, prompt.slice(at), tick);
        break;
      }
      child.used = tick;
      const shared = sharedLength(child.text, prompt, at);
      if (shared < child.text.length) this.#split(child, shared);
      at += shared;
      node = child;
    }
    while (this.utf16 > this.#utf16Max) this.#drop();
  }

  #hang(parent: Node, text: string, used: number): void {
    parent.children.set(text[0] as string, { text, children: new Map(), parent, used });
    this.utf16 += text.length;
  }

  #split(node: Node, at: number): void {
    const lower: Node = { text: node.text.slice(at), children: new Map(node.children), parent: node, used: node.used };
    for (const child of lower.children.values()) child.parent = lower;
    node.text = node.text.slice(0, at);
    node.children.clear();
    node.children.set(lower.text[0] as string, lower);
  }

  /** The leaf that was not used for longest. */
  #drop(): void {
    let oldest: Node | undefined;
    const walk = (node: Node) => {
      if (node.children.size === 0 && node.parent && node.used < (oldest?.used ?? Number.POSITIVE_INFINITY)) oldest = node;
      for (const child of node.children.values()) walk(child);
    };
    walk(this.#root);
    if (!oldest) return;
    this.utf16 -= oldest.text.length;
    oldest.parent?.children.delete(oldest.text[0] as string);
  }
}

function sharedLength(text: string, prompt: string, from: number): number {
  let length = 0;
  while (length < text.length && text.charCodeAt(length) === prompt.charCodeAt(from + length)) length += 1;
  return length;
}
