/** Jest's transform of files that are imported as text, as the bundler loads them. */
export default { process: (text) => ({ code: `module.exports = ${JSON.stringify(text)};` }) };
