/** Limits that the options, the admin server, the observer page and the commands share. Imports nothing: the page bundles it. */

/** Most workers that `--workers` and `drover scale` accept. */
export const MAX_WORKERS = 1024;

/** The longest timer of the platform, in milliseconds: a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Characters of an admin token: a shorter one can be guessed. */
export const MIN_TOKEN_LENGTH = 32;
export const MAX_TOKEN_LENGTH = 4_096;
