/** Name of a server in its cluster: what `--node` takes, and what other servers may call themselves. */
export const NODE_NAME = /^[A-Za-z0-9._-]{1,64}$/;
