const text = { type: 'string' };
const number = { type: 'integer' };

const video = {
  title: 'Video',
  type: 'object',
  properties: {
    country_code: text,
    cover: text,
    duration: number,
    id: text,
    item_id: text,
    item_url: text,
    region: text,
    title: text,
  },
};

const pagination = {
  title: 'Pagination',
  type: 'object',
  properties: { has_more: { type: 'boolean' }, limit: number, page: number, total_count: number },
};

const response = {
  title: 'TrendingVideosResponse',
  type: 'object',
  properties: {
    code: number,
    message: text,
    data: {
      title: 'TrendingVideos',
      type: 'object',
      properties: { pagination, videos: { type: 'array', items: video } },
    },
    requestId: text,
  },
};

const parameter = (name: string) => ({ name, in: 'query', schema: text });

/** An OpenAPI document of KeyAPI's endpoint, from which Hive Gateway's schema is generated. */
export const openApi = {
  openapi: '3.0.3',
  info: { title: 'KeyAPI', version: '1' },
  paths: {
    '/v1/tiktok/trending/videos': {
      get: {
        operationId: 'trendingVideos',
        parameters: ['page', 'period', 'limit', 'region', 'order_by'].map(parameter),
        responses: {
          200: { description: 'A page', content: { 'application/json': { schema: response } } },
        },
      },
    },
  },
};
