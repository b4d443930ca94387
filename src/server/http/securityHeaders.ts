import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

type Headers = Readonly<Record<string, string>>;

/**
 * What helmet has for an API: answers are data, which no browser should run, frame, guess the type of, or take in from
 * another site. What it has for pages alone is left out. Computed once, since helmet would do so for each request.
 */
export const SECURITY_HEADERS: Headers = read(
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: { includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    xPoweredBy: false,
  }),
);

/**
 * What differs for the page of Apollo Sandbox. It says itself which scripts, styles and frames it takes, by a nonce, and a
 * second policy could only forbid them; here is what a page cannot say of itself, or does not.
 */
export const PAGE_HEADERS: Headers = {
  'content-security-policy': "base-uri 'none';form-action 'none';frame-ancestors 'none';object-src 'none'",
  'referrer-policy': 'strict-origin-when-cross-origin',
};

/** The headers that a middleware sets. */
function read(middleware: ReturnType<typeof helmet>): Headers {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
  };
  middleware({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error) throw error;
  });
  return headers;
}
