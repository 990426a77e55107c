// routes: every endpoint of the HTTP port, one folder for each API.
import { deepSeekRoutes } from "./deepseek/deepseek.ts";
import { llamaRoutes } from "./llama/llama.ts";
import { mistralRoutes } from "./mistral/mistral.ts";
import { ollamaRoutes } from "./ollama/ollama.ts";
import { openAiRoutes } from "./openai/openai.ts";
import type { Route } from "./route.ts";
import { tabbyRoutes } from "./tabby/tabby.ts";

export const routes: readonly Route[] = [
  ...openAiRoutes,
  ...llamaRoutes,
  ...mistralRoutes,
  ...deepSeekRoutes,
  ...ollamaRoutes,
  ...tabbyRoutes,
];
