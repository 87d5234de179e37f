/** Subjects of a cluster on NATS. They hold the name of the cluster and ids that drover has made, nothing of a user's. */

export class Subjects {
  /** All servers of the cluster hear it. */
  readonly all: string;
  readonly #nodes: string;

  readonly #prefix: string;

  constructor(cluster: string) {
    this.#prefix = `drover.${cluster}.`;
    this.all = `${this.#prefix}all`;
    this.#nodes = `${this.#prefix}node.`;
  }

  /** The inbox of a server. */
  inbox(id: string): string {
    return this.#nodes + id;
  }

  /** Subject on which NATS tells the server with the inbox `id` that the inbox `of` has no listener. */
  gone(id: string, of: string): string {
    return `${this.#nodes}${id}.gone.${of}`;
  }

  /** Where other clients ask, send and publish: this and what is below it. */
  outside(kind: string): string {
    return `${this.#prefix}${kind}.`;
  }

  /** The inbox that a subject made by `gone` names. */
  goneInbox(subject: string): string {
    return subject.slice(subject.lastIndexOf(".") + 1);
  }
}
