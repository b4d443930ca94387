/**
 * @generated SignedSource<<8c34fba83465a4f5a26de48669ea2e85>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
import type { FragmentRefs } from "relay-runtime";
export type ChartVideoRefetchQuery$variables = {
  id: string;
  withCreator?: boolean | null | undefined;
};
export type ChartVideoRefetchQuery$data = {
  readonly node: {
    readonly " $fragmentSpreads": FragmentRefs<"ChartVideo_video">;
  } | null | undefined;
};
export type ChartVideoRefetchQuery = {
  response: ChartVideoRefetchQuery$data;
  variables: ChartVideoRefetchQuery$variables;
};

const node: ConcreteRequest = (function(){
var v0 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "id"
},
v1 = {
  "defaultValue": false,
  "kind": "LocalArgument",
  "name": "withCreator"
},
v2 = [
  {
    "kind": "Variable",
    "name": "id",
    "variableName": "id"
  }
];
return {
  "fragment": {
    "argumentDefinitions": [
      (v0/*:: as any*/),
      (v1/*:: as any*/)
    ],
    "kind": "Fragment",
    "metadata": null,
    "name": "ChartVideoRefetchQuery",
    "selections": [
      {
        "alias": null,
        "args": (v2/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "node",
        "plural": false,
        "selections": [
          {
            "args": [
              {
                "kind": "Variable",
                "name": "withCreator",
                "variableName": "withCreator"
              }
            ],
            "kind": "FragmentSpread",
            "name": "ChartVideo_video"
          }
        ],
        "storageKey": null
      }
    ],
    "type": "Query",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [
      (v1/*:: as any*/),
      (v0/*:: as any*/)
    ],
    "kind": "Operation",
    "name": "ChartVideoRefetchQuery",
    "selections": [
      {
        "alias": null,
        "args": (v2/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "node",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "__typename",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "id",
            "storageKey": null
          },
          {
            "kind": "InlineFragment",
            "selections": [
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
                "condition": "withCreator",
                "kind": "Condition",
                "passingValue": true,
                "selections": [
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Creator",
                    "kind": "LinkedField",
                    "name": "creator",
                    "plural": false,
                    "selections": [
                      {
                        "alias": null,
                        "args": null,
                        "kind": "ScalarField",
                        "name": "handle",
                        "storageKey": null
                      }
                    ],
                    "storageKey": null
                  }
                ]
              }
            ],
            "type": "TrendingVideo",
            "abstractKey": null
          }
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "80a9f8c21529797f94bb8d051b93358d",
    "id": null,
    "metadata": {},
    "name": "ChartVideoRefetchQuery",
    "operationKind": "query",
    "text": "query ChartVideoRefetchQuery(\n  $withCreator: Boolean = false\n  $id: ID!\n) {\n  node(id: $id) {\n    __typename\n    ...ChartVideo_video_3UvRfK\n    id\n  }\n}\n\nfragment ChartVideo_video_3UvRfK on TrendingVideo {\n  title\n  creator @include(if: $withCreator) {\n    handle\n  }\n  stats {\n    views\n  }\n  id\n}\n"
  }
};
})();

(node as any).hash = "dc922fa37ff079bbc7c1cdcea23c5fea";

export default node;
