// Prints the section of CHANGELOG.md for a tag such as v1.2.3, which must be the version in package.json.
//   node .github/releaseNotes.js <tag> [URL of the repository, for links to its files]
import { readFileSync } from 'node:fs';

const [tag = '', repository] = process.argv.slice(2);

try {
  process.stdout.write(`${readNotes()}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function readNotes() {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  if (tag !== `v${version}`)
    throw new Error(`expected the tag v${version}, the version in package.json, but got: ${tag}`);
  const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^(?=## )/m);
  const section = sections.find((text) => /^## (\S+) - \d{4}-\d\d-\d\d$/m.exec(text)?.[1] === version);
  if (section === undefined)
    throw new Error(`expected a section "## ${version} - YYYY-MM-DD" in CHANGELOG.md`);
  const notes = section.replace(/^.*\n/, '').trim();
  if (notes === '') throw new Error(`expected a text below "## ${version}" in CHANGELOG.md`);
  return withLinks(withLongLines(notes));
}

/** Each paragraph on one line, since GitHub shows the line breaks of a release's notes; blocks of code stay as they are. */
function withLongLines(text) {
  const parts = text.split(/^(```.*?^```$)/ms);
  const join = (part) => part.replace(/(?<=\S)\n *(?![\s#|>]|[-*+] |\d+\. |```)/g, ' ');
  return parts.map((part, index) => (index % 2 === 1 ? part : join(part))).join('');
}

/** A release is shown on another page: links to files of the repository lead to those of the tag. */
function withLinks(text) {
  if (repository === undefined) return text;
  return text.replace(/\]\((?![a-z]+:|#)([^)]+)\)/g, `](${repository}/blob/${tag}/$1)`);
}
