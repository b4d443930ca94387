import type { ReactNode } from 'react';
import { useIsDemo } from '../api/cost.ts';

/** A link to TikTok. Demo data names videos and creators that do not exist, so there it is only text. */
export function TikTokLink({
  href,
  className,
  isFocusable = false,
  children,
}: {
  readonly href: string;
  readonly className?: string;
  /** Whether the keyboard reaches it even without a link, because the focus shows more of it. */
  readonly isFocusable?: boolean;
  readonly children: ReactNode;
}) {
  if (!useIsDemo()) {
    return (
      <a className={className} href={href} target="_blank" rel="noreferrer">
        {children}
      </a>
    );
  }
  return (
    <span className={className} tabIndex={isFocusable ? 0 : undefined}>
      {children}
    </span>
  );
}
