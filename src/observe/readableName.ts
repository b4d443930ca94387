/** As long as ids of requests may be. */
const MAX_LENGTH = 128;

/** An operation's name where it can stand in the log and in spans; a document may be a name of 90 kB and little else. */
export function toReadableName(name: string | undefined): string | undefined {
  return name !== undefined && name.length > MAX_LENGTH ? undefined : name;
}
