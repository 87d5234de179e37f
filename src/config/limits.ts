/** Limits that the options, the admin server, the observer page and the commands share. Imports nothing: the page bundles it. */

/** Maximum number of workers that `--workers` and `drover scale` accept. */
export const MAX_WORKERS = 1024;

/** Longest timer of Node in milliseconds: a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Length of an admin token in characters: a shorter one could be guessed. */
export const MIN_TOKEN_LENGTH = 32;
export const MAX_TOKEN_LENGTH = 4_096;
