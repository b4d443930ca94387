import { readFile } from 'node:fs/promises';
import { validate } from '@actions/languageservice';
import { TextDocument } from 'vscode-languageserver-textdocument';

let count = 0;

/**
 * What GitHub's own language service finds wrong in a workflow: in its keys and values, in its expressions and what they
 * refer to, in the dependencies of its jobs, and in workflows of this repository that it calls. It does not know the inputs of
 * actions, which are in their own repositories.
 */
export async function problemsOf(workflow: string): Promise<string[]> {
  // Another name each time: results are cached by the name.
  const document = TextDocument.create(`file:///.github/workflows/${count++}.yml`, 'yaml', 1, workflow);
  const problems = await validate(document, { fileProvider: { getFileContent } });
  return problems.map(({ range, message }) => `line ${range.start.line + 1}: ${message}`);
}

/** Reads a workflow that another one calls. */
async function getFileContent(reference: { readonly path: string }) {
  return { name: reference.path, content: await readFile(reference.path, 'utf8') };
}
