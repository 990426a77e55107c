// calibration.fake: workers that take 60 ms, and 3 more for each generation beside; first lines from a third of that on.
import type { Calibrated } from "./calibration.ts";

export const fakeCalibration: Calibrated = {
  slots: 8,
  points: [0.5, 2, 4, 6, 8].map((running) => {
    const heldMs = 60 + 3 * running;
    return { running, heldMs, firstLineMs: Array.from({ length: 200 }, (_, i) => heldMs * (0.3 + (0.9 * i) / 200)) };
  }),
};
