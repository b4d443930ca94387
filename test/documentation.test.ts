import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from './support/app.ts';

describe("the README's examples", () => {
  let app: TestApp;
  let examples: { query: string; answer: unknown }[];

  beforeAll(async () => {
    app = await startApp(new URL('http://127.0.0.1:9'), { KEYAPI_EMULATOR: 'true' });
    const blocks = [...(await readFile('README.md', 'utf8')).matchAll(/^```(\w+)\n(.*?)^```$/gms)];
    examples = blocks.flatMap(([, language = '', text = ''], index) => {
      const [, answerLanguage, answer = ''] = blocks[index + 1] ?? [];
      if (answerLanguage !== 'json') return [];
      const query = language === 'sh' ? JSON.parse(/-d '(.*)'/s.exec(text)?.[1] ?? '{}').query : text;
      return [{ query, answer: JSON.parse(answer) }];
    });
  });

  afterAll(() => app.close());

  it('are answered as shown, in the order shown, at the cost shown', async () => {
    expect(examples).toHaveLength(3);
    for (const { query, answer } of examples) expect(await app.query(query)).toEqual(answer);
  });
});

describe('the documentation', () => {
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  const names = (text: string, pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map(([, name = '']) => name).sort();

  it('lists every variable that is read, in the README and in .env.example', async () => {
    const variables = names(await read('src/config.ts'), /^ {2}([A-Z_]+): /gm).filter(
      (name) => name !== 'NODE_ENV',
    );
    const table = /## Configuration(.*?)## /s.exec(await read('README.md'))?.[1] ?? '';
    const columns = table
      .split('\n')
      .map((line) => line.split('|')[1] ?? '')
      .join('\n');
    expect(variables).toContain('KEYAPI_TOKEN');
    expect(names(columns, /`([A-Z_]+)`/g)).toEqual(variables);
    expect(names(await read('.env.example'), /^([A-Z_]+)=/gm)).toEqual(variables);
  });

  it('gives a reason for every dependency and every override', async () => {
    const { dependencies, devDependencies, overrides } = JSON.parse(await read('package.json'));
    const listed = names(await read('docs/dependencies.md'), /(?:^\||,) *`([@\w/-]+)`/gm);
    expect(listed).toEqual(
      [dependencies, devDependencies, overrides].flatMap((packages) => Object.keys(packages)).sort(),
    );
  });
});
