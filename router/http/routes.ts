// routes: every endpoint of the HTTP port, one folder for each API.
import { openAiRoutes } from "./openai/openai.ts";
import type { Route } from "./route.ts";

export const routes: readonly Route[] = [...openAiRoutes];
