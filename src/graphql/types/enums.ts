import { registerEnumType } from 'type-graphql';
import { TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';

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
