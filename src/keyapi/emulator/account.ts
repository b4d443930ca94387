import type { Endpoint } from '../../domain/endpoint.ts';
import { pageEndpoint } from '../../domain/page.ts';
import { statsEndpoint } from '../../domain/videoStats.ts';
import { failure, type Reply } from './reply.ts';

/** What limits the requests of an account, whichever endpoint they are for. */
export interface AccountSwitches {
  /** The only bearer token that is accepted; while undefined, any token or none. */
  token: string | undefined;
  /** Credits left; unlimited while undefined. Every request takes its endpoint's price, also one that fails later. */
  credits: number | undefined;
  /** Requests allowed in any second; unlimited while undefined. */
  qps: number | undefined;
}

/** Requests so far, refused ones included, and what they cost if each is billed. */
export interface Counts {
  readonly requests: number;
  readonly credits: number;
  /** The requests for each endpoint, by its name. */
  readonly byEndpoint: Readonly<Record<string, number>>;
}

/** The account that all requests are charged to. */
interface Account {
  readonly counts: Counts;
  /** Counts a request and takes its credits; gives the reply instead if the account does not allow it. */
  charge(
    endpoint: Pick<Endpoint<never>, 'name' | 'credits'>,
    authorization: string | undefined,
  ): Reply | undefined;
}

/** Creates the account. The switches may change at any time. */
export function createAccount(switches: AccountSwitches, now: () => number): Account {
  const byEndpoint: Record<string, number> = { [pageEndpoint.name]: 0, [statsEndpoint.name]: 0 };
  const counts = { requests: 0, credits: 0, byEndpoint };
  let recentRequests: number[] = [];

  function isOverQps(): boolean {
    if (switches.qps === undefined) return false;
    const time = now();
    recentRequests = recentRequests.filter((earlier) => earlier > time - 1000);
    if (recentRequests.length >= switches.qps) return true;
    recentRequests.push(time);
    return false;
  }

  return {
    counts,
    charge({ name, credits }, authorization) {
      counts.requests++;
      counts.credits += credits;
      byEndpoint[name] = (byEndpoint[name] ?? 0) + 1;
      const { token } = switches;
      if (token !== undefined && authorization !== `Bearer ${token}`) return failure(401);
      if (switches.credits !== undefined) {
        if (switches.credits < credits) return failure(402);
        switches.credits -= credits;
      }
      return isOverQps() ? failure(429) : undefined;
    },
  };
}
