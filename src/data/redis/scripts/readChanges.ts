import { type PageKey, parsePageId } from '../../../domain/page.ts';
import changes from './changes.lua';
import readChangesLua from './readChanges.lua';
import { CHANGES_KEY } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('readChanges', changes, readChangesLua);

/**
 * Reads which pages were stored since a change, and by which replicas: 200 at most, without entries that are not pages.
 * Returns the id of the last change; that alone when `lastChange` is undefined.
 */
export async function readChanges(
  run: RunScript,
  lastChange: string | undefined,
): Promise<{
  readonly last: string;
  readonly stored: readonly { readonly page: PageKey; readonly replica: string }[];
}> {
  const [last, ...reply] = (await run(script, [CHANGES_KEY], [lastChange])).map(String);
  const stored = reply.flatMap((text, index) => {
    const page = index % 2 === 0 ? parsePageId(text) : undefined;
    return page ? [{ page, replica: reply[index + 1] ?? '' }] : [];
  });
  return { last: last ?? '', stored };
}
