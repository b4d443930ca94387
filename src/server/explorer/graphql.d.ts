/** The bundler, and Jest's transform, load it as text. */
declare module '*.graphql' {
  const text: string;
  export default text;
}
