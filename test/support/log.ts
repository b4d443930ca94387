/** What a log is written to, to be read. */
export function createMemoryStream() {
  const text: string[] = [];
  return {
    stream: { write: (line: string) => void text.push(line) },
    /** All that was written. */
    text: () => text.join(''),
    /** The lines of operations. */
    operations: (): Record<string, unknown>[] =>
      text.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'Operation'),
  };
}
