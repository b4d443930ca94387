/** Placeholders while a list is loading. */
export function Skeletons({
  list,
  item,
  count,
}: {
  /** The classes of the list and of its items. */
  readonly list: string;
  readonly item: string;
  readonly count: number;
}) {
  return (
    <>
      <p className="facts" role="status">
        Loading…
      </p>
      <div className={list} aria-busy="true">
        {Array.from({ length: count }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no other identity.
          <span className={`${item} skeleton`} key={index} aria-hidden="true" />
        ))}
      </div>
    </>
  );
}
