import { registerEnumType } from 'type-graphql';
import { TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { RankMovement } from '../../domain/ranks.ts';

registerEnumType(TrendingPeriod, {
  name: 'TrendingPeriod',
  description: 'Trailing window the chart covers.',
  valuesConfig: {
    LAST_7_DAYS: { description: 'The last 7 days.' },
    LAST_30_DAYS: { description: 'The last 30 days.' },
    LAST_120_DAYS: { description: 'The last 120 days.' },
  },
});

registerEnumType(TrendingOrder, {
  name: 'TrendingOrder',
  description: 'What the chart is ranked by, highest first.',
  valuesConfig: {
    VIEWS: { description: 'Number of views: TikTok\'s "Hotspot" order.' },
    LIKES: { description: 'Number of likes.' },
    COMMENTS: { description: 'Number of comments.' },
    REPOSTS: { description: 'Number of reposts.' },
  },
});

registerEnumType(RankMovement, {
  name: 'RankMovement',
  description: 'How a video has moved since the snapshot that its connection was compared with.',
  valuesConfig: {
    UP: { description: 'Its `rank` is better than its `previousRank`.' },
    DOWN: { description: 'Its `rank` is worse than its `previousRank`.' },
    SAME: { description: 'Its `rank` is its `previousRank`.' },
    NEW: {
      description:
        'It was not seen on the snapshot, and has one of the ranks that are known there without a gap (`knownRanks`): new among ' +
        'these. It may have been below them, or on the chart on an earlier day.',
    },
  },
});
