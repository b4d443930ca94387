import { stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readPages } from './support/pages.ts';

/** All Markdown files, by their path in the repository. */
let pages: ReadonlyMap<string, string>;

/** The text without code, in which brackets are no links. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```.*?^ *```$/gms, '').replace(/`[^`\n]*`/g, '``');
}

/** The targets of inline links, pictures and definitions. */
function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  const links = [
    ...text.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g),
    ...text.matchAll(/^\[[^\]]+\]: (\S+)/gm),
  ];
  return links.map(([, target = '']) => target);
}

/** The anchors of a page's headings, by GitHub's rules: the second of two equal ones ends in `-1`, and so on. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of markdown
    .replace(/^ *```.*?^ *```$/gms, '')
    .matchAll(/^#{1,6} +(.*?)[ #]*$/gm)) {
    const text = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Why a link leads nowhere; undefined if it does not. */
async function problemOf(page: string, link: string): Promise<string | undefined> {
  const [target = '', anchor] = link.split('#').map(decodeURIComponent);
  const file = target === '' ? page : path.join(path.dirname(page), target);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return `${page}: ${link}: no such file`;
  const text = pages.get(file) ?? pages.get(path.join(file, 'README.md'));
  if (anchor === undefined || text === undefined) return undefined;
  return anchorsOf(text).has(anchor) ? undefined : `${page}: ${link}: no such heading`;
}

beforeAll(async () => {
  pages = await readPages();
});

describe('the links of all Markdown files', () => {
  it('lead to files, and to headings, that exist', async () => {
    const links = [...pages].flatMap(([page, text]) => linksOf(text).map((link) => [page, link] as const));
    const relative = links.filter(([, link]) => !/^(?:[a-z]+:|<)/.test(link));
    expect(relative.length).toBeGreaterThan(300);
    const problems = await Promise.all(relative.map(([page, link]) => problemOf(page, link)));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  it('that have a name have a definition', () => {
    for (const [page, markdown] of pages) {
      const text = withoutCode(markdown);
      const names = [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, name = '']) => name);
      const defined = [...text.matchAll(/^\[([^\]]+)\]: /gm)].map(([, name = '']) => name);
      expect([page, names.filter((name) => !defined.includes(name))]).toEqual([page, []]);
    }
  });
});

describe('an anchor', () => {
  it('is made of a heading as GitHub does', () => {
    const headings =
      '# `KEYAPI_TOKEN`, and *why*?\n## What moved\n## What moved\n```sh\n# no heading\n```\n## [A](b.md) & B\n';
    expect([...anchorsOf(headings)]).toEqual(['keyapi_token-and-why', 'what-moved', 'what-moved-1', 'a--b']);
  });
});
