import type { JsonObject, JsonValue } from '../core/json.js';
import { type AzureClaim, azureClaims } from './azure.js';
import type { Decision } from './service.js';
import { shownValue } from './shown-value.js';

const STATES: { readonly [state in AzureClaim['state']]: string } = {
  equal: 'the same',
  differs: 'differs',
  only_azure: 'only in the token',
  only_found: 'only found here',
};

/** The claims of Azure Attestation beside the proven claims, under its names. */
export function AzurePanel({ decision: { claims, maaView, crossCheck } }: { readonly decision: Decision }) {
  const token = (claims.maa?.claims ?? null) as JsonObject | null;
  const rows = azureClaims(token, maaView as JsonObject | null);
  if (rows.length === 0) return <p>Nothing that was verified says it.</p>;
  return (
    <>
      {token === null ? (
        <p>
          No token of Azure Attestation was verified. What was found here is shown under the names that its tokens use.
        </p>
      ) : (
        <p>{said(crossCheck)}</p>
      )}
      <table class="azure">
        <caption>Claims under the names of Azure Attestation</caption>
        <thead>
          <tr>
            <th scope="col">Claim</th>
            <th scope="col">Azure Attestation says</th>
            <th scope="col">veritee found</th>
            <th scope="col">Compared</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, azure, found, state }) => (
            <tr key={name} class={state}>
              <th scope="row">
                <code>{shownValue(name)}</code>
              </th>
              <Cell label="Azure Attestation says" value={azure} />
              <Cell label="veritee found" value={found} />
              <td>{STATES[state]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function said(crossCheck: Decision['crossCheck']): string {
  if (crossCheck === null) return 'The token is all there is: nothing was verified here to compare it with.';
  if (crossCheck.agree) return `The token agrees with the evidence: ${crossCheck.equal.length} claims are the same.`;
  const names = crossCheck.differences.map(({ claim }) => claim).join(', ');
  return names === ''
    ? 'The token and the evidence are not about the same TEE.'
    : `The token disagrees with the evidence about ${names}.`;
}

/** @param label of its column, which narrow windows do not show */
function Cell({ label, value }: { readonly label: string; readonly value: JsonValue | undefined }) {
  return <td data-label={label}>{value === undefined ? '' : <code>{shownValue(value)}</code>}</td>;
}
