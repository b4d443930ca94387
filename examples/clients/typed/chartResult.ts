export interface ChartResult {
  trendingVideos: {
    fetchedAt: string;
    edges: {
      rank: number;
      movement: 'UP' | 'DOWN' | 'SAME' | 'NEW' | null;
      history: { date: string; rank: number }[];
      node: {
        id: string;
        itemUrl: string;
        title: string;
        countryCode: string | null;
        stats: { views: number | null; publishedAt: string | null } | null;
      };
    }[];
  } | null;
}

export interface ChartVariables {
  region: string;
  first: number;
}
