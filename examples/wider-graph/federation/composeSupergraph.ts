import { composeServices } from '@apollo/composition';
import type { DocumentNode } from 'graphql';

/** A part of the graph: its name, URL and type definitions. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly typeDefs: DocumentNode;
}

/** The composed graph for gateways, and the hints from its composition. */
export interface Supergraph {
  readonly sdl: string;
  readonly hints: readonly string[];
}

/** Composes subgraphs into a supergraph. Throws an error with all reasons if that fails. */
export function composeSupergraph(subgraphs: readonly Subgraph[]): Supergraph {
  const { errors, hints, supergraphSdl } = composeServices([...subgraphs]);
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'));
  return { sdl: supergraphSdl, hints: hints.map(String) };
}
