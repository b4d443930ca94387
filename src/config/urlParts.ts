/**
 * Whether the text is only the host of an address, or a wildcard for hosts. In connection strings of other programs, a
 * comma and a password may follow.
 */
export function isUrlHost(hostname: string): boolean {
  return /^([\w.*-]+|\[[\da-f:.]+\])$/i.test(hostname);
}

/** Whether the percent-encoding of a part of an address is valid. */
export function canDecode(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}
