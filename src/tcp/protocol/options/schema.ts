/**
 * A schema that checks the options of a protocol: of valibot, zod, arktype or any other library that follows Standard
 * Schema. Only the part that is used here; https://standardschema.dev is the whole.
 */
export interface Schema<Input = any, Output = any> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Only for the compiler. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What a schema takes. Without one anything: it may be for a protocol that connections become. */
export type InputOf<S> =
  IsAny<S> extends true
    ? any
    : S extends Schema<infer Input, any>
      ? Input
      : Readonly<Record<string, unknown>>;
/** What a schema makes of it; `undefined` without a schema. */
export type OutputOf<S> =
  IsAny<S> extends true ? any : S extends Schema<any, infer Output> ? Output : undefined;
