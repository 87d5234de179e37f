/** The apps of both ways in, and what their routes share. */
import type { Control } from "../../control/control.js";
import type { Access } from "../access/guard.js";
import type { AdminChange } from "../events.js";
import { routeContexts } from "../routes/route-context.js";
import { adminApp } from "./app.js";
import type { Listener } from "./http-server.js";
import { requestListener } from "./request-listener.js";

export interface AppsOptions {
  readonly control: Control;
  /** One for each app. */
  readonly accesses: readonly Access[];
  readonly token: string | undefined;
  readonly onChange: ((change: AdminChange) => void) | undefined;
}

export interface OpenApps {
  /** In the order of the accesses. */
  readonly listeners: readonly Listener[];
  closeStreams(): void;
}

export function openApps({ control, accesses, token, onChange }: AppsOptions): OpenApps {
  const contexts = routeContexts(control, accesses, token, onChange);
  return {
    listeners: contexts.map((context) => requestListener(adminApp(control, context))),
    closeStreams: () => {
      for (const { streams } of contexts) streams.close();
    },
  };
}
