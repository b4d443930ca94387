import { composeServices } from '@apollo/composition';
import type { DocumentNode } from 'graphql';

/** A part of the graph: its name in it, where it is served, what it defines. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly typeDefs: DocumentNode;
}

/** The graph as one file for gateways, and what composition remarked on the way. */
export interface Supergraph {
  readonly sdl: string;
  readonly hints: readonly string[];
}

/** Composes subgraphs into a supergraph; throws all the reasons when they do not fit. */
export function composeSupergraph(subgraphs: readonly Subgraph[]): Supergraph {
  const { errors, hints, supergraphSdl } = composeServices([...subgraphs]);
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'));
  return { sdl: supergraphSdl, hints: hints.map(String) };
}
