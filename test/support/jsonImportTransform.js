/**
 * Adds the import attribute to JSON imports of packages that are published without it, which Node has required
 * since it stabilised JSON modules, and which Jest will require.
 */
export default {
  process: (source) => ({
    code: source.replace(/^(import .+ from "[^"]+\.json");$/gm, '$1 with { type: "json" };'),
  }),
};
