// dashboards: what an operator looks at in Grafana. The data source is chosen there, a namespace too.
import type { Board } from "./boards/board.ts";
import { pools } from "./boards/pools.ts";
import { routers } from "./boards/routers.ts";
import { workers } from "./boards/workers.ts";

export const boards: readonly Board[] = [routers, workers, pools];
