/**
 * @generated SignedSource<<4820d4d2a304da13a4d60f855c142c13>>
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
    "cacheID": "b2a76b8501342fcbf4ab0461c710bc00",
    "id": null,
    "metadata": {},
    "name": "ChartVideoRefetchQuery",
    "operationKind": "query",
    "text": "query ChartVideoRefetchQuery(\n  $withCreator: Boolean = false\n  $id: ID!\n) {\n  node(id: $id) {\n    __typename\n    ...ChartVideo_video_3UvRfK\n    id\n  }\n}\n\nfragment ChartVideo_video_3UvRfK on TrendingVideo {\n  title\n  creator @include(if: $withCreator) {\n    handle\n  }\n  id\n}\n"
  }
};
})();

(node as any).hash = "d189d8f46e70ce06a3c3fa142d5e263a";

export default node;
