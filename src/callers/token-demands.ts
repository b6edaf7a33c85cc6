import { type JsonValue, memberOf } from '../core/json.js';
import type { TokenCaller } from './token-callers.js';

/** The demands of a caller on the claims of a verified token. */
type Demands = Pick<TokenCaller, 'lacks' | 'longestLifetimeSeconds'>;

const DAY = 86_400;

/** Tokens of managed identities live for a day, and `iat` is five minutes before they are issued. */
const ENTRA_LIFETIME = DAY + 300;

export interface EntraCaller {
  readonly tenantId: string;
  /** Applications; at least one: any application in a tenant gets tokens for any audience there. */
  readonly clientIds: readonly string[];
  /** App roles that the application must have been given, all of them. */
  readonly appRoles: readonly string[];
}

/** Access tokens for applications of Microsoft Entra ID, version 2.0. Tokens for users are refused. */
export function entraDemands({ tenantId, clientIds, appRoles }: EntraCaller): Demands {
  return {
    longestLifetimeSeconds: ENTRA_LIFETIME,
    lacks: (claims) => {
      if (claims['ver'] !== '2.0')
        return 'ver 2.0: a v2 token (requestedAccessTokenVersion 2 in the manifest of the API)';
      if (claims['tid'] !== tenantId) return 'tid, which is tenantId';
      if (claims['idtyp'] !== 'app') return 'idtyp app (the optional claim idtyp of the API), or is of a user';
      if (claims['scp'] !== undefined) return 'no scp: it is of a user';
      if (!clientIds.some((id) => id === claims['azp'])) return 'azp among clientIds';
      const missing = appRoles.find((role) => !textsOf(claims['roles']).includes(role));
      return missing === undefined ? null : `the app role ${missing}`;
    },
  };
}

export interface GenericCaller {
  /** `sub` has to be one of them; empty: any, which the claims narrow. */
  readonly subjects: readonly string[];
  /** Claims that have to be exactly these texts. */
  readonly claims: Readonly<Record<string, string>>;
}

/** Tokens of any OpenID Connect issuer. */
export function genericDemands({ subjects, claims: demanded }: GenericCaller): Demands {
  return {
    longestLifetimeSeconds: DAY,
    lacks: (claims) => {
      if (subjects.length > 0 && !subjects.some((subject) => subject === claims['sub'])) return 'sub among subjects';
      const missing = Object.entries(demanded).find(([name, value]) => claims[name] !== value);
      return missing === undefined ? null : `the claim ${missing[0]} as the caller has it`;
    },
  };
}

/** As `namespace/name`. */
export type ServiceAccount = string;

/**
 * Projected tokens of service accounts, bound to a pod. They are verified offline: that the pod was deleted since is not seen
 * before the token ends.
 */
export function kubernetesDemands(serviceAccounts: readonly ServiceAccount[]): Demands {
  return {
    longestLifetimeSeconds: DAY,
    lacks: (claims) => {
      const cluster = memberOf(claims, 'kubernetes.io');
      const [namespace, account] = [
        memberOf(cluster, 'namespace'),
        memberOf(memberOf(cluster, 'serviceaccount'), 'name'),
      ];
      const pod = memberOf(cluster, 'pod');
      if (!isFilledText(namespace) || !isFilledText(account)) return 'kubernetes.io with namespace and serviceaccount';
      if (claims['sub'] !== `system:serviceaccount:${namespace}:${account}`) return 'sub, which kubernetes.io names';
      if (!serviceAccounts.includes(`${namespace}/${account}`)) return 'an account among serviceAccounts';
      const isBound = isFilledText(memberOf(pod, 'name')) && isFilledText(memberOf(pod, 'uid'));
      return isBound ? null : 'a pod that it is bound to (a projected token)';
    },
  };
}

function textsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function isFilledText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
