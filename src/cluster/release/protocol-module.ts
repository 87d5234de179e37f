/** A module that holds a protocol. */
export interface ProtocolModule {
  /** What is imported. */
  readonly url: string;
  /** How stacks name it, and how their positions become those of the user's files; only of a bundled one. */
  readonly bundled: { readonly name: string; readonly map: string; readonly folder: string } | undefined;
}
