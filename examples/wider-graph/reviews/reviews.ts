import { readFile } from 'node:fs/promises';

/** A review of a video, which it knows by TikTok's id of it. */
export interface Review {
  readonly id: string;
  readonly itemId: string;
  readonly stars: number;
  readonly text: string;
}

// Stands for a database. Its videos lead the US chart of the demo data, but for one, which is on no chart.
const rows: Omit<Review, 'id'>[] = JSON.parse(
  await readFile(new URL('reviews.json', import.meta.url), 'utf8'),
);
const reviews: readonly Review[] = rows.map((row, index) => ({ id: `review-${index + 1}`, ...row }));

/** The `first` latest reviews. */
export function latestReviews(first: number): readonly Review[] {
  return reviews.slice(0, first);
}

/** The reviews of one video, latest first. */
export function reviewsOf(itemId: string): readonly Review[] {
  return reviews.filter((review) => review.itemId === itemId);
}
