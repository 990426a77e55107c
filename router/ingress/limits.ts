// limits: sizes that ingress holds every message to, with their reasons. What depends on the installation is in config.

export const limits = {
  /** Ids are keys of maps and labels of traces. */
  idCharsMax: 128,
  /** Longest path any file system in use allows. */
  pathCharsMax: 4_096,
  /** LSP language identifiers are words. */
  languageCharsMax: 64,
  /** An editor sends one message a key; more edits than this are a new document. */
  editsPerMessageMax: 1_024,
  /** What checking hashes may cost an edit on average, about 20 µs; documents up to this size are checked at every edit. */
  hashedBytesPerEdit: 16 << 10,
  /** Chunks a client sends along; the prompt takes 4–8 of them. */
  snippetsMax: 64,
  snippetBytesMax: 16 << 10,
  /** Other open documents that a trigger's context may be read from: as many as a person goes to and fro between. */
  neighboursMax: 8,
  /** Stop strings: as many as the strictest engine takes. */
  stopsMax: 8,
  stopBytesMax: 64,
  /** Alternatives of one INVOKED trigger: as many as a person looks through. */
  alternativesMax: 3,
  /** Text of the item selected in the editor's menu: a name, or a call with its arguments. */
  selectedUtf16Max: 1_024,
  /** Columns of one level of indentation. */
  indentWidthMax: 16,
  deadlineMsMax: 600_000,
  /** Tokens of an inline completion: past it nobody reads ghost text. */
  inlineTokensMax: 256,
  chatTokensMax: 4_096,
  messagesMax: 256,
  temperatureMax: 2,
  topKMax: 1_000,
  labelsMax: 16,
  /** Live triggers of one session: a flood beyond it is refused, never queued. */
  triggersPerSessionMax: 32,
  /** Triggers of one session: five keyboards that repeat as fast as they can. */
  triggerPace: { perSecond: 150, burst: 300 },
  /** Cost of one session's messages (pace.ts): at once the documents of a large window, then some 4 MB a second. */
  messagePace: { perSecond: 1_000, burst: 4_000 },
  /** Time for the first message of a stream. */
  helloMs: 10_000,
} as const;
