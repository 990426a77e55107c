// main: the console's page: the frame with its views, of which the address names one, and who looks. Made of what the router on this
// port says; nothing comes from, or goes to, another place.
import { pageClock } from "./clock.ts";
import { dialler } from "./dialler.ts";
import { fetchJson } from "./fetching.ts";
import { Fleet } from "./fleet/fleet.ts";
import { Frame } from "./frame.ts";
import { keptKeys } from "./keys.ts";
import { Feed } from "./live/feed.ts";
import { Live } from "./live/live.ts";
import { Play } from "./play/play.ts";
import { ThemeChoice } from "./theme.ts";
import { Traces } from "./traces/traces.ts";
import type { Console } from "./view.ts";
import { many } from "./words.ts";

const keys = keptKeys(sessionStorage);
const theme = new ThemeChoice();
const frame = new Frame({ keys, theme, store: sessionStorage });
const console: Console = { keys, refused: (which, why) => frame.refused(which, why) };
const json = fetchJson(
  () => keys.admin,
  (why) => frame.refused("admin", why),
);
const id = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

if (document.querySelector<HTMLMetaElement>('meta[name="process"]')?.content === "operator") operatorsPage();
else routersPage();

/** What an operator keeps is all that is there. */
function operatorsPage(): void {
  const fleet = new Fleet({ clock: pageClock, json, health: (mood, text) => frame.health(mood, text) });
  frame.start({ fleet }, { keysChanged: () => {}, themed: () => {} });
}

function routersPage(): void {
  const play = new Play({
    ...{ clock: pageClock, json, console, store: sessionStorage, sessionId: `console-${id}` },
    dial: dialler(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/session`),
  });
  const live = new Live();
  const feed = new Feed(
    {
      began: (head, past) => live.began(head, past),
      said: (figures, now) => {
        live.said(figures, now);
        frame.health(
          now.ready ? "good" : "warn",
          now.ready ? `Ready, ${many(now.workers.length, "worker")}` : `Waiting for ${now.missing.join(", ")}`,
        );
      },
      lost: (why) => {
        live.lost(why);
        frame.health("bad", "Not connected");
      },
      refused: (why) => frame.refused("admin", why),
    },
    { clock: pageClock, fetch: (path, init) => fetch(path, { ...init, cache: "no-store" }), key: () => keys.admin },
  );
  frame.start(
    { play, live, traces: new Traces({ clock: pageClock, json }) },
    {
      keysChanged: () => {
        play.keysChanged();
        feed.again();
      },
      themed: () => live.themed(),
    },
  );
}
