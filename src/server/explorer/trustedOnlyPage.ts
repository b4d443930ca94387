/** The page in place of an explorer where only trusted documents are executed: an explorer's own queries are not. */
export const TRUSTED_ONLY_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>trending-graphql</title>
  </head>
  <body>
    <h1>Only trusted documents are executed here</h1>
    <p>
      This server has <code>PERSISTED_DOCUMENTS_ONLY=true</code>, so an explorer could not read its schema or execute
      a query. To explore the API, start a server without this setting.
    </p>
  </body>
</html>
`;
