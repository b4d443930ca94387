import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createForms, type StoredForm } from './forms.ts';

/** Has what each version of each form stored: `<form>-<version>.txt`, and which values it could store: `.schema.txt`. */
const FOLDER = 'test/data/stored/fixtures';
const COMMAND = 'WRITE_FIXTURES=true npm test -- test/data/stored';

const forms = await createForms();

/** Which values can be stored. Without the names of charts: a release ignores the pages of a chart that it does not know. */
function toSchemaText(schema: z.ZodType): string {
  const jsonSchema = z.toJSONSchema(schema, { override: (context) => void delete context.jsonSchema.enum });
  return `${JSON.stringify(jsonSchema, undefined, 1)}\n`;
}

/** What the fixtures of a form's version should be, by name. */
function toFixtures({ id, version, text, schema }: StoredForm): ReadonlyMap<string, string> {
  const fixtures = new Map([[`${id}-${version}.txt`, text]]);
  if (schema) fixtures.set(`${id}-${version}.schema.txt`, toSchemaText(schema));
  return fixtures;
}

/** A fixture; undefined when there is none. If `WRITE_FIXTURES` is set, one that is missing is added: none is ever replaced. */
async function readFixture(name: string, text: string): Promise<string | undefined> {
  const file = `${FOLDER}/${name}`;
  if (process.env.WRITE_FIXTURES) await writeFile(file, text, { flag: 'wx' }).catch(() => undefined);
  return readFile(file, 'utf8').catch(() => undefined);
}

/** What to do when a form is not that of its version any more. */
function toChangedAdvice({ name, version, declaration }: StoredForm, fixture: string): string {
  return [
    `What is stored in ${name} has changed, and its version has not: other releases with ${version} would misread it.`,
    `1. Raise ${declaration}.`,
    `2. Run: ${COMMAND}`,
    '   It adds fixtures of the new version. Commit them, and leave those of other versions as they are.',
    `If no release has ever had ${version}: do not raise it, but delete ${FOLDER}/${fixture} before you run that.`,
  ].join('\n');
}

/** What to do when a version has no fixture. */
function toMissingAdvice({ name, version }: StoredForm, fixture: string): string {
  return `${FOLDER}/${fixture} is missing: what ${version} of ${name} stores. Run: ${COMMAND}`;
}

describe.each(forms)('what is stored in $name', (form) => {
  const fixtures = toFixtures(form);

  it.each([...fixtures])('is what its version stores: %s', async (name, text) => {
    const fixture = await readFixture(name, text);
    if (fixture === undefined) throw new Error(toMissingAdvice(form, name));
    try {
      expect(text).toBe(fixture);
    } catch (difference) {
      throw new Error(`${toChangedAdvice(form, name)}\n\n${(difference as Error).message}`);
    }
  });

  it('is read as it was written', async () => {
    expect(await form.read(form.text)).toMatchObject(form.examples as object);
  });
});

describe.each(forms.filter(({ id }) => id.endsWith('File')))('$name of another version', (form) => {
  it('is set aside', async () => {
    const names = (await readdir(FOLDER)).filter(
      (name) => name.startsWith(`${form.id}-`) && !toFixtures(form).has(name) && !name.includes('.schema.'),
    );
    const texts = await Promise.all(names.map((name) => readFile(`${FOLDER}/${name}`, 'utf8')));
    const next = form.text.replace(/"version":(\d+)/, (_, version) => `"version":${Number(version) + 1}`);
    for (const text of [...texts, next]) {
      const ignored = {
        type: 'fileIgnored',
        reason: expect.stringContaining('of this version'),
        isReplaced: true,
      };
      expect(await form.read(text)).toMatchObject({ events: [ignored] });
    }
  });
});
