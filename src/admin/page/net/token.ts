/**
 * The token that changes need. It comes behind the `#` of the address, which browsers send to nobody, is taken
 * out of the address at once, and is kept for as long as this tab is.
 */
import { cell } from "../live/observable.js";

const KEY = "drover token";

export const token = cell<string | undefined>(undefined);

/** Once, before anything is asked. */
export function takeToken(): void {
  const given = /^#token=(\S+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    history.replaceState(null, "", location.pathname + location.search);
    setToken(decodeURIComponent(given));
  } else {
    token.set(sessionStorage.getItem(KEY) ?? undefined);
  }
}

export function setToken(value: string): void {
  sessionStorage.setItem(KEY, value);
  token.set(value);
}

export function dropToken(): void {
  sessionStorage.removeItem(KEY);
  token.set(undefined);
}
