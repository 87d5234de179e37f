/** Which dialog is open: the confirmation of an action, or the one for the admin token. */
import { token } from "../net/token.js";
import { observable } from "./observable.js";
import { asked, type Change } from "./operator-actions.js";

/** Open unless `undefined`. `why`: the reason, unless the operator opened it. */
export const tokenDialog = observable<{ readonly why: string | undefined } | undefined>(undefined);

/** Opens the confirmation of an action, or without a token the token dialog. */
export function request(change: Change): void {
  if (token.get() === undefined) tokenDialog.set({ why: `“${change.verb}” needs the admin token.` });
  else asked.set(change);
}
