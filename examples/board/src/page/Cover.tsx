import { useState } from 'react';
import type { CoverFragment } from '../generated/documents.ts';

/** The cover of a video; a placeholder if it is missing, expired or fails to load. */
export function Cover({
  video: { cover, coverExpiresAt },
  isFirst = false,
}: {
  readonly video: CoverFragment;
  /** Whether it is visible without scrolling. */
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
