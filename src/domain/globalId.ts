/** Encodes an opaque id that is unique in the whole graph (Relay's Global Object Identification). */
export function encodeGlobalId(typeName: string, key: string): string {
  return Buffer.from(`${typeName}:${key}`).toString('base64url');
}

/**
 * Decodes the key of an object of this type; undefined for anything that `encodeGlobalId` cannot have written, byte for
 * byte.
 */
export function decodeGlobalId(typeName: string, id: string): string | undefined {
  const text = Buffer.from(id, 'base64url').toString();
  const key = text.slice(typeName.length + 1);
  return encodeGlobalId(typeName, key) === id ? key : undefined;
}
