/** The user's own modules, compiled: what a protocol or a configuration file is made of, packages left out. */

export interface UserModule {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** The `file:` URL under which Node runs it: its own `import.meta.url`. */
  readonly url: string;
  readonly format: "esm" | "cjs";
  readonly code: string;
  /** Source map in base64. */
  readonly map: string;
  /** Of CommonJS: the user's modules that its specifiers mean, by path. In ES modules they are URLs already. */
  readonly links: Readonly<Record<string, string>>;
}

export interface UserModules {
  /** Path of the one that is imported first. */
  readonly entry: string;
  readonly modules: readonly UserModule[];
  /** URL that `drover` stands for in them and in packages; `undefined` leaves that to Node. */
  readonly drover: string | undefined;
}
