/** The dialog about the token. */
import { token } from "../net/token.js";
import { cell } from "./observable.js";
import { asked, type Change } from "./operator-actions.js";

/** `undefined`: it is closed. `why`: what brought it up, if not the operator. */
export const tokenAsked = cell<{ readonly why: string | undefined } | undefined>(undefined);

/** Brings up the confirmation of a change, or without a token how to get one. */
export function request(change: Change): void {
  if (token.get() === undefined)
    tokenAsked.set({ why: `“${change.verb}” changes the server and needs its token.` });
  else asked.set(change);
}
