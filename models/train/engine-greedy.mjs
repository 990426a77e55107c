// engine-greedy: a JSON file {file, tokens, prompts} in, the greedy continuation of each prompt as JSON out: what
// node-llama-cpp makes of an exported file. Ends with 3 where the package is not installed.
import { readFileSync } from "node:fs";

const { file, tokens, prompts } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const library = await import("node-llama-cpp").catch(() => process.exit(3));
const llama = await library.getLlama({ gpu: false, build: "never", maxThreads: 1, logLevel: "error" });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: Math.min(model.trainContextSize, 1024) });
const sequence = context.getSequence();
const answers = [];
for (const prompt of prompts) {
  await sequence.clearHistory();
  const answer = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    answer.push(token);
    if (token === 0 || answer.length === tokens) break;
  }
  answers.push(answer);
}
process.stdout.write(`\n${JSON.stringify(answers)}\n`);
process.exit(0);
