/** Headers as Node takes them at once: a name, its value, the next name, and so on. */
export type HeaderList = readonly string[];

/** Headers by name as a list. */
export function toHeaderList(headers: Readonly<Record<string, string>>): string[] {
  const list: string[] = [];
  for (const name in headers) list.push(name, headers[name] ?? '');
  return list;
}

/** A list as headers by name. */
export function toHeaderRecord(list: HeaderList): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < list.length; index += 2) headers[list[index] ?? ''] = list[index + 1] ?? '';
  return headers;
}

/** The list without the header of this name. */
export function withoutHeader(list: HeaderList, name: string): string[] {
  const index = list.indexOf(name);
  return index < 0 ? [...list] : list.toSpliced(index, 2);
}
