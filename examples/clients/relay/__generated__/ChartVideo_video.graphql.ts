/**
 * @generated SignedSource<<b25d65bc4a73fe9ccb56d3a3404c98a1>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ReaderFragment } from 'relay-runtime';
import type { FragmentRefs } from "relay-runtime";
export type ChartVideo_video$data = {
  readonly creator?: {
    readonly handle: string;
  } | null | undefined;
  readonly id: string;
  readonly stats: {
    readonly views: number | null | undefined;
  } | null | undefined;
  readonly title: string;
  readonly " $fragmentType": "ChartVideo_video";
};
export type ChartVideo_video$key = {
  readonly " $data"?: ChartVideo_video$data;
  readonly " $fragmentSpreads": FragmentRefs<"ChartVideo_video">;
};

import ChartVideoRefetchQuery_graphql from './ChartVideoRefetchQuery.graphql';

const node: ReaderFragment = {
  "argumentDefinitions": [
    {
      "defaultValue": false,
      "kind": "LocalArgument",
      "name": "withCreator"
    }
  ],
  "kind": "Fragment",
  "metadata": {
    "refetch": {
      "connection": null,
      "fragmentPathInResult": [
        "node"
      ],
      "operation": ChartVideoRefetchQuery_graphql,
      "identifierInfo": {
        "identifierField": "id",
        "identifierQueryVariableName": "id"
      }
    }
  },
  "name": "ChartVideo_video",
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
      "name": "id",
      "storageKey": null
    }
  ],
  "type": "TrendingVideo",
  "abstractKey": null
};

(node as any).hash = "dc922fa37ff079bbc7c1cdcea23c5fea";

export default node;
