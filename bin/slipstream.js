#!/usr/bin/env node
// slipstream: the command. Builds when there is nothing to start or the sources have changed, then runs main.
import { start } from "./build.js";

await start("main");
