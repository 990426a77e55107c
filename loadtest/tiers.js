// tiers: people who type, chats, and products that complete over HTTP, at the same time on the same target. Each has limits of its own:
// typing must not notice the others. HTTP is left out where HTTP is not given.
import { chat, complete } from "./lib/calls.js";
import { always, arriving, inline, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 40, rate: 0.5, session: 15 });
const overHttp = Boolean(__ENV.HTTP);

export const options = {
  scenarios: {
    typing: arriving({ rate, seconds, session, exec: "typing" }),
    chatting: arriving({ rate: rate / 2, seconds, session: 5, exec: "chatting" }),
    ...(overHttp ? { completing: arriving({ rate, seconds, session: 3, exec: "completing" }) } : {}),
  },
  thresholds: {
    ...always,
    ...inline(),
    "slipstream_triggers{tier:chat}": ["count>0"],
    // Reading begins when the first words are there: one to two seconds is what the tier is for.
    "slipstream_first_text_ms{tier:chat}": ["p(95)<2000"],
    ...(overHttp ? { "slipstream_triggers{tier:http}": ["count>0"], "slipstream_answer_ms{tier:http}": ["p(95)<1500"] } : {}),
  },
  summaryTrendStats,
};

export const typing = () => type({ seconds: session });
export const chatting = () => chat({ maxTokens: 48 });
export const completing = () => complete({ maxTokens: 24 });
