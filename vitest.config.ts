// vitest: the tiers as projects. `npm test` runs unit, integration and simulation; system and night are asked for by name.
import { defineConfig } from "vitest/config";

const rooms = ["bench", "cli", "console", "editor", "learn", "lib", "operator", "router", "sim", "tools", "workers"];

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: true,
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Modules are imported once for all files of a worker: half of the tier's time was imports. Nothing here mocks a module, and
          // `--sequence.shuffle.files` shows that no file leans on another.
          isolate: false,
          include: [
            ...rooms.map((room) => `${room}/**/*.test.ts`),
            "bin/**/*.test.ts",
            "test/tidy/**/*.test.ts",
            "test/golden/**/*.test.ts",
            "test/support/**/*.test.ts",
          ],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/support/built.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts", "test/e2e/*.test.ts"],
          globalSetup: ["test/support/built.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "night",
          include: ["test/night/**/*.test.ts"],
          globalSetup: ["test/support/built.ts"],
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
