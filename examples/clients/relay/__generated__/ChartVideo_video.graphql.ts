/**
 * @generated SignedSource<<0292f239bff16085351df7934e8e4ec2>>
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
      "kind": "ScalarField",
      "name": "id",
      "storageKey": null
    }
  ],
  "type": "TrendingVideo",
  "abstractKey": null
};

(node as any).hash = "d189d8f46e70ce06a3c3fa142d5e263a";

export default node;
