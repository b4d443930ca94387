/** A fenced block of a Markdown text. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The heading above it. */
  readonly heading: string;
  /** The file that the paragraph before it links to, relative to the repository; undefined when it links to none. */
  readonly file: string | undefined;
}

/** The fenced blocks of a page in `docs/`, or of a README in another folder at that depth. */
export function findBlocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
    ({ 1: language = '', 2: text = '', index }) => {
      const before = markdown.slice(0, index).trimEnd();
      const heading = [...before.matchAll(/^## (.*)$/gm)].at(-1)?.[1] ?? '';
      const paragraph = before.split('\n\n').at(-1) ?? '';
      return { language, text, heading, file: /\]\(\.\.\/(examples\/[^)]+\.\w+)\)/.exec(paragraph)?.[1] };
    },
  );
}
