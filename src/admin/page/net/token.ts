/**
 * The admin token, needed for changes. It comes in the fragment of the URL (`#token=`), which browsers do not send,
 * is removed from the URL at once, and is kept in sessionStorage until the tab is closed.
 */
import { observable } from "../live/observable.js";

const KEY = "drover token";

export const token = observable<string | undefined>(undefined);

/** Called once, before the first request. */
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
