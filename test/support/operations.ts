/** The documents of `schema/operations`, with variables to execute them with. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'chartFacts.graphql': { region: 'US' },
  'compareRegions.graphql': { left: 'US', right: 'GB', first: 3 },
  'trendingVideos.graphql': { region: 'US', period: 'LAST_7_DAYS', orderBy: 'VIEWS', first: 20 },
  'trendingVideosWithStats.graphql': { region: 'US', orderBy: 'VIEWS', first: 10 },
  // The first two of the demo data's US chart.
  'videosByItemId.graphql': { itemIds: ['7933310081972815260', '7310871003254096742'] },
  'whatMoved.graphql': { region: 'US', orderBy: 'VIEWS', first: 20, days: 7 },
};
