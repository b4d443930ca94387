/** Also the longest request id. */
const MAX_LENGTH = 128;

/** An operation's name for the log and for spans; undefined when it is too long: a name may have 90 kB. */
export function toReadableName(name: string | undefined): string | undefined {
  return name !== undefined && name.length > MAX_LENGTH ? undefined : name;
}
