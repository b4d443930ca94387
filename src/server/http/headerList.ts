/** Headers as Node takes them at once: a name, its value, the next name, and so on. */
export type HeaderList = readonly string[];

/** Headers by name as a list. */
export function toHeaderList(headers: Readonly<Record<string, string>>): HeaderList {
  const list: string[] = [];
  for (const name in headers) list.push(name, headers[name] ?? '');
  return list;
}

/** The list without the header of this name. */
export function withoutHeader(list: HeaderList, name: string): HeaderList {
  const index = list.indexOf(name);
  return index < 0 ? list : list.toSpliced(index, 2);
}
