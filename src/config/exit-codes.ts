/** Exit codes of the program and of the load generator: those of sysexits.h, which init systems and scripts know. */
export const EXIT = {
  /** Asked to stop, and stopped. */
  ok: 0,
  /** Done, but not as hoped: a drain with unfinished connections, a load test that did not pass. */
  failed: 1,
  /** The command line is wrong. */
  usage: 64,
  /** The protocol cannot be loaded. */
  noProtocol: 66,
  /** The address cannot be bound, or the server cannot be reached. */
  unavailable: 69,
  /** The restart intensity was reached. */
  gaveUp: 70,
  /** The environment, a file or the protocol has a wrong value. */
  badConfig: 78,
  /** Ended by Ctrl-C, as shells report SIGINT. */
  interrupted: 130,
} as const;
