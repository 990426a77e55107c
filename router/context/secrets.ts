// secrets: does a text hold what nobody meant to send to a model? A table of forms that give themselves away: a chunk with one
// is left out whole. It errs on the side of leaving out, and finds no secret that looks like any other word. Pure.

interface Form {
  readonly name: string;
  readonly pattern: RegExp;
}

/** By the documents of who issues them; each has its case in the test. */
const forms: readonly Form[] = [
  { name: "a private key", pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
  { name: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { name: "a GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/ },
  { name: "a GitLab token", pattern: /\bglpat-[A-Za-z0-9_-]{20,}/ },
  { name: "a Slack token", pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/ },
  { name: "a Stripe key", pattern: /\b[rs]k_live_[A-Za-z0-9]{20,}/ },
  { name: "a Google API key", pattern: /\bAIza[A-Za-z0-9_-]{35}/ },
  { name: "an npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { name: "an API key in the form sk-…", pattern: /\bsk-[A-Za-z0-9_-]{20,}/ },
  { name: "a JSON web token", pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/ },
  { name: "a password in an address", pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@'"`$<{]{1,64}:[^\s:/@'"`$<{]{3,128}@/i },
  {
    name: "a value under a telling name",
    pattern:
      /(?:secret|passw(?:or)?d|passwd|token|api_?key|access_?key|private_?key|credential)[\w-]{0,16}["']?\s{0,4}[:=]\s{0,4}["'`](?=[^"'`\s]{0,128}\d)(?=[^"'`\s]{0,128}[A-Za-z])[^"'`\s${}<>()]{12,512}["'`]/i,
  },
];

/** The name of the first form found. */
export function secretIn(text: string): string | undefined {
  return forms.find(({ pattern }) => pattern.test(text))?.name;
}
