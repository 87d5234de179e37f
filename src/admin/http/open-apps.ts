/** The apps of both ways in, and what their routes share. */
import { type RouteOptions, routeContexts } from "../routes/route-context.js";
import { adminApp } from "./app.js";
import type { Listener } from "./http-server.js";
import { requestListener } from "./request-listener.js";

export interface OpenApps {
  /** In the order of the accesses. */
  readonly listeners: readonly Listener[];
  closeStreams(): void;
}

export function openApps(options: RouteOptions): OpenApps {
  const contexts = routeContexts(options);
  return {
    listeners: contexts.map((context) => requestListener(adminApp(options.control, context))),
    closeStreams: () => {
      for (const { streams } of contexts) streams.close();
    },
  };
}
