/** The bundler, and Jest's transform, load it as text. */
declare module '*.lua' {
  const text: string;
  export default text;
}
