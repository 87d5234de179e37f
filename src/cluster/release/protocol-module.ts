/** Module that exports a protocol. */
export interface ProtocolModule {
  /** URL to import: a `data:` URL when bundled. */
  readonly url: string;
  /** Name of a bundled module in stack traces, its source map, and the folder to which the map is relative. */
  readonly bundled: { readonly name: string; readonly map: string; readonly folder: string } | undefined;
}
