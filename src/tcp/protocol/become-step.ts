/** The step that `become` returns. Apart from `become`, whose types need those of protocols, which need this one. */
export class Become {
  readonly kind = "become";
  /** What `defineProtocol` returned. */
  readonly protocol: { readonly name: string };
  /** The data of the connection, as a list of one; empty where the protocol's `data` makes it. */
  readonly data: readonly unknown[];

  constructor(protocol: { readonly name: string }, data: readonly unknown[]) {
    this.protocol = protocol;
    this.data = data;
  }
}
