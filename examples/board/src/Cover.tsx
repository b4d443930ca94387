import { useState } from 'react';
import type { CoverFragment } from './generated/documents.ts';

/** The picture of a video; something in its place where there is none, its link has expired, or it does not load. */
export function Cover({
  video: { cover, coverExpiresAt },
  isFirst = false,
}: {
  readonly video: CoverFragment;
  /** Whether it is among those that are seen first. */
  readonly isFirst?: boolean;
}) {
  const [broken, setBroken] = useState<string>();
  const isExpired = coverExpiresAt !== null && Date.parse(coverExpiresAt) <= Date.now();
  if (cover === null || cover === broken || isExpired)
    return <span className="cover cover-missing" aria-hidden="true" />;
  return (
    <img
      className="cover"
      src={cover}
      alt=""
      loading={isFirst ? 'eager' : 'lazy'}
      fetchPriority={isFirst ? 'high' : 'auto'}
      decoding="async"
      referrerPolicy="no-referrer"
      onError={() => setBroken(cover)}
    />
  );
}
