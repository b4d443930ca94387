import { pageEndpoint } from '../../domain/page.ts';
import { statsEndpoint } from '../../domain/videoStats.ts';

/** Values of the label `endpoint`: all endpoints, so that their series exist before the first event. */
export const ENDPOINTS: readonly string[] = [pageEndpoint.name, statsEndpoint.name];

/** Value of the label `endpoint` for a circuit of the account, which stops the calls to all endpoints. */
export const ACCOUNT = 'account';
