import { readFile } from 'node:fs/promises';

/** A review of a video, which it refers to by TikTok's id. */
export interface Review {
  readonly id: string;
  readonly itemId: string;
  readonly stars: number;
  readonly text: string;
}

// In place of a database. The videos are the top of the demo data's US chart, except one, which is on no chart.
const rows: Omit<Review, 'id'>[] = JSON.parse(
  await readFile(new URL('reviews.json', import.meta.url), 'utf8'),
);
const reviews: readonly Review[] = rows.map((row, index) => ({ id: `review-${index + 1}`, ...row }));

/** The latest reviews, `first` of them. */
export function latestReviews(first: number): readonly Review[] {
  return reviews.slice(0, first);
}

/** The reviews of one video, latest first. */
export function reviewsOf(itemId: string): readonly Review[] {
  return reviews.filter((review) => review.itemId === itemId);
}
