/** Exit codes of the program and of the load generator, from sysexits.h where it has one. */
export const EXIT = {
  /** Stopped on request. */
  ok: 0,
  /** Finished without success: a drain with unfinished connections, `health` of a server that is not, a load test that did not pass. */
  failed: 1,
  /** The command line is wrong. */
  usage: 64,
  /** `ask`: the holder of the name refuses; also `publish`: the message is too large. */
  refused: 65,
  /** The protocol cannot be loaded. */
  noProtocol: 66,
  /** `ask`, `whereis`: no process holds the name. */
  nobody: 68,
  /** The address cannot be bound, or no server can be reached. */
  unavailable: 69,
  /** The restart intensity was reached. */
  gaveUp: 70,
  /** `ask`: no answer in time; it may have been handled. */
  noAnswer: 75,
  /** The environment, a file or the protocol has a wrong value. */
  badConfig: 78,
  /** Interrupted by SIGINT (Ctrl-C): 128 + 2, as shells report it. */
  interrupted: 130,
} as const;
