import { registerEnumType } from 'type-graphql';
import { TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { RankMovement } from '../../domain/ranks.ts';

registerEnumType(TrendingPeriod, {
  name: 'TrendingPeriod',
  description: 'The period that a chart covers, up to now.',
  valuesConfig: {
    LAST_7_DAYS: { description: 'The last 7 days.' },
    LAST_30_DAYS: { description: 'The last 30 days.' },
    LAST_120_DAYS: { description: 'The last 120 days.' },
  },
});

registerEnumType(TrendingOrder, {
  name: 'TrendingOrder',
  description: 'The number that a chart is ranked by, highest first.',
  valuesConfig: {
    VIEWS: { description: 'Number of views: TikTok\'s "Hotspot" order.' },
    LIKES: { description: 'Number of likes.' },
    COMMENTS: { description: 'Number of comments.' },
    REPOSTS: { description: 'Number of reposts.' },
  },
});

registerEnumType(RankMovement, {
  name: 'RankMovement',
  description: 'How a video has moved since the snapshot in `comparedWith`.',
  valuesConfig: {
    UP: { description: 'The video has moved up: `rank` is a smaller number than `previousRank`.' },
    DOWN: { description: 'The video has moved down: `rank` is a larger number than `previousRank`.' },
    SAME: { description: '`rank` is equal to `previousRank`.' },
    NEW: {
      description:
        'The video is not on the snapshot, and its `rank` is at most `knownRanks`: it is new among these ranks. ' +
        'It may have had a lower rank on that day, or may have been on the chart on an earlier day.',
    },
  },
});
