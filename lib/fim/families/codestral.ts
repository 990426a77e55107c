// Codestral, and Mistral models with the tokenizer v3: suffix first only, no middle token.
import type { Family } from "../family.ts";

export const codestral: Family = {
  name: "codestral",
  title: "Codestral 22B, 25.01, 25.08",
  tokens: { prefix: "[PREFIX]", suffix: "[SUFFIX]", middle: "", fileSeparator: "", repository: "" },
  begin: "<s>",
  specials: [
    "[MIDDLE]",
    "<unk>",
    "[INST]",
    "[/INST]",
    "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[IMG]",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
  ],
  ends: ["</s>", "[PREFIX]", "[SUFFIX]"],
  stop: ["\n+++++ "],
  forms: [
    {
      order: "suffix_first",
      single: "[SUFFIX]{suffix}[PREFIX]{prefix}",
      repository: "[SUFFIX]{suffix}[PREFIX]{files}+++++ {path}\n{prefix}",
    },
  ],
  file: "+++++ {path}\n{text}\n\n",
  names: ["codestral"],
  sources: [
    "github.com/mistralai/mistral-common src/mistral_common/tokens/tokenizers/instruct.py, encode_fim",
    "github.com/continuedev/continue core/autocomplete/templating/AutocompleteTemplate.ts",
  ],
};
