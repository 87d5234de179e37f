/** Limits that the options, the admin server, the observer page and the commands share. Imports nothing: the page bundles it. */

/** Most workers that `--workers` and `drover scale` accept. */
export const MAX_WORKERS = 1024;
