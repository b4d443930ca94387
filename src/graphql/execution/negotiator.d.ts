// The part of negotiator that is used: @types/negotiator has no `preferred`, which version 1 brought.
declare module 'negotiator' {
  export default class Negotiator {
    constructor(request: { readonly headers: Readonly<Record<string, string | undefined>> });
    /** The one of `available` that the client prefers; undefined when it accepts none of them. */
    mediaType(available: readonly string[]): string | undefined;
    /** Those of `available` that the client accepts, best first; `preferred` decides between equals. */
    encodings(available: readonly string[], options: { readonly preferred: readonly string[] }): string[];
  }
}
