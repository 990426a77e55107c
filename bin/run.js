#!/usr/bin/env node
// run: one of the project's own tools, built first when needed: node bin/run.js tools/check
import { start } from "./build.js";

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !/^[a-z][a-z0-9/-]*$/.test(name)) {
  process.stderr.write("usage: node bin/run.js FOLDER/TOOL [ARGUMENT…]\n");
  process.exitCode = 64;
} else {
  process.argv.splice(2, process.argv.length, ...rest);
  await start(name);
}
