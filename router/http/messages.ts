// messages: turns of a conversation as OpenAI writes them, which llama.cpp's editors take over.
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { ChatMessageSchema, Role } from "../../proto/gen/slipstream/v1/completion_pb.ts";

const part = z.object({ type: z.literal("text", { error: "only text is supported" }), text: z.string() });
const roles = { system: Role.SYSTEM, developer: Role.SYSTEM, user: Role.USER, assistant: Role.ASSISTANT } as const;

const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant"], { error: "must be system, developer, user or assistant" }),
  content: z.union([z.string(), z.array(part).transform((parts) => parts.map(({ text }) => text).join(""))], {
    error: "must be a text, or parts of type text",
  }),
});

export const messages = z.array(message, { error: "must be a list of messages" });

export function turnsOf(given: z.output<typeof messages>) {
  return given.map(({ role, content }) => create(ChatMessageSchema, { role: roles[role], content }));
}
