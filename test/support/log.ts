/** A stream in memory that a log is written to. */
export function createMemoryStream() {
  const text: string[] = [];
  return {
    stream: { write: (line: string) => void text.push(line) },
    /** Everything that was written. */
    text: () => text.join(''),
    /** The lines about operations, parsed. */
    operations: (): Record<string, unknown>[] =>
      text.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'Operation'),
  };
}
