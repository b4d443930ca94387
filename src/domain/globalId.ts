/** An opaque id that is unique in the whole graph (Relay's Global Object Identification). */
export function encodeGlobalId(typeName: string, key: string): string {
  return Buffer.from(`${typeName}:${key}`).toString('base64url');
}
