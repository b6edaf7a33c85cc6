import type { Claims, TokenClaims } from '../model/claims.js';
import { isObject, type JsonObject } from '../model/json.js';
import type { Verified } from '../model/verified.js';
import { type KeyThumbprint, paravisorStatements } from './paravisor-statements.js';
import { collectStatements, type Entry, flag, readSources, type Source, sound, unsound } from './statement.js';
import { TDX_SOURCES } from './tdx-sources.js';
import { TEE, type TeeView, tokenView } from './tee-view.js';

/** Claims that only Trust Authority has a name for. It states the debug attribute twice. */
const OWN_SOURCES: readonly Source[] = [
  ['tdx.tdAttributes.debug', 'tdx_is_debuggable', flag],
  ['tdx.tdAttributes.migratable', 'tdx_td_attributes_migratable', flag],
  ['tdx.tdAttributes.migratable', 'tdx_is_migratable', flag],
];

/** The TEE as a verified token of Trust Authority states it; null where there is no such token. */
export function itaTokenView(claims: Verified<Claims>, thumbprint: KeyThumbprint): TeeView | null {
  const token = claims.ita;
  if (token === undefined) return null;
  return tokenView('ita', collectStatements(tdStatements(token, thumbprint)), false);
}

function tdStatements(token: TokenClaims, thumbprint: KeyThumbprint): readonly Entry[] {
  if (token.attestationType !== 'TDX') return [[TEE, unsound(token.attestationType)]];
  // A token of version 2 has one object for each attester, one of version 1 the claims of its only one on top.
  const td = token.claims['tdx'] ?? token.claims;
  return isObject(td) ? attesterStatements(td, thumbprint) : [[TEE, unsound(td)]];
}

function attesterStatements(td: JsonObject, thumbprint: KeyThumbprint): readonly Entry[] {
  return [
    [TEE, sound('tdx')],
    ...readSources(td, TDX_SOURCES),
    ...readSources(td, OWN_SOURCES),
    ...paravisorStatements(td['attester_runtime_data'], thumbprint),
  ];
}
