/**
 * @generated SignedSource<<bb491083553e19d93f9c2cf3f475e1b6>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
import type { FragmentRefs } from "relay-runtime";
export type TrendingOrder = "COMMENTS" | "LIKES" | "REPOSTS" | "VIEWS" | "%future added value";
export type TrendingPeriod = "LAST_120_DAYS" | "LAST_30_DAYS" | "LAST_7_DAYS" | "%future added value";
export type ChartPaginationQuery$variables = {
  after?: string | null | undefined;
  before?: string | null | undefined;
  first?: number | null | undefined;
  last?: number | null | undefined;
  orderBy?: TrendingOrder | null | undefined;
  period?: TrendingPeriod | null | undefined;
  region?: string | null | undefined;
};
export type ChartPaginationQuery$data = {
  readonly " $fragmentSpreads": FragmentRefs<"Chart_query">;
};
export type ChartPaginationQuery = {
  response: ChartPaginationQuery$data;
  variables: ChartPaginationQuery$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "after"
  },
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "before"
  },
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "first"
  },
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "last"
  },
  {
    "defaultValue": "VIEWS",
    "kind": "LocalArgument",
    "name": "orderBy"
  },
  {
    "defaultValue": "LAST_7_DAYS",
    "kind": "LocalArgument",
    "name": "period"
  },
  {
    "defaultValue": "US",
    "kind": "LocalArgument",
    "name": "region"
  }
],
v1 = [
  {
    "kind": "Variable",
    "name": "after",
    "variableName": "after"
  },
  {
    "kind": "Variable",
    "name": "before",
    "variableName": "before"
  },
  {
    "kind": "Variable",
    "name": "first",
    "variableName": "first"
  },
  {
    "kind": "Variable",
    "name": "last",
    "variableName": "last"
  },
  {
    "kind": "Variable",
    "name": "orderBy",
    "variableName": "orderBy"
  },
  {
    "kind": "Variable",
    "name": "period",
    "variableName": "period"
  },
  {
    "kind": "Variable",
    "name": "region",
    "variableName": "region"
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "ChartPaginationQuery",
    "selections": [
      {
        "args": (v1/*:: as any*/),
        "kind": "FragmentSpread",
        "name": "Chart_query"
      }
    ],
    "type": "Query",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "ChartPaginationQuery",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": "TrendingVideoConnection",
        "kind": "LinkedField",
        "name": "trendingVideos",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "TrendingVideoEdge",
            "kind": "LinkedField",
            "name": "edges",
            "plural": true,
            "selections": [
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "rank",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "concreteType": "TrendingVideo",
                "kind": "LinkedField",
                "name": "node",
                "plural": false,
                "selections": [
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "id",
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "title",
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "VideoStats",
                    "kind": "LinkedField",
                    "name": "stats",
                    "plural": false,
                    "selections": [
                      {
                        "alias": null,
                        "args": null,
                        "kind": "ScalarField",
                        "name": "views",
                        "storageKey": null
                      }
                    ],
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "__typename",
                    "storageKey": null
                  }
                ],
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "cursor",
                "storageKey": null
              }
            ],
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "concreteType": "PageInfo",
            "kind": "LinkedField",
            "name": "pageInfo",
            "plural": false,
            "selections": [
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "endCursor",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "hasNextPage",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "hasPreviousPage",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "startCursor",
                "storageKey": null
              }
            ],
            "storageKey": null
          }
        ],
        "storageKey": null
      },
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "filters": [
          "region",
          "period",
          "orderBy"
        ],
        "handle": "connection",
        "key": "Chart_trendingVideos",
        "kind": "LinkedHandle",
        "name": "trendingVideos"
      }
    ]
  },
  "params": {
    "cacheID": "4f25a4b8678a2461531eb8ae9a3ddf3b",
    "id": null,
    "metadata": {},
    "name": "ChartPaginationQuery",
    "operationKind": "query",
    "text": "query ChartPaginationQuery(\n  $after: String\n  $before: String\n  $first: Int\n  $last: Int\n  $orderBy: TrendingOrder = VIEWS\n  $period: TrendingPeriod = LAST_7_DAYS\n  $region: CountryCode = \"US\"\n) {\n  ...Chart_query_27XhO3\n}\n\nfragment ChartVideo_video on TrendingVideo {\n  title\n  stats {\n    views\n  }\n  id\n}\n\nfragment Chart_query_27XhO3 on Query {\n  trendingVideos(region: $region, period: $period, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {\n    edges {\n      rank\n      node {\n        id\n        ...ChartVideo_video\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n      hasPreviousPage\n      startCursor\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "3a4c3a4dc4a6f838997e3df84ba2927f";

export default node;
